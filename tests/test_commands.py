"""Each command that a page shows is one that its program takes."""

import importlib.util
import re
import shlex

import pytest

from iboot_mm_cli.commands import COMMANDS

from .pages import PAGES, ROOT, name
from .shell import arguments, commands, made

EXTRAS = re.findall(r'(\w+)=(?:requirements|\[)', (ROOT / 'setup.py').read_text())

MAKEFILE = (ROOT / 'Makefile').read_text()


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_commands(page, monkeypatch):
    for program, *words in commands(page):
        check(program, words, monkeypatch)


def check(program: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if program == 'python' and words[0] == '-m':
        assert importlib.util.find_spec(words[1]), words
    elif program == 'python' and words[0].startswith(('tools/', 'benchmarks/')):
        arguments(words[0], words[1:], monkeypatch)
    elif program.startswith('tools/dist_'):
        place = 1 if 'train' in program else 2  # of the number of processes: behind the config, or the checkpoint
        assert re.fullmatch(r'\d+|GPUS', words[place]), words
        arguments(program.replace('dist_', '').replace('.sh', '.py'), words[:place] + words[place + 1:], monkeypatch)
    elif program == 'iboot-mm' and words[0] not in ('configs', 'COMMAND'):
        command = COMMANDS[words[0]]
        place = words.index('--gpus') if command.launcher and '--gpus' in words else len(words)
        arguments(f'tools/{command.script}', words[1:place] + words[place + 2:], monkeypatch)
    elif program == 'make':
        assert not [word for word in words if '=' in word and f'$({word.split("=")[0]})' not in MAKEFILE], words
        for line in made(words):
            if 'tools/quickstart.py' in line:
                arguments('tools/quickstart.py', shlex.split(line.split('tools/quickstart.py')[1]), monkeypatch)
    elif program == 'pip':
        extras = [extra for word in words for group in re.findall(r'^\.\[(.*)\]$', word) for extra in group.split(',')]
        assert set(extras) <= set(EXTRAS), words
