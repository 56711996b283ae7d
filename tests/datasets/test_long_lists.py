"""A list of columns is the list of lines, however long."""

import copy
import json
import os
import pickle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from iboot_mm.datasets import ShotFolder, VideoFolder, long_lists
from iboot_mm.datasets.list_file import ListFile
from iboot_mm.datasets.listing import VIDEO_EXTENSIONS
from iboot_mm.datasets.long_lists import list_table
from iboot_mm.datasets.shots import columns
from iboot_mm.engine.hooks.class_count import count_classes
from iboot_mm.stores.tables import cache_folder


@pytest.fixture(autouse=True)
def every_list_is_long(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(long_lists, 'LONG', 0)
    monkeypatch.setattr(long_lists, '_BLOCK', 200)  # bytes: several blocks in each list
    monkeypatch.setattr(long_lists, '_ROWS', 7)


def write(path: Path, lines: list[str], end: str = '\n') -> str:
    path.write_text(end.join(lines), encoding='utf-8')
    return str(path)


def as_lines(ann_file: str, names: tuple[str, ...] | None) -> list | str:
    """What `ListFile` reads, or its complaint."""
    try:
        return list(ListFile(ann_file, names, VIDEO_EXTENSIONS))
    except ValueError as error:
        return str(error)


def as_columns(ann_file: str, names: tuple[str, ...] | None) -> list | str:
    """The same from the table."""
    try:
        rows = list_table(ListFile(ann_file, names, VIDEO_EXTENSIONS)).table.to_pylist()
    except ValueError as error:
        return str(error)
    return [(row.pop('file'), {name.removeprefix('label:'): value for name, value in row.items()}) for row in rows]


PIECES = ['a', 'B.mp4', '/', ' ', '.', '.MP4', '.avi', '7', '12', 'é', '\u3000', ',', '"', '\t', ';', '|', ':', '#',
          '# ', '\r', '', '-', '_', '٣', "'", '../', '\x1f']


@pytest.mark.parametrize('seed', range(60))
def test_columns_are_what_lines_say(tmp_path, seed):
    """Random lists: plain ones with a few odd lines, in two forms of labels and both ends of lines."""
    rng = np.random.default_rng(seed)
    names = (None, ('label', ), ('digit', 'motion'))[seed % 3]
    lines = [f'folder {i}/v{i}.mp4' + ''.join(f' {rng.integers(1000)}' for _ in names or [0] * (seed % 2))
             for i in range(40)]
    for place in rng.integers(40, size=seed % 4):
        pieces = ''.join(rng.choice(PIECES, size=4))
        lines[place] = [pieces + lines[place], lines[place] + pieces, pieces + '.mp4 3', pieces][rng.integers(4)]
    ann_file = write(tmp_path / 'list.txt', lines, ['\n', '\r\n'][int(rng.integers(5) == 0)])
    assert as_columns(ann_file, names) == as_lines(ann_file, names)


def test_plain_lists_take_the_fast_way(tmp_path, monkeypatch):
    """Or the test above compares nothing."""
    ann_file = write(tmp_path / 'list.txt', [f'a é {i}.mp4 {i}' for i in range(100)])
    monkeypatch.setattr(long_lists, '_parts', None)
    assert len(as_columns(ann_file, None)) == 100


@pytest.fixture
def lists(tmp_path) -> tuple[str, str]:
    """Root and list of 100 videos, of which the files are there."""
    root = tmp_path / 'videos'
    root.mkdir()
    for i in range(100):
        (root / f'{i}.mp4').touch()
    return str(root), write(tmp_path / 'list.txt', [f'{i}.mp4 {(i * 7) % 10}' for i in range(100)])


def short(root: str, ann_file: str, monkeypatch, **options) -> VideoFolder:
    with monkeypatch.context() as patch:
        patch.setattr(long_lists, 'LONG', 2**24)
        return VideoFolder(root, ann_file, **options)


def infos(dataset) -> list[dict]:
    return [dataset.get_data_info(i) for i in range(len(dataset))]


@pytest.mark.parametrize('indices', [None, 10, -10, [5, 3, 99]])
def test_a_data_set_of_a_long_list_is_that_of_a_short_one(lists, monkeypatch, indices):
    one, other = VideoFolder(*lists, indices=indices), short(*lists, monkeypatch, indices=indices)
    assert not one.serialize_data and other.serialize_data
    assert infos(one) == infos(other) and one.get_data_info(-1) == other.get_data_info(-1)
    assert list(one.load_data_list()) == list(other.load_data_list())
    assert count_classes(one) == count_classes(other)
    np.testing.assert_array_equal(one.label_column('label'), other.label_column('label'))
    assert one.label_column('none') is None is other.label_column('none')
    assert infos(one.get_subset([2, 0])) == infos(other.get_subset([2, 0]))
    assert infos(one.get_subset(2)) == infos(other.get_subset(2))
    for copied in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert infos(copied) == infos(other)
    one.get_subset_([2, 0])
    other.get_subset_([2, 0])
    assert infos(one) == infos(other)


def test_other_processes_get_the_name_of_the_file(tmp_path):
    """Not the list: under 5 kB for 50,000 lines."""
    (tmp_path / '0.mp4').touch()
    ann_file = write(tmp_path / 'list.txt', [f'{i}.mp4 {i}' for i in range(50_000)])
    dataset = VideoFolder(str(tmp_path), ann_file)
    assert len(pickle.dumps(dataset)) < 5000
    dataset.pipeline = lambda info: info['labels']['label']
    loader = DataLoader(dataset, batch_size=None, sampler=[0, 49_999, 7], num_workers=1)
    assert list(loader) == [0, 49_999, 7]


def test_the_file_follows_the_list(lists):
    root, ann_file = lists
    VideoFolder(root, ann_file)
    cached, = cache_folder().glob('*.arrow')
    first = cached.stat().st_mtime_ns
    assert infos(VideoFolder(root, ann_file))[1]['labels'] == dict(label=7) and cached.stat().st_mtime_ns == first
    write(Path(ann_file), ['5.mp4 1', '6.mp4 2'])
    assert len(VideoFolder(root, ann_file)) == 2
    assert len(list(cache_folder().glob('*.arrow'))) == 1 and not list(cache_folder().glob('*.part'))
    write(Path(ann_file), ['5.mp4 1', '7.mp4 2'])  # of the same size
    os.utime(ann_file, (0, 0))
    assert infos(VideoFolder(root, ann_file))[1]['filename'] == f'{root}/7.mp4'


def test_without_a_cache_a_list_is_in_memory(lists, tmp_path, monkeypatch, capfd):
    (tmp_path / 'cache').touch()  # no folder, for root either
    assert len(VideoFolder(*lists)) == 100
    assert 'each process keeps a copy' in ''.join(capfd.readouterr())


def test_a_list_of_another_folder_is_refused(lists, tmp_path):
    with pytest.raises(FileNotFoundError, match='None of the files of .* exists, for example'):
        VideoFolder(str(tmp_path / 'cache'), lists[1])


def _length(arguments: tuple[str, str]) -> int:
    return len(VideoFolder(*arguments))


def test_processes_that_start_at_once(lists):
    with get_context('fork').Pool(6) as pool:
        assert pool.map(_length, [lists] * 12, chunksize=1) == [100] * 12
    assert len(list(cache_folder().glob('*.arrow'))) == 1 and not list(cache_folder().glob('*.part'))


def shot_list(path: Path, plain: bool) -> str:
    """Entries of every fate, for 100 videos and some others."""
    rng = np.random.default_rng(0)
    lines = [json.dumps(dict(threshold=.1, fps=None))]
    for i in rng.permutation(110):
        starts = sorted({0, *rng.integers(1, 99, rng.integers(0, 6)).tolist()})
        entry = dict(file=f'{i}.mp4', size=5, frames=100, fps=float(rng.choice([0, 24, 30])), starts=starts)
        black = np.flatnonzero(rng.random(len(starts)) < .3).tolist()
        if i % 7 == 0:
            entry = dict(file=f'{i}.mp4', size=0, error='it is cut off')
        elif black:
            entry['black'] = black
        lines.append(json.dumps(entry))
    lines[1:1] = [json.dumps(dict(file=f'{i}.mp4', frames=9, fps=24., starts=[0])) for i in range(20)]  # named again
    if not plain:
        lines.append(json.dumps(dict(file='x.mp4', error='it is cut off', frames='?')))  # of an error, no more is asked
    return write(path, lines[:-9 if plain else None] + [''])


@pytest.mark.parametrize('plain', [True, False])
@pytest.mark.parametrize('limits', [dict(), dict(num_shots=1, min_length=1), dict(num_shots=3, min_length=20),
                                    dict(num_shots=2, min_length=2, target_fps=4.)])
def test_shots_of_a_long_list_are_those_of_a_short_one(lists, tmp_path, monkeypatch, capfd, limits, plain):
    """And the log says the same of those that are dropped."""
    shots = shot_list(tmp_path / 'shots.jsonl', plain)
    said, found = [], []
    for is_long in (True, False):
        with monkeypatch.context() as patch:
            patch.setattr(long_lists, 'LONG', 0 if is_long else 2**24)
            patch.setattr(columns, '_BLOCK', 500)
            dataset = ShotFolder(lists[0], shots, ann_file=lists[1], **limits)
        found.append([info | dict(shots=info['shots'].tolist()) for info in infos(dataset)])
        log = ''.join(capfd.readouterr()).splitlines()
        said.append([line.partition(' INFO - ')[2] for line in log if 'dropped:' in line])
    assert found[0] == found[1] and said[0] == said[1] and said[0] and found[0]
    assert ShotFolder(lists[0], shots, ann_file=lists[1], **limits).get_data_info(0)['shots'].dtype == np.int32


@pytest.mark.parametrize('line', [
    '{"file": "1.mp4", "frames": 10, "fps": 24, "starts": [1]}',
    '{"file": "1.mp4", "frames": 10, "fps": 24, "starts": []}',
    '{"file": "1.mp4", "frames": 10, "fps": 24, "starts": [0, 10]}', '{"file": "1.mp4", "frames": 10, "starts": [0]}',
    '{"file": "1.mp4", "frames": 10, "fps": 24, "starts": [0, 5, 4]}', '{"file": "1.mp4"',
    '{"file": "1.mp4", "frames": 10, "fps": 24, "starts": [0, 5], "black": [2]}'])
def test_a_bad_line_of_shots_is_named(lists, tmp_path, line):
    with open(shot_list(tmp_path / 'shots.jsonl', True), 'a') as file:
        file.write(line)
    with pytest.raises(ValueError, match="Line 123 of the shot list '.*shots.jsonl' names no file"):
        ShotFolder(lists[0], str(tmp_path / 'shots.jsonl'), ann_file=lists[1])
