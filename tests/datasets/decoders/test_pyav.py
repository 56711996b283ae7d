"""What PyAV leaves out changes no frame."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from iboot_mm.datasets.decoders import open_video
from iboot_mm.datasets.decoders.pyav import PyAVReader
from tests.datasets.decoders.test_decoders import B_FRAMES, GAPS, KINDS, plain_decode
from tests.videos import cut, moving_frames, write_video


def x264(parameters: str, **others) -> dict:
    return dict(codec_options={'x264-params': parameters}, **others)


SIZE = (48, 64)
# As KINDS, and what leads a decoder that skips into temptation.
MORE_KINDS = dict(
    KINDS,
    pyramid=('mp4', SIZE, x264('keyint=20:bframes=5:b-adapt=0:b-pyramid=normal:ref=4')),
    strict_pyramid=('mkv', SIZE, x264('bframes=7:b-adapt=0:b-pyramid=strict:ref=6')),
    weighted=('mp4', SIZE, x264('keyint=30:bframes=4:weightp=2:weightb=1:direct=temporal')),
    no_b_frames=('mp4', SIZE, dict(codec_options=dict(profile='baseline', g='15'))),
    interlaced=('mp4', (64, 64), x264('keyint=20:bframes=3:interlaced=1:tff=1')),
    intra_refresh=('mp4', SIZE, x264('keyint=12:bframes=3:intra-refresh=1')),
    turned=('mp4', SIZE, dict(codec_options=B_FRAMES, rotation=90)),
    variable_matroska=('mkv', SIZE, dict(codec_options=B_FRAMES, times=np.cumsum(GAPS))),
    mpeg4=('mp4', SIZE, dict(codec='mpeg4', codec_options=dict(g='12', bf='2'))),
    mpeg2_transport=('ts', SIZE, dict(codec='mpeg2video', codec_options=dict(g='12', bf='2'))),
)
if 'libx265' in av.codecs_available:
    HEVC = dict(codec='libx265', codec_options={'x265-params': 'keyint=20:bframes=4:temporal-layers=3:log-level=none'})
    MORE_KINDS.update(hevc=('mp4', (64, 64), HEVC), hevc_transport=('ts', (64, 64), HEVC))


@pytest.fixture(scope='module', params=MORE_KINDS)
def video(request, tmp_path_factory) -> tuple[str, np.ndarray]:
    """(path, all its frames)."""
    ending, (height, width), arguments = MORE_KINDS[request.param]
    path = tmp_path_factory.mktemp('videos') / f'{request.param}.{ending}'
    write_video(path, moving_frames(60, height, width), **arguments)
    frames = plain_decode(str(path))
    return str(path), np.rot90(frames, axes=(1, 2)) if arguments.get('rotation') else frames


@pytest.mark.parametrize('num_threads', [1, 3])
def test_frames_are_those_of_decoding_everything(video, num_threads):
    """Bit for bit: every frame alone, sets of eight, and all of them, one after another from one reader."""
    path, frames = video
    rng = np.random.default_rng(0)
    with PyAVReader(path, num_threads) as reader:
        count = reader.num_frames
        some = [np.unique(rng.integers(0, count, 8)) for _ in range(20)]
        for indices in [*([i] for i in range(count)), *some, range(count)]:
            np.testing.assert_array_equal(reader.read(indices), frames[indices], err_msg=f'{list(indices)}')


def test_frames_of_real_videos(shared):
    for name in ('car-detection.mp4', 'bottle-detection.mp4'):
        path = str(shared / 'data/clips' / name)
        with PyAVReader(path) as reader, av.open(path) as container:
            indices = [5, 18, 40, 41, 77, 130]
            found = reader.read(indices)
            for number, frame in enumerate(container.decode(video=0)):
                if number in indices:
                    picture = frame.to_ndarray(format='rgb24')
                    np.testing.assert_array_equal(found[indices.index(number)], picture)
                if number == indices[-1]:
                    break


@pytest.mark.parametrize('ending, options', [('mp4', dict(movflags='faststart')), ('mkv', {}), ('ts', {})])
def test_frames_of_a_cut_file(ending, options, tmp_path):
    path = write_video(tmp_path / f'whole.{ending}', moving_frames(120), codec_options=dict(B_FRAMES, crf='30'),
                       format_options=options)
    path = cut(path, tmp_path / f'cut.{ending}', .6)
    with PyAVReader(path) as reader:
        times = reader.index.pts.tolist()
        expected = {frame.pts: frame.to_ndarray(format='rgb24') for frame in reader.frames()}
        for number in range(reader.num_frames):
            np.testing.assert_array_equal(reader.read([number])[0], expected[times[number]])


def decoded(reader: PyAVReader, indices: list[int], monkeypatch) -> tuple[int, int]:
    """How many packets went in, and how many of them under leave to be skipped."""
    packets = []
    output = reader._output
    monkeypatch.setattr(reader, '_output', lambda context, packet: packets.append(
        (packet is not None, context.skip_frame)) or output(context, packet))
    reader.read(indices)
    return sum(real for real, _ in packets), sum(real and skip == 'NONREF' for real, skip in packets)


def test_nothing_is_decoded_behind_the_last_wanted_frame(tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(60), codec_options=dict(g='60', bf='0'))
    assert decoded(PyAVReader(path), [0, 20], monkeypatch) == (21, 19)
    groups = write_video(tmp_path / 'b.mp4', moving_frames(60), codec_options=dict(g='20', bf='0'))
    assert decoded(PyAVReader(groups), [3, 21, 55], monkeypatch) == (4 + 2 + 16, 3 + 1 + 15)


def test_no_frame_is_skipped_where_the_codec_s_mark_is_not_strict(tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(30), codec='mpeg2video', codec_options=dict(bf='2'))
    assert decoded(PyAVReader(path), [20], monkeypatch)[1] == 0


def test_a_reader_opens_its_file_once(tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(60), codec_options=B_FRAMES)
    opened = []
    monkeypatch.setattr(av, 'open', lambda *args, original=av.open: opened.append(args) or original(*args))
    with PyAVReader(path) as reader:
        for indices in ([0, 59], [13], [0]):
            reader.read(indices)
    assert opened == [(path,)]


@pytest.mark.skipif(not Path('/proc/self/task').exists(), reason='counts threads as Linux shows them')
def test_one_thread_means_one(tmp_path):
    """Neither decoding nor converting starts another: the data workers fill the cores."""
    path = write_video(tmp_path / 'a.mp4', moving_frames(20, 256, 340))
    before = len(list(Path('/proc/self/task').iterdir()))
    with PyAVReader(path) as reader:
        reader.read([3, 19])
        assert len(list(Path('/proc/self/task').iterdir())) == before


def test_a_seek_that_overshoots_costs_time_only(tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(60), codec_options=B_FRAMES)
    expected = plain_decode(path)
    reader = PyAVReader(path)
    right = reader.index.keyframes.copy()
    late = right.copy()
    late[1:-1] = right[2:]  # sends every seek one group too far
    monkeypatch.setattr(reader, '_decode', lambda start, *wanted, original=reader._decode: original(
        int(late[list(right).index(start)]), *wanted))
    wanted = [5, 14, 30, 59]
    np.testing.assert_array_equal(reader.read(wanted), expected[wanted])


def test_one_seek_per_group(tmp_path, monkeypatch):
    reader = PyAVReader(write_video(tmp_path / 'a.mp4', moving_frames(60), codec_options=B_FRAMES))
    np.testing.assert_array_equal(reader.index.keyframes, [0, 12, 24, 36, 48])
    starts = []
    monkeypatch.setattr(reader, '_decode', lambda start, *wanted, original=reader._decode: (
        starts.append(start) or original(start, *wanted)))
    reader.read([1, 13, 14, 23, 50, 59])
    assert starts == [0, 12, 48]


def test_frames_of_one_size_from_a_stream_that_changes_it(tmp_path):
    frames = moving_frames(10, 48, 64)
    parts = [write_video(tmp_path / 'large.h264', frames), write_video(tmp_path / 'small.h264', frames[:, :24, :32])]
    (tmp_path / 'both.h264').write_bytes(b''.join(Path(part).read_bytes() for part in parts))
    with open_video(str(tmp_path / 'both.h264'), 'pyav') as reader:
        assert reader.num_frames == 20
        found = reader.read([4, 14])
    scaled = np.asarray(Image.fromarray(frames[4, :24, :32]).resize((64, 48), Image.Resampling.BICUBIC))
    assert found.shape == (2, 48, 64, 3)
    assert np.abs(found[0].astype(int) - frames[4]).mean() < 10  # what coding and subsampled colour cost
    assert np.abs(found[1].astype(int) - scaled).mean() < 10
