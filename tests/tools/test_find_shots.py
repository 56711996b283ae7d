"""The command that finds the shots of a folder: whole lists, counts, resuming, scores and what cannot be done."""

import json
import os
import sys

import av
import pytest

from iboot_mm.datasets import ShotFolder
from iboot_mm.datasets.decoders.pyav import PyAVReader
from iboot_mm.datasets.shots.shots import read_shots, write_shots

from ..scripts import load_tool
from ..shards import write_tar
from ..shots import write_shots_video

pytest.importorskip('scenedetect', reason='the extra shots is not installed')
tool = load_tool('data/find_shots')
SETTINGS = dict(threshold=.1, min_length=1, fps=None)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / 'videos'
    for name, lengths in {'a': (10, 12, 9, 11), 'b/c': (9, 8), 'd': (20, )}.items():
        write_shots_video(root / f'{name}.mp4', *lengths)
    return root


@pytest.fixture
def here(monkeypatch):
    """Jobs run one after the other in this process; returns the names of the videos that were looked at."""
    seen, real = [], tool.look
    monkeypatch.setattr(tool, 'look', lambda root, settings, name: seen.append(name) or real(root, settings, name))
    monkeypatch.setattr(tool, 'run_jobs', lambda function, jobs, workers: map(function, jobs))
    return seen


def starts(out) -> dict[str, list[int]]:
    return {name: entry.get('starts') for name, entry in read_shots(out)[1].items()}


def test_videos_in_shards_are_named_as_the_files_were(root, tmp_path, here):
    entries, _ = tool.find(root, tmp_path / 'files.jsonl', SETTINGS)
    packed = tmp_path / 'packed'
    packed.mkdir()
    for number, names in enumerate((('a', 'd'), ('b/c', ))):
        write_tar(packed / f'{number}.tar', {f'{name}.mp4': (root / f'{name}.mp4').read_bytes() for name in names})
    found, there = tool.find(packed, packed / 'shots.jsonl', SETTINGS)
    assert found == entries and there == 0
    assert sorted(here[3:]) == ['0.tar/a.mp4', '0.tar/d.mp4', '1.tar/b/c.mp4']
    assert tool.find(packed, packed / 'shots.jsonl', SETTINGS)[1] == 3  # known
    assert len(ShotFolder(str(packed), num_shots=2)) == 2


def test_the_command(root, monkeypatch, capsys):
    (root / 'e.mp4').touch()
    write_shots_video(root / 'f.mp4', 9, 9, black=[0, 1])
    truth = root.parent / 'true.jsonl'
    true = {'a.mp4': [0, 10, 22, 33], 'b/c.mp4': [0, 9], 'd.mp4': [0, 10], 'gone.mp4': [0, 10, 20]}
    write_shots(truth, {}, [dict(file=name, frames=99, fps=25, starts=at) for name, at in true.items()])
    arguments = ['find_shots.py', str(root), '--workers', '2', '--truth', str(truth)]
    monkeypatch.setattr(sys, 'argv', arguments)
    tool.main()
    out, said = root / 'shots.jsonl', capsys.readouterr().out
    assert starts(out) == {'a.mp4': [0, 10, 22, 31], 'b/c.mp4': [0, 9], 'd.mp4': [0], 'e.mp4': None, 'f.mp4': [0]}
    assert f'Unreadable video: {root / "e.mp4"}: the file is empty (0 bytes)\n' in said
    assert (f'{out}: 5 videos, 7 shots and 1 black ones; of 4 shots or more: 1, of 2 or 3: 1, of one: 1, wholly black: '
            '1, unreadable: 1; known before: 0\n') in said
    assert '3 videos: precision 0.7500 (3 of 4 cuts found), recall 0.6000 (of 5 true ones), tolerance 0 frames' in said
    monkeypatch.setattr(sys, 'argv', [*arguments, '--tolerance', '2'])
    tool.main()
    said = capsys.readouterr().out
    assert 'known before: 4\n' in said and 'precision 1.0000 (4 of 4 cuts found), recall 0.8000' in said
    assert len(ShotFolder(str(root), num_shots=2)) == 2  # finds the list below its root
    assert sorted(path.name for path in root.iterdir()) == ['a.mp4', 'b', 'd.mp4', 'e.mp4', 'f.mp4', 'shots.jsonl']


def test_a_stopped_run_goes_on(root, here, monkeypatch):
    out, real = root / 'lists' / 'shots.jsonl', tool.look  # a folder that is not there yet

    def stop(folder, settings, name):
        if len(here) == 2:
            raise KeyboardInterrupt
        return real(folder, settings, name)

    monkeypatch.setattr(tool, 'look', stop)
    with pytest.raises(KeyboardInterrupt):
        tool.find(root, out, SETTINGS)
    log = out.with_name('shots.jsonl.partial')
    assert here == ['a.mp4', 'b/c.mp4'] and not out.exists() and len(log.read_text().splitlines()) == 3
    with open(log, 'a') as lines:
        lines.write('{"file": "d.mp4", "fra')  # cut off in the middle of a line
    monkeypatch.setattr(tool, 'look', real)
    entries, there = tool.find(root, out, SETTINGS)
    assert here == ['a.mp4', 'b/c.mp4', 'd.mp4'] and there == 2 and not log.exists()
    assert starts(out) == {'a.mp4': [0, 10, 22, 31], 'b/c.mp4': [0, 9], 'd.mp4': [0]}


def test_only_what_is_new_or_changed_is_looked_at(root, here):
    out = root / 'shots.jsonl'
    (root / 'e.mp4').touch()
    tool.find(root, out, SETTINGS)
    here.clear()
    tool.find(root, out, SETTINGS)
    assert here == ['e.mp4']  # could not be read
    here.clear()
    write_shots_video(root / 'e.mp4', 8, 8)
    write_shots_video(root / 'd.mp4', 11, 8)
    write_shots_video(root / 'new.mp4', 8, 9)
    os.remove(root / 'a.mp4')
    _, there = tool.find(root, out, SETTINGS)
    assert here == ['d.mp4', 'e.mp4', 'new.mp4'] and there == 1
    assert starts(out) == {'b/c.mp4': [0, 9], 'd.mp4': [0, 11], 'e.mp4': [0, 8], 'new.mp4': [0, 8]}


def test_files_that_FFmpeg_gives_up_are_listed(root, here, monkeypatch):
    from iboot_mm.datasets.shots import detection as shot_detection
    (root / 'a.mp4').unlink()
    (root / 'a.mp4').symlink_to(root / 'gone.mp4')
    monkeypatch.setattr(shot_detection, 'PyAVReader', lambda path: path.endswith('d.mp4') and av.error.err_check(-22)
                        or PyAVReader(path))
    (root / 'shots.jsonl.partial').touch()  # stopped before its first line
    tool.find(root, root / 'shots.jsonl', SETTINGS)
    entries = read_shots(root / 'shots.jsonl')[1]
    assert [entry.get('error') for entry in entries.values()] == ['there is no such file', None, 'Invalid argument']


def test_what_cannot_be_done(root, here, tmp_path, monkeypatch):
    out = root / 'shots.jsonl'
    with pytest.raises(FileNotFoundError, match='There is no folder'):
        tool.find(tmp_path / 'none', out, SETTINGS)
    for settings in (dict(threshold=0), dict(threshold=1.1), dict(min_length=0), dict(fps=0)):
        with pytest.raises(ValueError, match='--threshold must be in .0, 1., --min-length at least 1 and --fps above'):
            tool.find(root, out, SETTINGS | settings)
    tool.find(root, out, SETTINGS)
    with pytest.raises(ValueError, match=r"shots.jsonl' was made with .*'threshold': 0.1.*, not .*0.3.*: name another"):
        tool.find(root, out, SETTINGS | dict(threshold=.3))
    write_shots_video(tmp_path / 'others' / 'x.mp4', 9)
    content = out.read_bytes()
    with pytest.raises(ValueError, match="shots.jsonl' is of other videos, 'a.mp4' for example, none of "):
        tool.find(tmp_path / 'others', out, SETTINGS)
    assert out.read_bytes() == content
    with pytest.raises(IsADirectoryError, match="--out '.*videos' is a folder: name a file, such as"):
        tool.find(root, root, SETTINGS)
    write_shots(tmp_path / 'true.jsonl', {}, [dict(file='other/a.mp4', frames=9, fps=25, starts=[0])])
    with pytest.raises(ValueError, match="'.*true.jsonl' knows none of the videos, whose shots were found"):
        tool.score([json.loads(line) for line in out.read_text().splitlines()[1:]], tmp_path / 'true.jsonl', 0)
    monkeypatch.setitem(sys.modules, 'scenedetect', None)
    monkeypatch.setattr(sys, 'argv', ['find_shots.py', str(root)])
    with pytest.raises(SystemExit, match=r'find_shots: the shots are found by PySceneDetect: pip install -e'):
        tool.main()


def test_stopped_it_says_so_without_a_trace_and_goes_on(root, here, monkeypatch, capsys):
    real = tool.look
    monkeypatch.setattr(sys, 'argv', ['find_shots.py', str(root)])

    def stop_at_the_second(*args):
        if here:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(tool, 'look', stop_at_the_second)
    with pytest.raises(SystemExit, match='Stopped. The same command goes on from here'):
        tool.main()
    assert len(here) == 1 and not (root / 'shots.jsonl').exists()
    monkeypatch.setattr(tool, 'look', real)
    tool.main()
    assert len(here) == 3 and 'known before: 1' in capsys.readouterr().out
