"""Every page's links, anchors and named files are there."""

import ast
import re

import pytest

from .pages import PAGES, ROOT, anchors, links, name


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_links_lead_somewhere(page):
    missing = []
    for link in links(page.read_text()):
        path, _, anchor = link.partition('#')
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT):
            missing.append(link)
        elif anchor and anchor not in anchors(target):
            missing.append(f'{link}: its headings are {anchors(target)}')
    assert not missing


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_named_files_exist(page):
    text = page.read_text()
    named = re.findall(r'`((?:configs|tools|tests|iboot_mm|model_cards|benchmarks|docs)/[\w./]+)`', text)
    named += re.findall(r'(?:^|\s|`)((?:configs|tools|benchmarks)/[\w./]+\.(?:py|sh))', text)  # in commands
    # MMAction2's own folder of the same name is meant in one place.
    assert not [path for path in named if not (ROOT / path).exists() and path != 'tools/data/kinetics']


@pytest.mark.parametrize('page', sorted((ROOT / 'docs').glob('*.md')), ids=name)
def test_a_page_has_a_title_and_says_what_it_is_for(page):
    title, empty, first = page.read_text().splitlines()[:3]
    assert re.match(r'# \w', title) and not empty and re.match(r'[\w*`\[]', first)


def test_every_page_of_the_docs_is_in_their_table():
    index = ROOT / 'docs' / 'README.md'
    assert sorted(page.name for page in index.parent.glob('*.md') if page != index) == sorted(
        {link.split('#')[0] for link in links(index.read_text()) if '/' not in link})


def test_every_page_of_the_docs_is_in_the_site_s_navigation():
    navigation = (ROOT / 'mkdocs.yml').read_text()
    assert not [name(page) for page in PAGES if page.parent.name == 'docs' and f'- {name(page)}\n' not in navigation]


def test_every_file_of_the_ablations_page_exists_and_is_named():
    folder = ROOT / 'configs/ablations'
    named = re.findall(r'`(table\w+\.py)`', (folder / 'README.md').read_text())
    assert sorted(named) == sorted(path.name for path in folder.glob('*.py'))


def printed() -> list[str]:
    """What the code can print: its texts, with a blank line for each value in them."""
    found = []
    for folder in ('iboot_mm', 'tools'):
        for path in sorted((ROOT / folder).rglob('*.py')):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    found.append(''.join(str(part.value) if isinstance(part, ast.Constant) else '\n\n'
                                         for part in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return found


def test_errors_on_the_page_are_in_the_words_of_the_code():
    """Values are in capitals there, or some of those below, and ``...`` stands for what is left out."""
    texts = '\0'.join(printed())
    errors = re.findall(r'^(?=\*\*`).*$', (ROOT / 'docs/troubleshooting.md').read_text(), re.M)
    errors = [words for line in errors for words in re.findall(r'\*\*`([^`]+)`', line)]
    value = r"/dev/shm|No space left on device|\btraining\b|\bwritten\b|'?\b[A-Z]+\b'?|\.\.\.|\d+[.\d]*"
    fragments = [part.strip(' .:;,()') for words in errors for part in re.split(value, words)]
    long = [part for part in fragments if len(part) > 8]
    assert len(errors) > 12 and len(long) > len(errors) / 2
    assert not [part for part in long if part not in texts]
