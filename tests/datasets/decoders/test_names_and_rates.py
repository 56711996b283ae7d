"""What a path may look like, what a text may be called, and how many frames a second there are."""

import os

import numpy as np
import pytest

from iboot_mm.datasets.decoders import UnreadableVideo, open_video
from tests.datasets.decoders.differential import DECODERS
from tests.datasets.decoders.structures import PYRAMID, video
from tests.videos import moving_frames, write_video

TIMES = np.cumsum(np.random.default_rng(0).uniform(.01, .2, 20))


@pytest.mark.parametrize('decoder', [*DECODERS, 'frame_cache'])
@pytest.mark.parametrize('name', ['12:30.mp4', 'pipe:0.mp4', 'http:a.mp4', 'concat:a|b.mp4', 'a%03d.mp4', '-i.mp4',
                                  'file:a.mp4', ' .mp4', 'ä€.mp4', "a'b\"c.mp4"])
def test_a_name_is_a_name(name, decoder, tmp_path, monkeypatch):
    """FFmpeg takes what stands before a colon for a protocol."""
    monkeypatch.chdir(tmp_path)
    os.rename(write_video('whole.mp4', moving_frames(12), codec_options=dict(bf='0')), name)
    with open_video(name, decoder) as reader:
        assert reader.num_frames == 12 and reader.read([3, 11]).shape == (2, 48, 64, 3)
        assert getattr(reader, 'stand_in', None) is None


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('text', ['ffconcat version 1.0\nfile other.mp4\n', '#EXTM3U\n#EXT-X-TARGETDURATION:9\n'
                                  '#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n', '<html>', 'x' * 5000, '{}', '\n'])
def test_text_that_is_called_a_video_opens_nothing(text, decoder, tmp_path):
    write_video(tmp_path / 'other.mp4', moving_frames(12))
    (tmp_path / 'text.mp4').write_text(text)
    with pytest.raises(UnreadableVideo, match='list of other files|no complete video file'):
        open_video(str(tmp_path / 'text.mp4'), decoder)


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('ending, arguments', [
    ('mp4', dict(codec_options=PYRAMID)), ('mkv', {}), ('webm', dict(codec='libvpx')),
    ('ts', dict(codec_options=PYRAMID)), ('flv', {}), ('nut', {})])
def test_a_variable_rate_is_measured(ending, arguments, decoder, tmp_path):
    for start in (0., 3.):  # a late start is no part of the average
        path = write_video(tmp_path / f'{start}.{ending}', moving_frames(20), times=start + TIMES, **arguments)
        with open_video(path, decoder) as reader:
            assert reader.fps == pytest.approx(19 / (TIMES[-1] - TIMES[0]), rel=2e-3)


@pytest.mark.parametrize('fps', [24000 / 1001, 12, 25, 30000 / 1001, 120])
@pytest.mark.parametrize('ending', ['mp4', 'mkv', 'webm', 'avi', 'ts', 'flv', 'wmv', 'mov'])
def test_a_constant_rate_is_the_header_s_to_the_last_digit(ending, fps, tmp_path):
    """Containers round times, to a millisecond for instance."""
    codec = dict(webm='libvpx', avi='mjpeg', wmv='wmv2').get(ending, 'libx264')
    pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
    path = write_video(tmp_path / f'a.{ending}', moving_frames(40), fps=fps, codec=codec, pix_fmt=pix_fmt)
    with open_video(path) as reader:
        assert reader.fps == pytest.approx(fps, rel=1e-3 if ending in ('wmv', 'flv') else 1e-6)


def test_a_rate_that_a_header_gets_wrong(tmp_path):
    video(tmp_path / 'a.dv', codec='dvvideo', size=(576, 720), count=5, fps=25)
    with open_video(str(tmp_path / 'a.dv')) as reader:
        assert reader.fps == 25
