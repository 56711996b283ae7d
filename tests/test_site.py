"""`make docs`: the site builds without a warning, holds together, and asks nothing of the network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from .pages import PAGES, ROOT, name

pytest.importorskip('material', reason='pip install -r requirements/docs.txt')
pytest.importorskip('mkdocstrings_handlers')
CHROME = shutil.which('chromium') or shutil.which('google-chrome')


@pytest.fixture(scope='module')
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('site')
    done = subprocess.run([sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', str(folder)], cwd=ROOT,
                          capture_output=True, text=True, env=dict(os.environ, NO_MKDOCS_2_WARNING='1'))
    assert done.returncode == 0 and 'WARNING' not in done.stderr, done.stderr
    return folder


@pytest.fixture(scope='module')
def pages(site) -> dict[Path, str]:
    return {path: path.read_text() for path in site.rglob('*.html') if path.name != '404.html'}


def test_every_page_and_module_is_in_it(site):
    places = [name(page).replace('README.md', 'index.md').replace('.md', '.html') for page in PAGES]
    modules = [path.relative_to(ROOT).with_suffix('') for path in (ROOT / 'iboot_mm').rglob('*.py')
               if '.mim' not in path.parts]
    places += [f'reference/{module}.html'.replace('__init__', 'index') for module in modules]
    assert len(places) > 250 and not [place for place in places if not (site / place).is_file()]


def test_every_link_leads_somewhere(site, pages):
    anchors = {path: set(re.findall(r'\bid="?([^">\s]+)', text)) for path, text in pages.items()}
    missing, seen = set(), 0
    for path, text in pages.items():
        for link in set(re.findall(r'\b(?:href|src)="?([^">\s]+)', text)):
            if re.match(r'https?:|mailto:|data:', link):
                continue
            target, _, anchor = unquote(link).partition('#')
            place = (path.parent / target).resolve() if target else path
            seen += 1
            if not place.is_file() or (anchor and place in anchors and anchor not in anchors[place]):
                missing.add((str(path.relative_to(site)), link))
    assert seen > 10_000 and not missing


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_a_page_has_the_same_lists_and_examples_as_on_a_forge(site, page):
    """Python-Markdown wants a blank line before a list, and four blanks before an example in one; CommonMark less."""
    renderer = pytest.importorskip('markdown_it').MarkdownIt('commonmark').enable('table')
    built = (site / name(page).replace('README.md', 'index.md').replace('.md', '.html')).read_text()
    article = re.search(r'<article.*?</article>', built, re.S)[0]
    for tag in ('li', 'pre', 'table', 'tr', 'h2', 'h3', 'img', 'strong', 'em'):
        wanted, found = (len(re.findall(rf'<{tag}[ >]', text)) for text in (renderer.render(page.read_text()), article))
        assert (tag, found) == (tag, wanted)


def test_nothing_is_fetched_from_elsewhere(pages):
    loads = re.compile(r'<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)="?https?:[^>]*>')
    assert not {found for text in pages.values() for found in loads.findall(text)}


def test_docstrings_are_rendered(site):
    page = (site / 'reference/iboot_mm/models/pretrainers/iboot.html').read_text()
    text = re.sub(r'<[^>]+>', '', page)
    assert 'Config of the video encoder.' in text and 'feature_dim' in text
    assert ':class:' not in text and 'Args:' not in text
    assert re.search(r'<a [^>]*href="\.\./modules/projectors\.html#iboot_mm\.models\.modules\.projectors\.MLP"', page)


def test_a_link_to_a_file_shows_it(site):
    page = (site / 'configs/iboot_r50_clip_k400.py.html').read_text()
    assert 'lars_b416_200e.py' in page and 'href="../configs/iboot_r50_clip_k400.py.html"' in (
        site / 'docs/recipe.html').read_text()


@pytest.mark.skipif(CHROME is None, reason='no browser')
def test_the_search_finds_a_page_without_a_server(site):
    done = subprocess.run(
        [CHROME, '--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=20000', '--dump-dom',
         f'file://{site}/index.html?q=interrupted'], capture_output=True, text=True, timeout=120)
    found = re.findall(r'<a href="([^"]+)" class="md-search-result__link"', done.stdout)
    assert found and re.search(r'/docs/(?:recipe|runs)\.html', found[0]), found
