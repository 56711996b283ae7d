"""``iboot-mm configs``: the configs that came with the package."""

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from .places import config_names, find_config, folder

QUOTES = '"""'
MARKS = '#" '  # of the comment or docstring that a config begins with


def configs_command(arguments: Sequence[str]) -> None:
    """``configs list [WORD ...]``, ``configs show NAME`` and ``configs copy NAME [FILE]``."""
    parser = argparse.ArgumentParser(
        prog='iboot-mm configs', description="List, show and copy the package's configs.",
        epilog='for example: iboot-mm configs list k400 clip; iboot-mm configs copy iboot_r50_clip_k400 mine.py')
    commands = parser.add_subparsers(dest='command', metavar='{list,show,copy}', required=True)
    listing = commands.add_parser('list', help='their names, each with what it is')
    listing.add_argument('words', nargs='*', help='only those whose name holds all of these')
    show = commands.add_parser('show', help='the text of one')
    show.add_argument('name')
    show.add_argument('--whole', action='store_true', help='with all that it inherits')
    copy = commands.add_parser('copy', help='one to change: a file of your own, which inherits what that one inherits')
    copy.add_argument('name')
    copy.add_argument('file', nargs='?', type=Path, help='default: the same name, here')
    args = parser.parse_args(arguments)
    if args.command == 'list':
        print('\n'.join(list_configs(args.words)) or f'No config has {" ".join(args.words)} in its name.')
        return
    config = find_config(args.name)
    if config is None:
        parser.error(f'there is no config {args.name}; iboot-mm configs list names them')
    if args.command == 'show':
        print(whole_text(config) if args.whole else config.read_text(), end='')
        return
    file = args.file or Path(config.name)
    if file.is_dir():
        file /= config.name
    try:
        with file.open('x') as opened:  # never over a file of the user's
            opened.write(own_copy(config))
    except FileExistsError:
        parser.error(f'{file} is there already: name another file')
    except OSError as error:
        parser.error(f'{file} cannot be written: {error.strerror}')
    print(f'{file}: train it by  iboot-mm train {file}')


def list_configs(words: Sequence[str] = ()) -> list[str]:
    """A line for each config that has all words in its name: the name, and its first comment."""
    names = [name for name in config_names() if all(word.lower() in name.lower() for word in words)]
    width = max(map(len, names), default=0)
    firsts = ((folder('configs') / f'{name}.py').read_text().partition('\n')[0] for name in names)
    return [f'{name:{width}}  {first.strip(MARKS) if first.startswith(("#", QUOTES)) else ""}'.rstrip()
            for name, first in zip(names, firsts)]


def own_copy(config: Path) -> str:
    """A config's text, which inherits from the package by ``iboot_mm::`` instead of by relative paths."""
    source = config.read_text()
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], 'id', None) == '_base_':
            value = ast.literal_eval(statement.value)
            ours = (_from_package(config, value) if isinstance(value, str)
                    else [_from_package(config, base) for base in value])
            lines = source.splitlines(keepends=True)
            lines[statement.lineno - 1:statement.end_lineno] = [f'_base_ = {ours!r}\n']
            return ''.join(lines)
    return source


def _from_package(config: Path, base: str) -> str:
    """``iboot_mm::name/of/config.py`` of a base that is named relative to a config; others as they are."""
    if '::' in base:
        return base
    return f'iboot_mm::{(config.parent / base).resolve().relative_to(folder("configs").resolve()).as_posix()}'


def whole_text(config: Path) -> str:
    """A config with all that it inherits, as mmengine reads it."""
    import iboot_mm  # noqa: F401, I001  (seconds, so only here; before any config is read)
    from mmengine.config import Config
    try:
        return Config.fromfile(config).pretty_text
    except Exception as error:
        sys.exit(f'{config} cannot be read: {error}')
