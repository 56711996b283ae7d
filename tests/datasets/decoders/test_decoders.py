"""Decoders agree frame by frame with a plain decoding loop and with what was written."""

import importlib.util
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from iboot_mm.datasets.decoders import UnreadableVideo, VideoReader, get_decoder, open_video, register_decoder
from iboot_mm.datasets.decoders.pyav import PyAVReader
from tests.videos import moving_frames, write_video

DECODERS = [name for name, library in dict(decord='decord', pyav='av', opencv='cv2').items()
            if importlib.util.find_spec(library)]
B_FRAMES = dict(g='12', bf='3')
GAPS = np.random.default_rng(1).uniform(.01, .1, 60)
# name: (ending, size (H, W), arguments of write_video)
KINDS = dict(
    one_group=('mp4', (48, 64), {}),
    groups=('mp4', (48, 64), dict(codec_options=B_FRAMES)),
    faststart=('mp4', (48, 64), dict(codec_options=B_FRAMES, format_options=dict(movflags='faststart'))),
    open_groups=('mp4', (48, 64), dict(codec_options={'x264-params': 'keyint=12:open-gop=1:bframes=3'})),
    variable_rate=('mp4', (48, 64), dict(codec_options=B_FRAMES, times=np.cumsum(GAPS))),
    portrait=('mp4', (96, 40), {}),
    odd_444=('mp4', (49, 65), dict(pix_fmt='yuv444p')),
    odd_vp9=('webm', (51, 67), dict(codec='libvpx-vp9', codec_options=dict(deadline='realtime', g='12'))),
    ten_bit=('mp4', (48, 64), dict(pix_fmt='yuv420p10le', codec_options=B_FRAMES)),
    matroska=('mkv', (48, 64), dict(codec_options=B_FRAMES)),
    avi=('avi', (48, 64), dict(codec='mpeg4')),
    mpeg2=('mpg', (48, 64), dict(codec='mpeg2video')),
    transport=('ts', (48, 64), dict(codec_options=B_FRAMES)),
)
if 'libsvtav1' in av.codecs_available:  # newer than decord
    KINDS['av1'] = ('mp4', (64, 80), dict(codec='libsvtav1', codec_options=dict(preset='12', g='12')))


@pytest.fixture(scope='module', params=KINDS)
def video(request, tmp_path_factory) -> tuple[str, str, np.ndarray]:
    """(kind, path, the frames that were written)."""
    ending, (height, width), arguments = KINDS[request.param]
    written = moving_frames(60, height, width)
    path = tmp_path_factory.mktemp('videos') / f'{request.param}.{ending}'
    return request.param, write_video(path, written, **arguments), written


def plain_decode(path: str) -> np.ndarray:
    """All frames, by the plainest loop there is."""
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


@pytest.mark.parametrize('decoder', DECODERS)
def test_frames_are_exact(decoder, video):
    kind, path, written = video
    expected = plain_decode(path)
    with open_video(path, decoder) as reader:
        assert reader.num_frames == len(reader) == 60
        assert not reader.truncated
        wanted = np.array([3, 4, 11, 13, 24, 25, 37, 38, 49, 57])
        for indices in (wanted, wanted[3:5], [0], [reader.num_frames - 1]):  # backwards too
            frames = reader.read(indices)
            assert frames.dtype == np.uint8 and frames.shape == expected[indices].shape
            assert np.abs(frames.astype(int) - expected[indices]).max() <= 2
        # And they are the frames that were written, by place: no other written frame is nearer.
        distance = np.abs(reader.read(wanted).astype(int)[:, None] - written[None]).mean((2, 3, 4))  # (10, 60)
        np.testing.assert_array_equal(distance.argmin(1), wanted)


@pytest.mark.parametrize('decoder', DECODERS)
def test_frame_rate(decoder, tmp_path):
    frames = moving_frames(20)
    with open_video(write_video(tmp_path / 'a.mp4', frames, fps=12), decoder) as reader:
        assert reader.fps == pytest.approx(12)
    times = np.cumsum(GAPS[:20])
    with open_video(write_video(tmp_path / 'b.mp4', frames, times=times), decoder) as reader:
        # The average one, but for how long the last frame stays, which no container of this kind tells.
        assert reader.fps == pytest.approx(19 / (times[-1] - times[0]), rel=.06)


@pytest.mark.parametrize('decoder', DECODERS)
def test_turned_video_is_upright(decoder, tmp_path):
    path = write_video(tmp_path / 'turned.mp4', moving_frames(12), rotation=90)
    # As stored, from the same file: x264 encodes the same frames to other pixels now and then (seen with AVX-512).
    flat = plain_decode(path)
    assert flat.shape == (12, 48, 64, 3)
    with open_video(path, decoder) as reader:
        if decoder != 'pyav':  # decord gets them right only now and then
            assert reader.index.quirk == 'turned picture' and reader.stand_in
        turned = reader.read([0, 7])
    np.testing.assert_allclose(turned, np.rot90(flat[[0, 7]], axes=(1, 2)), atol=2)


@pytest.mark.parametrize('decoder', DECODERS)
def test_one_frame(decoder, tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(1))
    with open_video(path, decoder) as reader:
        assert reader.num_frames == 1
        assert reader.read([0]).shape == (1, 48, 64, 3)


@pytest.mark.parametrize('name', ['car-detection.mp4', 'bottle-detection.mp4'])
def test_real_videos(name, shared):
    path = str(shared / 'data/clips' / name)
    readings = []
    for decoder in DECODERS:
        with open_video(path, decoder) as reader:
            readings.append(reader.read([5, 130, 131, 333]))
            assert reader.num_frames == {'car-detection.mp4': 377, 'bottle-detection.mp4': 1189}[name]
    for reading in readings[1:]:
        assert np.abs(reading.astype(int) - readings[0]).max() <= 2


@pytest.mark.parametrize('decoder', [name for name in DECODERS if name != 'pyav'])
def test_pyav_stands_in_when_a_library_fails(decoder, tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(20), codec_options=B_FRAMES)
    expected = plain_decode(path)

    def fails(*args):
        raise RuntimeError('the library gives up')

    with open_video(path, decoder) as reader:
        assert reader.stand_in is None
        np.testing.assert_array_equal(reader.read([2, 9]), expected[[2, 9]])
        monkeypatch.setattr(reader, '_read', fails)
        np.testing.assert_array_equal(reader.read([3, 15]), expected[[3, 15]])
        assert isinstance(reader.stand_in, PyAVReader)
    monkeypatch.setattr(type(reader), '_open', fails)
    with open_video(path, decoder) as reader:
        np.testing.assert_array_equal(reader.read([4]), expected[[4]])
    monkeypatch.setattr(type(reader), '_open', lambda self: 19)  # counts otherwise
    with open_video(path, decoder) as reader:
        assert isinstance(reader.stand_in, PyAVReader) and reader.num_frames == 20


def test_frames_without_times_are_counted(tmp_path):
    """A bare H.264 stream gives its packets no times."""
    frames = moving_frames(30)
    path = write_video(tmp_path / 'a.h264', frames)
    with open_video(path, 'auto') as reader:
        assert reader.num_frames == 30
        distance = np.abs(reader.read([4, 20]).astype(int)[:, None] - frames[None]).mean((2, 3, 4))
        np.testing.assert_array_equal(distance.argmin(1), [4, 20])


def test_folder_of_frames(tmp_path):
    pictures = moving_frames(12)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f'img_{i}.png')  # img_10 sorts before img_2 as text
    (tmp_path / 'notes.txt').write_text('not a frame')
    with open_video(str(tmp_path), 'frames', fps=12) as reader:
        assert (reader.num_frames, reader.fps) == (12, 12)
        np.testing.assert_array_equal(reader.read([1, 2, 9, 10]), pictures[[1, 2, 9, 10]])
        (tmp_path / 'img_3.png').write_bytes(b'broken')
        with pytest.raises(UnreadableVideo, match='img_3.png'):
            reader.read([3])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UnreadableVideo, match='holds no picture'):
        open_video(str(tmp_path / 'empty'), 'frames')


def test_auto_is_pyav():
    assert get_decoder('auto') is get_decoder('pyav')


def test_unknown_decoder_and_missing_library(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="Unknown decoder 'ffmpeg': choose 'auto' or one of pyav, decord"):
        open_video('a.mp4', 'ffmpeg')
    path = write_video(tmp_path / 'a.mp4', moving_frames(2))
    for decoder, library in dict(decord='decord', pyav='av', opencv='cv2', torchcodec='torchcodec.decoders').items():
        get_decoder(decoder)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, library, None)  # as if not installed
            with pytest.raises(ImportError, match='run `pip install'):
                open_video(path, decoder)


def test_a_decoder_can_be_added():

    class Blank(VideoReader):
        num_frames, fps = 9, 3.

        def read(self, indices):
            return np.zeros((len(indices), 4, 4, 3), np.uint8)

    register_decoder('blank')(lambda path, num_threads=1: Blank())
    with open_video('anything', 'blank') as reader:
        assert reader.read([1, 2]).shape == (2, 4, 4, 3)


def test_torchcodec_without_ffmpeg_says_so(monkeypatch, tmp_path):
    """Version 0.17 is imported without it and looks for it as late as it opens a file."""

    def fails(*args, **options):
        raise RuntimeError('Could not load libtorchcodec. Likely causes: ...')

    module = types.ModuleType('torchcodec.decoders')
    module.VideoDecoder = fails
    monkeypatch.setitem(sys.modules, 'torchcodec.decoders', module)
    path = write_video(tmp_path / 'a.mp4', moving_frames(12))
    with pytest.raises(ImportError, match="finds no shared FFmpeg libraries: install FFmpeg.*or use decoder='pyav'"):
        open_video(path, 'torchcodec')


TORCHCODEC = """
import sys, numpy as np
from iboot_mm.datasets.decoders import open_video
from iboot_mm.datasets.decoders.torchcodec import TorchCodecReader
try:
    open_video(sys.argv[1], 'torchcodec').close()
except ImportError as error:
    assert 'finds no shared FFmpeg libraries' in str(error)
    sys.exit(77)
wanted = [3, 4, 11, 24, 37, 57]
for path in sys.argv[1:]:
    with open_video(path, 'pyav') as a, open_video(path, 'torchcodec') as b:
        assert isinstance(b, TorchCodecReader) and b.num_frames == a.num_frames
        assert (b.stand_in is None) == (not a.index.quirk), path
        np.testing.assert_allclose(b.read(wanted), a.read(wanted), atol=2)
"""


def test_torchcodec(tmp_path):
    """In a process that finds FFmpeg's libraries: the system's, else those that PyAV's wheel brings."""
    pytest.importorskip('torchcodec', exc_type=ImportError)
    bundled = Path(av.__file__).parent.parent / 'av.libs'
    links = tmp_path / 'libraries'
    links.mkdir()
    for library in bundled.glob('lib*.so*'):
        name = re.sub(r'-[0-9a-f]{8}(\.so\.\d+).*', r'\1', library.name)
        os.symlink(library, links / name)
    paths = [write_video(tmp_path / f'{kind}.{KINDS[kind][0]}', moving_frames(60), **KINDS[kind][2])
             for kind in ('one_group', 'groups', 'open_groups', 'variable_rate', 'transport')]
    inherited = os.environ.get('LD_LIBRARY_PATH', '')
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', TORCHCODEC, *paths], capture_output=True, text=True,
                          timeout=120, env={**os.environ, 'LD_LIBRARY_PATH': f'{inherited}:{links}:{bundled}',
                                            'PYTHONPATH': os.pathsep.join(sys.path)})
    if done.returncode == 77:
        pytest.skip('torchcodec finds no FFmpeg libraries')
    assert done.returncode == 0, done.stderr
