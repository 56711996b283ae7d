"""README.md is short, and every figure in it can be traced."""

import re
from pathlib import Path

import pytest

from .pages import README, links

FIGURE = re.compile(r'(?<![\w.:-])\d+[.:]\d+(?![\w.]*[\w:])')
COMMAND = re.compile(r'^ *(?:make|python|tools/\w+\.sh) \w|`(?:make|python) \w', re.M)


def test_readme_is_one_screen():
    assert len(README.read_text().splitlines()) <= 160


def parts() -> list[str]:
    """Rows of tables one by one, and what else each section says."""
    text = re.sub(r'```\w+\n.*?```', '', README.read_text(), flags=re.S)  # examples; printed tables stay
    found = []
    for section in re.split(r'^## ', text, flags=re.M):
        rows = [line for line in section.splitlines() if line.startswith('|')]
        found += rows + ['\n'.join(line for line in section.splitlines() if line not in rows)]
    return [part for part in found if figures(part)]


def figures(part: str) -> list[str]:
    return FIGURE.findall(re.sub(r'\]\([^)]*\)', ']', part))


def within_two_links(part: str) -> set[Path]:
    """The pages that ``part`` links to, and those that they link to."""
    reached, frontier = set(), [(README, part)]
    for _ in range(2):
        found = {(page.parent / link.split('#')[0]).resolve() for page, text in frontier for link in links(text)}
        pages = {page for page in found if page.suffix == '.md' and page != README} - reached
        frontier = [(page, page.read_text()) for page in pages]
        reached |= pages
    return reached


@pytest.mark.parametrize('part', parts(), ids=lambda part: part.strip()[:30])
def test_each_figure_has_its_command_within_two_links(part):
    pages = [page.read_text() for page in within_two_links(part)]
    with_commands = '\n'.join(page for page in pages if COMMAND.search(page))
    assert not [figure for figure in figures(part) if figure not in FIGURE.findall(with_commands)]


def test_the_table_is_the_quickstarts():
    block = re.search(r'^```\n360 queries.*?^```', README.read_text(), re.M | re.S)[0]
    assert block in (README.parent / 'docs/quickstart.md').read_text()
