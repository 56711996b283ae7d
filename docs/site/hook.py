"""Builds the site from the checkout's own pages, at their own paths, so that a link is right on the forge and here.

Every page (README.md, docs/, model_cards/, ...) keeps its place below the root. A link to a file that is no page leads
to a page that shows the file, a link to a folder to a list of its files, and one into the package to its API reference,
which is written here from the docstrings: one page a module.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = 'iboot_mm'
PAGES = ('README.md', 'CONTRIBUTING.md', 'docs/*.md', 'model_cards/*.md', 'benchmarks/**/*.md', 'configs/*/README.md',
         'tools/*/README.md')
MEDIA = ('docs/site/*.css', 'docs/site/*.js', 'docs/*.svg', 'docs/*.png', 'model_cards/*.svg', 'model_cards/*.png')
LANGUAGES = {'.py': 'python', '.sh': 'bash', '.yml': 'yaml', '.cff': 'yaml', '.toml': 'toml', '': 'make'}
LINK = re.compile(r'(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)')


def uris(patterns: tuple[str, ...]) -> list[str]:
    """Paths below the root that fit one of the patterns."""
    return [path.relative_to(ROOT).as_posix() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def modules() -> list[str]:
    """Every module of the package, as a path: ``iboot_mm/models`` for a folder, ``iboot_mm/version`` for a file."""
    paths = [path.relative_to(ROOT).with_suffix('') for path in sorted((ROOT / PACKAGE).rglob('*.py'))]
    return [(path.parent if path.name == '__init__' else path).as_posix() for path in paths if '.mim' not in path.parts]


def reference(module: str) -> str:
    """Place of a module's page."""
    folder = (ROOT / module).is_dir()
    return f'reference/{module}/README.md' if folder else f'reference/{module}.md'


def documented(module: str) -> str:
    """The page of a module; that of a folder has what its ``__init__.py`` writes itself, and a list of its modules."""
    name = module.replace('/', '.')
    page = f'::: {name}\n'
    if not (ROOT / module).is_dir():
        return page
    inside = [child for child in modules() if posixpath.dirname(child) == module]
    rows = [f'| [{posixpath.basename(child)}]({posixpath.relpath(reference(child), f"reference/{module}")}) '
            f'| {summary(child)} |' for child in inside]
    return (f'{page}    options:\n      members: {own_members(module)}\n\n'
            + '\n'.join(['| module | what |', '|---|---|', *rows]) + '\n')


def source(module: str) -> ast.Module:
    """The parsed text of a module."""
    path = ROOT / module
    return ast.parse((path / '__init__.py' if path.is_dir() else path.with_suffix('.py')).read_text(encoding='utf-8'))


def summary(module: str) -> str:
    """The first sentence of a module's docstring, without roles."""
    text = (ast.get_docstring(source(module)) or '').split('\n\n')[0].replace('\n', ' ').replace('|', '\\|')
    return re.sub(r':\w+:`~?([^`]*)`', r'`\1`', text)


def own_members(module: str) -> list[str]:
    """What a folder's ``__init__.py`` defines; at the top of the package also the functions that it hands on."""
    names = []
    for node in source(module).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif module == PACKAGE and isinstance(node, ast.ImportFrom) and node.module not in (None, 'version'):
            names += [alias.name for alias in node.names]
    return names


def shown(target: str) -> str:
    """Place of the page that shows a file or a folder that is no page itself."""
    if target.split('/')[0] == PACKAGE:
        return reference(target.removesuffix('.py'))
    if (ROOT / target).is_dir():
        return f'{target}/README.md'
    return f'{target}.md'


def links(page: str) -> set[str]:
    """What a page links to, as paths below the root."""
    text = (ROOT / page).read_text(encoding='utf-8')
    return {posixpath.normpath(posixpath.join(posixpath.dirname(page), link)) for link in LINK.findall(text)}


def content(target: str) -> str:
    """The page of a file or a folder."""
    path = ROOT / target
    if path.is_dir():
        names = sorted(child.name for child in path.iterdir() if child.is_file() and not child.name.startswith('.'))
        return f'# {target}\n\n' + ''.join(f'- [{name}]({name})\n' for name in names)
    text = path.read_text(encoding='utf-8')
    fence = '`' * 4
    return f'# {target}\n\n{fence}{LANGUAGES.get(path.suffix, "text")}\n{text}\n{fence}\n'


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Writes what changes with the files into the navigation: the model cards and the reference."""
    for section in config.nav:
        for title, entries in section.items():
            if 'model_cards/*' in entries:
                at = entries.index('model_cards/*')
                cards = sorted(uris(('model_cards/*.md', )), key=lambda uri: (not uri.endswith('README.md'), uri))
                section[title] = [*entries[:at], *cards, *entries[at + 1:]]
    config.nav.append({'Reference': tree(modules())[PACKAGE]})
    return config


def tree(paths: list[str]) -> dict[str, list]:
    """The modules as a nested navigation: rooms, and in them their files."""
    found: dict[str, list] = {}
    for path in paths:
        if (ROOT / path).is_dir():
            found[path] = [reference(path)]
        parent = found.get(posixpath.dirname(path))
        if parent is not None:
            parent.append({posixpath.basename(path): found.get(path, reference(path))})
    return found


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The site's files: the theme's, the checkout's pages, and what these link to."""
    for file in list(files.documentation_pages()) + list(files.media_files()):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    pages = uris(PAGES)
    for uri in (*pages, *uris(MEDIA)):
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / uri)))
    for module in modules():
        files.append(File.generated(config, reference(module), content=documented(module)))
    wanted = {target for page in pages for target in links(page)}
    wanted |= {child.relative_to(ROOT).as_posix() for target in wanted if (ROOT / target).is_dir()
               and target.split('/')[0] != PACKAGE for child in (ROOT / target).iterdir() if child.is_file()}
    for target in sorted(wanted):
        if (ROOT / target).exists() and files.get_file_from_path(target) is None and \
                files.get_file_from_path(shown(target)) is None:
            files.append(File.generated(config, shown(target), content=content(target)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links to what is no page to the page that shows it."""
    here = posixpath.dirname(page.file.src_uri)
    if here == 'docs' or page.file.src_uri in ('README.md', 'CONTRIBUTING.md'):
        page.meta.setdefault('search', {})['boost'] = 4  # before a hundred modules and configs that name the same

    def follow(link: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(here, link[1]))
        if files.get_file_from_path(target) is None and files.get_file_from_path(shown(target)) is not None:
            return posixpath.relpath(shown(target), here)
        return link[1]

    return LINK.sub(follow, markdown)
