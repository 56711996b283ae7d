"""The command: which tool gets which arguments, and what a wrong line is told."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from iboot_mm_cli import command_line as cli
from iboot_mm_cli import main
from iboot_mm_cli.commands import COMMANDS, overview, short_help
from iboot_mm_cli.places import config_names, find_config, folder

ROOT = Path(__file__).resolve().parents[2]


def say(capsys, *arguments):
    """Exit status and output of a command line."""
    status = 0
    try:
        main(arguments)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    captured = capsys.readouterr()
    return status, captured.out + captured.err


@pytest.fixture
def tool(monkeypatch):
    """Instead of a tool's main, what it would be called with is noted: (script, command line)."""
    noted, build = [], cli.module_from_spec

    def stand_in(spec):
        module = build(spec)
        spec.loader.exec_module = lambda module: setattr(
            module, 'main', lambda: noted.append((Path(spec.origin).relative_to(folder('tools')).as_posix(),
                                                  list(sys.argv))))
        return module
    monkeypatch.setattr(cli, 'module_from_spec', stand_in)
    monkeypatch.setattr(sys, 'argv', list(sys.argv))
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(sys, 'modules', dict(sys.modules))
    return noted


def test_help_imports_nothing_heavy():
    """Whatever is asked for: torch takes seconds."""
    code = ('import sys; from iboot_mm_cli import main; sys.argv[1:] or sys.exit(9)\n'
            'try: main()\nfinally: assert not {"torch", "mmengine", "iboot_mm", "numpy"} & set(sys.modules)')
    for line in (['--help'], ['evaluate', '--help'], ['--version'], ['configs', 'list', 'mini']):
        done = subprocess.run([sys.executable, '-c', code, *line], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout, done.stderr


def test_every_command_is_in_the_overview_and_fits_a_screen(capsys):
    assert say(capsys) == say(capsys, '--help') == say(capsys, '-h') == (0, overview() + '\n')
    assert len(overview().splitlines()) <= 30 and max(map(len, overview().splitlines())) <= 100
    assert all(re.search(rf'^  {name} ', overview(), re.M) for name in [*COMMANDS, 'configs'])


@pytest.mark.parametrize('name', COMMANDS)
def test_short_help_has_an_example_whose_options_the_tool_knows(capsys, name, monkeypatch):
    command = COMMANDS[name]
    status, said = say(capsys, name, '--help')
    assert status == 0 and said == short_help(name) + '\n' and f'  iboot-mm {name} ' in said
    assert len(said.splitlines()) <= 12 and all(line.startswith(f'{name} ') for line in command.examples)
    monkeypatch.setattr(sys, 'argv', list(sys.argv))
    monkeypatch.setattr(sys, 'path', list(sys.path))
    for taken in ('test', Path(command.script).stem):  # a module of Python's, too
        monkeypatch.delitem(sys.modules, taken, raising=False)
    status, whole = say(capsys, name, '--help-all')
    assert status == 0 and f'usage: iboot-mm {name} ' in whole
    options = set(re.findall(r'(?<!\S)\[?(--[\w-]+)', ' '.join((command.usage, *command.examples))))
    assert options - ({'--gpus'} if command.launcher else set()) <= set(re.findall(r'--[\w-]+', whole))


@pytest.mark.parametrize('line, words', [
    (['trian', 'x'], 'no command trian; did you mean train?'),
    (['zzzzz'], 'no command zzzzz; see iboot-mm --help'),
    (['train', 'no_such_config', '--gpus', '2'], 'no config no_such_config'),
    (['train', '--gpus'], '--gpus wants a number'),
    (['train', '--gpus', '2', '--resume', 'x'], 'the line begins with CONFIG'),
    (['train', '--gpus', '2'], 'the line begins with CONFIG'),
    (['train', 'iboot_r50_clip_k400', '--gpus', '0'], 'N is a number of processes'),
    (['test', 'iboot_r50_clip_k400', '--gpus=2'], 'the line begins with CONFIG CHECKPOINT'),
    (['configs', 'show', 'nothing'], 'no config nothing'),
    (['configs', 'copy', 'iboot_r50_clip_k400', '/no/folder/x.py'], '/no/folder/x.py cannot be written'),
])
def test_a_wrong_line_is_told_in_a_sentence(capsys, line, words):
    status, said = say(capsys, *line)
    assert status == 2 and words in said and 'Traceback' not in said


def test_a_tool_gets_its_arguments_and_a_name_of_the_packages_configs_is_its_file(tool, tmp_path, monkeypatch):
    file = str(folder('configs') / 'iboot_r50_clip_k400.py')
    for name in ('iboot_r50_clip_k400', 'iboot_r50_clip_k400.py', 'iboot_mm::iboot_r50_clip_k400.py', file):
        main(['train', name, '--work-dir', 'run'])
        assert tool.pop() == ('train.py', ['iboot-mm train', file, '--work-dir', 'run'])
    main(['train', 'iboot_r50_clip_k400', '--work-dir', 'iboot_r50_clip_k400'])  # a folder, yet to be made
    assert tool.pop() == ('train.py', ['iboot-mm train', file, '--work-dir', 'iboot_r50_clip_k400'])
    monkeypatch.chdir(tmp_path)
    Path('iboot_r50_clip_k400.py').touch()  # one's own comes first
    main(['dry-run', 'iboot_r50_clip_k400.py'])
    assert tool.pop() == ('analysis/dry_run.py', ['iboot-mm dry-run', 'iboot_r50_clip_k400.py'])
    main(['evaluate', 'iboot_r50_clip_k400', '--out', 'x'])  # a checkpoint by that name, should there be one
    assert tool.pop() == ('evaluate.py', ['iboot-mm evaluate', 'iboot_r50_clip_k400', '--out', 'x'])


def test_export_goes_by_what_is_to_be_written(tool):
    main(['export', 'run', 'network.onnx'])
    main(['export', 'run.onnx', 'folder'])
    assert [script for script, _ in tool] == ['convert/export_onnx.py', 'convert/export_hub.py']


@pytest.mark.parametrize('line, launched', [
    (['train', 'iboot_r50_clip_k400', '--gpus', '8', '--resume'], ['dist_train.sh', 0, '8', '--resume']),
    (['train', 'iboot_r50_clip_k400', '--work-dir', 'x', '--gpus=8'], ['dist_train.sh', 0, '8', '--work-dir', 'x']),
    (['test', 'iboot_r50_clip_k400', 'x.pth', '--gpus', '2', '--dump', 'y'],
     ['dist_test.sh', 0, 'x.pth', '2', '--dump', 'y']),
])
def test_several_gpus_are_the_launchers(monkeypatch, line, launched):
    class Launched(Exception):
        pass

    def launch(program, arguments):
        raise Launched(arguments)
    monkeypatch.setattr(cli.os, 'execvp', launch)
    with pytest.raises(Launched) as call:
        main(line)
    script, *rest = launched
    config = str(folder('configs') / 'iboot_r50_clip_k400.py')
    assert call.value.args[0] == ['bash', str(folder('tools') / script), *(config if r == 0 else r for r in rest)]


def test_configs_are_listed_with_what_they_are(capsys):
    status, said = say(capsys, 'configs', 'list', 'table1', 'clip')
    assert status == 0 and said.startswith('ablations/table1_clip  Table 1: CLIP ViT-B/16 as the teacher')
    assert len(said.splitlines()) == 1
    lines = say(capsys, 'configs', 'list')[1].splitlines()
    assert len(lines) == len(config_names()) > 200 and not any('_base_' in line.split()[0] for line in lines)
    assert all(len(line.split()) > 1 for line in lines), [line for line in lines if len(line.split()) == 1]
    assert 'No config has zzz' in say(capsys, 'configs', 'list', 'zzz')[1]


def test_a_shown_config_is_the_file_or_all_of_it(capsys):
    file = folder('configs') / 'ablations/table1_clip.py'
    assert say(capsys, 'configs', 'show', 'ablations/table1_clip') == (0, file.read_text())
    whole = say(capsys, 'configs', 'show', 'ablations/table1_clip', '--whole')[1]
    assert '_base_' not in whole and "type='IBoot'" in whole


def without_scopes(config):
    """A config without what mmengine notes on the origin of a base that is named by ``::``."""
    if isinstance(config, dict):
        return {key: without_scopes(value) for key, value in config.items() if key != '_scope_'}
    return [without_scopes(value) for value in config] if isinstance(config, list) else config


def test_a_copy_anywhere_says_the_same_as_the_config(tmp_path, capsys, monkeypatch):
    """Each config of the package: one base or several, above, beside or below it."""
    monkeypatch.chdir(tmp_path)
    for name in config_names()[::7]:
        copy = tmp_path / 'mine.py'
        assert say(capsys, 'configs', 'copy', name, 'mine.py') == (
            0, 'mine.py: train it by  iboot-mm train mine.py\n')
        assert without_scopes(Config.fromfile(copy).to_dict()) == Config.fromfile(find_config(name)).to_dict(), name
        copy.unlink()
    copy.write_text('mine')
    status, said = say(capsys, 'configs', 'copy', 'iboot_r50_clip_k400', 'mine.py')
    assert status == 2 and 'mine.py is there already' in said and copy.read_text() == 'mine'


def test_the_end_of_a_pipe_is_no_error():
    done = subprocess.run(f'"{sys.executable}" -m iboot_mm_cli configs list | head -1', shell=True, cwd=ROOT, text=True,
                          capture_output=True)
    assert done.stderr == '' and done.stdout.startswith('ablations/')
