"""The commands that a page shows, as a shell would call them, without calling them."""

import os
import re
import subprocess
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from .pages import ROOT, blocks, prose
from .scripts import load_script

PROGRAMS = ('python', 'make', 'pip', 'iboot-mm', 'hf')
INLINE = re.compile(rf'`((?:{"|".join(PROGRAMS)}|tools/\w+\.sh) [^`\n]*)`')
RECORD = '#!/bin/sh\n{ printf "%s\\037" "$NAME" "$@"; echo; } >> "$RECORD"\n'


class Parsed(BaseException):
    """Ends a script as soon as it has read its arguments."""


def commands(page: Path) -> list[list[str]]:
    """Each call of one of the project's programs on ``page``, in examples and in the text, once.

    A shell runs the examples, so that loops, variables and quotes mean what they mean there; the programs are stand-ins
    that write down how they were called.
    """
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / 'calls'
        record.touch()
        launchers = [f'tools/{path.name}' for path in (ROOT / 'tools').glob('*.sh')]
        for name in (*PROGRAMS, '.venv/bin/python', *launchers):
            standin = Path(folder, '' if '/' in name else 'bin', name)
            standin.parent.mkdir(parents=True, exist_ok=True)
            standin.write_text(RECORD.replace('$NAME', name.removeprefix('.venv/bin/')))
            standin.chmod(0o755)
        for script in [*blocks(page, 'bash'), *INLINE.findall(prose(page.read_text()))]:
            subprocess.run(['bash', '-c', script], cwd=folder, capture_output=True, timeout=30, env=dict(
                PATH=f'{folder}/bin:/usr/bin:/bin', RECORD=str(record), HOME=folder))
        calls = [line.split('\037') for line in record.read_text().split('\037\n')[:-1] if line]
    return [list(call) for call in dict.fromkeys(map(tuple, calls))]


def arguments(script: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> Namespace:
    """What ``script``, a path below the root, makes of its command line; ends the test where it refuses it."""
    def parse(parser: ArgumentParser, given: list[str] | None = None, namespace: Namespace | None = None) -> Namespace:
        seen.append(original(parser, words if given is None else given, namespace))
        raise Parsed

    seen: list[Namespace] = []
    original = ArgumentParser.parse_args
    main = load_script(script.removesuffix('.py')).main
    with monkeypatch.context() as patched:
        patched.setattr(ArgumentParser, 'parse_args', parse)
        try:
            main()
        except Parsed:
            return seen[0]
        except SystemExit as error:
            pytest.fail(f'{script} {" ".join(words)}: refused with {error}')
    pytest.fail(f'{script} has read no arguments')


def made(words: list[str]) -> list[str]:
    """The commands that ``make`` would run, without running them."""
    done = subprocess.run(['make', '--dry-run', *words], cwd=ROOT, capture_output=True, text=True,
                          env={key: value for key, value in os.environ.items() if not key.startswith('MAKE')})
    assert done.returncode == 0, done.stderr
    return done.stdout.replace('\\\n', ' ').splitlines()
