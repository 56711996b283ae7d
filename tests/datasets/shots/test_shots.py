"""Shot lists: reading, writing, ticks of a clock and matching, against brute force."""

import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from iboot_mm.datasets.shots.shots import (
    count_matches,
    read_shots,
    run_lengths,
    shot_ticks,
    tick_frames,
    usable_shots,
    write_shots,
)


def test_what_is_written_is_read(tmp_path):
    entries = [dict(file='b/c.mp4', frames=9, fps=25., starts=[0, 4], black=[1]),
               dict(file='a.mp4', error='it is empty')]
    write_shots(tmp_path / 'shots.jsonl', dict(threshold=.1), entries)
    settings, read = read_shots(tmp_path / 'shots.jsonl')
    assert settings == dict(threshold=.1) and read == {entry['file']: entry for entry in entries}
    assert list(read) == ['a.mp4', 'b/c.mp4']
    assert [path.name for path in tmp_path.iterdir()] == ['shots.jsonl']


def test_settings_are_optional(tmp_path):
    line = '{"file": "a/b.mp4", "frames": 240, "fps": 25.0, "starts": [0, 57, 133]}\n'
    (tmp_path / 's.jsonl').write_text(line)
    assert read_shots(tmp_path / 's.jsonl') == ({}, {'a/b.mp4': json.loads(line)})


def test_runs_of_adjoining_shots():
    shots = np.array([[0, 10], [10, 19], [20, 30], [30, 42], [42, 50], [50, 60]])
    assert run_lengths(shots).tolist() == [2, 2, 4, 4, 4, 4]
    assert run_lengths(shots, np.array([0, 0, 1, 1, 2, 2])).tolist() == [2, 2, 2, 2, 2, 2]
    assert run_lengths(shots[:0]).tolist() == []


def test_usable_shots():
    entry = dict(frames=240, starts=[0, 57, 133, 200])
    assert usable_shots(entry).tolist() == [[0, 57], [57, 133], [133, 200], [200, 240]]
    assert usable_shots(dict(entry, black=[0, 2])).tolist() == [[57, 133], [200, 240]]
    none = usable_shots(dict(frames=5, starts=[0], black=[0]))
    assert none.shape == (0, 2) and none.dtype == np.int64


@pytest.mark.parametrize('line', [
    '{"file": "a.mp4", "frames": 9, "fps": 2', '[1]', '"file"', '{"file": "a.mp4", "frames": 9, "fps": 25}',
    '{"file": "a.mp4", "frames": 9, "fps": 25, "starts": []}',
    '{"file": "a.mp4", "frames": 9, "fps": 25, "starts": [1, 4]}',
    '{"file": "a.mp4", "frames": 9, "fps": 25, "starts": [0, 4, 4]}',
    '{"file": "a.mp4", "frames": 9, "fps": 25, "starts": [0, 9]}',
    '{"file": "a.mp4", "frames": 9, "fps": null, "starts": [0]}',
    '{"file": "a.mp4", "frames": 9, "fps": 25, "starts": [0, 4], "black": [2]}', '\udc80\udc81'])
def test_a_bad_line_is_named(line, tmp_path):
    (tmp_path / 's.jsonl').write_text('{"threshold": 0.1}\n' + line + '\n', 'utf-8', 'surrogateescape')
    with pytest.raises(ValueError, match=r"Line 2 of the shot list '.*s.jsonl' names no file .*find_shots.py"):
        read_shots(tmp_path / 's.jsonl')


def test_no_list(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no shot list '.*none.jsonl': write it with tools/data/find_"):
        read_shots(tmp_path / 'none.jsonl')


@pytest.mark.parametrize('fps, clock', [(25., 1.), (30000 / 1001, 1.), (30., 4.), (3., 1.), (1., 3.), (25., 25.)])
def test_ticks_by_counting(fps, clock):
    step = fps / clock
    frames = [int(i * step + 1e-6) for i in range(2000)]  # what each tick shows
    assert tick_frames(np.arange(2000), step).tolist() == frames
    edges = np.array([0, 1, 7, 25, 26, 75, 100, 101])
    first, count = shot_ticks(np.stack([edges[:-1], edges[1:]], 1), step)
    for (start, end), tick, number in zip(zip(edges, edges[1:]), first, count):
        inside = [i for i, frame in enumerate(frames) if start <= frame < end]
        assert number == len(inside) and (not inside or tick == inside[0])


@pytest.mark.parametrize('tolerance', [0, 1, 3])
def test_matches_by_optimal_assignment(tolerance):
    rng = np.random.default_rng(tolerance)
    for _ in range(200):
        found, true = (np.sort(rng.choice(30, rng.integers(0, 12), replace=False)) for _ in range(2))
        near = np.abs(found[:, None] - true) <= tolerance
        assert count_matches(found, true, tolerance) == near[linear_sum_assignment(near, maximize=True)].sum()
