"""The input benchmark compares like with like and its table says what it measured."""

import re
import runpy
import sys
from pathlib import Path

import av
import input as benchmark
import numpy as np
import plain_decoding
import pytest
import torch

from iboot_mm.datasets.decoders import open_video
from iboot_mm.datasets.decoders.packets import index_packets
from tests.benchmarks.printed import is_ratio
from tests.videos import moving_frames, write_video

SCRIPT = Path(benchmark.__file__)
TINY = ('--made dense_light --seconds 3 --height 48 --size 32 --samples 2 --repeats 1 --batch 2 --load 4 --device cpu '
        '--workers 0 1')


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> str:
    return str(plain_decoding.make_video(tmp_path_factory.mktemp('video'), 'dense_heavy', 3., 48))


def test_plain_decoding_gives_our_frames(video):
    numbers, index = np.array([3, 4, 25, 26, 80]), index_packets(video)
    with open_video(video, 'pyav') as reader:
        frames = reader.read(numbers)
    assert frames.shape == (5, 48, 62, 3)
    for name, plain in plain_decoding.libraries(video).items():
        found = plain(video, numbers, index) if name == 'pyav' else plain(video, numbers)
        np.testing.assert_array_equal(found, frames, err_msg=name)


def test_plain_decoding_counts_where_no_times_are_stored(tmp_path):
    path = write_video(tmp_path / 'a.avi', moving_frames(30), codec_options=dict(bf='2'))
    numbers, index = np.array([1, 4, 17]), index_packets(path)
    with open_video(path) as reader:
        np.testing.assert_array_equal(plain_decoding.plain_pyav(path, numbers, index), reader.read(numbers))
    assert index.pts is None


def test_made_videos_are_what_their_names_say(tmp_path):
    paths = {name: plain_decoding.make_video(tmp_path, name, 3., 48) for name in plain_decoding.KINDS}
    keyframes = {name: len(index_packets(str(path)).keyframes) for name, path in paths.items()}
    assert keyframes['sparse_light'] == keyframes['sparse_heavy'] == 1
    with av.open(str(paths['xvid'])) as avi, av.open(str(paths['vp9'])) as webm:
        context = avi.streams[0].codec_context
        assert context.codec_tag == 'XVID' and context.has_b_frames
        assert webm.streams[0].codec_context.codec.name == 'vp9'
    assert keyframes['dense_light'] >= 8 <= keyframes['dense_heavy']
    for group in ('sparse', 'dense'):
        assert paths[f'{group}_heavy'].stat().st_size > 1.5 * paths[f'{group}_light'].stat().st_size


def test_colours_change_and_shapes_stay():
    torch.manual_seed(0)
    clips = torch.randint(256, (3, 3, 2, 32, 32), dtype=torch.uint8)
    changed = benchmark.colours_by_torchvision(clips)
    assert changed.shape == clips.shape and changed.dtype == torch.uint8 and not torch.equal(changed, clips)


def test_tables(monkeypatch, capsys, video):
    monkeypatch.setattr(torch, 'set_num_threads', lambda count: None)
    monkeypatch.setattr(sys, 'argv', [SCRIPT.name, *TINY.split(), '--folder', str(Path(video).parent)])
    runpy.run_path(str(SCRIPT), run_name='__main__')
    printed = capsys.readouterr().out
    names = re.findall(r'^\| (\w+)\.mp4, \d+ KiB ', printed, re.M)
    assert names == ['dense_light', 'dense_heavy']
    lines = re.findall(r'^\| (floor|ours|MMAction2)([^|]*) \| +(\S+) \| +(\S+) \| +(\S+) \|$', printed, re.M)
    libraries = list(plain_decoding.libraries(video))
    assert len(lines) == 2 * (len(libraries) + 2 * len({*libraries, 'opencv'}) + 2 * ('decord' in libraries))
    for kind, _, milliseconds, ratio, rate in lines:
        assert is_ratio(rate, '1000', milliseconds)
        assert float(ratio) >= (1 if kind.startswith('floor') else 0)
    workers = re.findall(r'^\| ([01]) +\| +(\S+) \| +(\S+) \| +(\S+) \|$', printed, re.M)
    assert [row[0] for row in workers] == ['0', '1'] and workers[0][2] == '-'
    assert 1 < float(workers[1][2]) < 2000 and all(float(row[1]) > 0 < float(row[3]) for row in workers)


def test_folder_without_videos(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(torch, 'set_num_threads', lambda count: None)
    monkeypatch.setattr(sys, 'argv', [SCRIPT.name, '--made', '--workers', '--folder', str(tmp_path)])
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT), run_name='__main__')
    assert f'{tmp_path} holds no .mp4, .mkv, .webm or .avi file' in capsys.readouterr().err
