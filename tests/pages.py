"""The project's pages of Markdown: which there are, and what tests ask of them."""

import re
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / 'README.md'
PAGES = [README, ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md')),
         *sorted((ROOT / 'model_cards').glob('*.md')), *sorted((ROOT / 'benchmarks').rglob('*.md')),
         *sorted((ROOT / 'configs').glob('*/README.md')), *sorted((ROOT / 'tools').glob('*/README.md'))]
FENCE = re.compile(r'^( *)```(\w*)\n(.*?)^\1```$', re.M | re.S)


def name(page: Path) -> str:
    """The page as a test's name."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced examples of one language, those inside a list item without its indentation."""
    return [re.sub(f'^{indent}', '', text, flags=re.M)
            for indent, kind, text in FENCE.findall(page.read_text()) if kind == language]


def snippet(page: Path, start: str) -> str:
    """The Python example of ``page`` that begins with ``start``."""
    return next(block for block in blocks(page, 'python') if block.startswith(start))


def prose(text: str) -> str:
    """``text`` without its fenced examples."""
    return FENCE.sub('', text)


def links(text: str) -> list[str]:
    """Targets of links and pictures, but for those of the web."""
    found = re.findall(r'\]\(([^)\s]+)\)', re.sub(r'`[^`\n]*`(?!\])', '', prose(text)))
    return [link for link in found if not link.startswith(('http:', 'https:', 'mailto:'))]


def anchors(page: Path) -> list[str]:
    """What ``#...`` behind the page's name may be: its headings, as the forge spells them."""
    found: list[str] = []
    for title in re.findall(r'^#+ +(.+?) *$', prose(page.read_text()), re.M):
        title = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', title)
        letters = unicodedata.normalize('NFC', title).lower()
        slug = re.sub(r'[^\w\- ]', '', letters).replace(' ', '-')
        found.append(slug if slug not in found else f'{slug}-{sum(s.startswith(slug) for s in found)}')
    return found
