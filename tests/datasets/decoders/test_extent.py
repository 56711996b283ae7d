"""Files that were cut off, and files that only look like it."""

from pathlib import Path

import pytest

from iboot_mm.datasets.decoders import UnreadableVideo, open_video
from tests.datasets.decoders.structures import PYRAMID, with_sound
from tests.videos import cut, moving_frames, write_video

FILES = {
    'mp4': dict(codec_options=PYRAMID, format_options=dict(movflags='faststart')),
    'mov': dict(codec_options=PYRAMID, format_options=dict(movflags='faststart')),
    'fragments.mp4': dict(codec_options=PYRAMID, format_options=dict(movflags='frag_keyframe+empty_moov')),
    'mkv': dict(codec_options=PYRAMID), 'webm': dict(codec='libvpx', codec_options=dict(deadline='realtime')),
    'avi': dict(codec='mpeg4', codec_options=dict(bf='2')), 'ts': dict(codec_options=PYRAMID),
    'm2ts': dict(codec_options=PYRAMID), 'flv': dict(codec_options=PYRAMID), 'wmv': dict(codec='wmv2')}


@pytest.mark.parametrize('ending', FILES)
def test_wherever_a_file_was_cut_it_is_noticed(ending, tmp_path):
    path = write_video(tmp_path / f'whole.{ending}', moving_frames(60), **FILES[ending])
    with open_video(path) as reader:
        assert reader.num_frames == 60 and not reader.truncated
    for share in (.305, .505, .705, .905, .975):
        try:
            with open_video(cut(path, tmp_path / f'cut.{ending}', share)) as reader:
                # AVI and ASF have an index behind their frames, which may be all that is missing.
                assert reader.truncated or reader.num_frames == 60, share
        except UnreadableVideo as error:
            assert 'no complete' in error.reason


@pytest.mark.parametrize('ending', ['mkv', 'webm', 'mp4'])
def test_a_cut_is_noticed_where_sound_is_longer(ending, tmp_path):
    codecs = ('libvpx', 'libopus') if ending == 'webm' else ('libx264', 'aac')
    with_sound(tmp_path / f'a.{ending}', *codecs, video_start=0., seconds=5.)
    content = (tmp_path / f'a.{ending}').read_bytes()
    with open_video(str(tmp_path / f'a.{ending}')) as reader:
        assert not reader.truncated
    (tmp_path / f'b.{ending}').write_bytes(content[:len(content) // 2])
    try:
        with open_video(str(tmp_path / f'b.{ending}')) as reader:
            assert reader.truncated
    except UnreadableVideo as error:
        assert 'no complete video file' in error.reason


@pytest.mark.parametrize('ending', FILES)
@pytest.mark.parametrize('tail', [bytes(500), b'<html>' * 99, bytes(range(1, 256)) * 2], ids=['zeros', 'text', 'bytes'])
def test_what_somebody_appended_cuts_nothing_off(ending, tail, tmp_path):
    path = Path(write_video(tmp_path / f'a.{ending}', moving_frames(12), **FILES[ending]))
    path.write_bytes(path.read_bytes() + tail)
    with open_video(str(path)) as reader:
        assert reader.num_frames == 12 and not reader.truncated
