"""Every kind of file that holds no video, or less than it says."""

import multiprocessing
import shutil
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from iboot_mm.datasets.decoders import UnreadableVideo, open_video
from tests.datasets.decoders.test_decoders import B_FRAMES, DECODERS, plain_decode
from tests.videos import cut, moving_frames, write_sound, write_video


@pytest.mark.parametrize('decoder', DECODERS)
def test_no_video_at_all(decoder, tmp_path):
    text = tmp_path / 'text.mp4'
    text.write_text('this is no video\n' * 50)
    empty = tmp_path / 'empty.mp4'
    empty.touch()
    whole = write_video(tmp_path / 'whole.mp4', moving_frames(30))  # its table of contents is at the end
    front = write_video(tmp_path / 'front.mp4', moving_frames(30), format_options=dict(movflags='faststart'))
    cases = {
        str(text): 'FFmpeg finds no complete video file in it',
        str(empty): r'the file is empty \(0 bytes\)',
        str(tmp_path / 'missing.mp4'): 'there is no such file',
        str(tmp_path): 'it is a folder',
        write_sound(tmp_path / 'sound.m4a'): 'it has no video stream',
        cut(whole, tmp_path / 'cut.mp4', .7): 'FFmpeg finds no complete video file in it',
        cut(front, tmp_path / 'stub.mp4', .2): 'no complete frame|no complete video file',
    }
    for path, reason in cases.items():
        with pytest.raises(UnreadableVideo, match=reason) as caught:
            open_video(path, decoder)
        assert caught.value.path == path
        assert str(caught.value).count('\n') == 0


def test_sound_with_a_cover_picture_is_no_video(tmp_path):
    path = str(tmp_path / 'cover.mp3')
    with av.open(path, 'w') as container:
        sound = container.add_stream('mp3', rate=16000)
        cover = container.add_stream('mjpeg', rate=1)
        cover.height, cover.width, cover.pix_fmt = 48, 64, 'yuvj420p'
        cover.disposition = type(cover.disposition).attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(moving_frames(1)[0], format='rgb24')))
        container.mux(cover.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format='fltp', layout='mono')
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
    with pytest.raises(UnreadableVideo, match='it has no video stream'):
        open_video(path)


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('ending, options', [('mp4', dict(movflags='faststart')), ('mkv', {}), ('avi', {})])
def test_cut_file_gives_what_is_left(ending, options, decoder, tmp_path):
    frames = moving_frames(120)
    codec = dict(codec='mpeg4') if ending == 'avi' else dict(codec_options=dict(B_FRAMES, crf='30'))
    path = write_video(tmp_path / f'whole.{ending}', frames, format_options=options, **codec)
    whole = plain_decode(path)
    with open_video(cut(path, tmp_path / f'cut.{ending}', .6), decoder) as reader:
        assert reader.truncated
        assert 30 < reader.num_frames < 100
        some = np.unique(np.linspace(0, reader.num_frames - 1, 9).astype(int))
        found = reader.read(some)
        # All but the last few are in place; behind the cut, frames that others were stored before are gone.
        kept = some < reader.num_frames - 4
        assert np.abs(found[kept].astype(int) - whole[some[kept]]).max() <= 2
        # The very last readable frame is one of the whole video's, not a repeated or gray one.
        distance = np.abs(found[-1].astype(int) - whole).mean((1, 2, 3))
        assert distance.min() < 1 and distance.argmin() >= some[-1]


def test_cut_between_two_frames_is_noticed(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(60), format_options=dict(movflags='faststart'))
    with av.open(path) as container:
        ends = [packet.pos + packet.size for packet in container.demux(video=0) if packet.size]
    (tmp_path / 'b.mp4').write_bytes((tmp_path / 'a.mp4').read_bytes()[:ends[29]])
    with open_video(str(tmp_path / 'b.mp4')) as reader:
        assert reader.truncated and reader.num_frames == 30
    with open_video(path) as reader:
        assert not reader.truncated


@pytest.mark.parametrize('decoder', DECODERS)
def test_a_trimmed_video_is_whole(decoder, tmp_path):
    """Telephones trim by an edit list: the file keeps all frames and says which to show."""
    frames = moving_frames(60)
    content = bytearray(Path(write_video(tmp_path / 'a.mp4', frames, codec_options=B_FRAMES)).read_bytes())
    place = content.find(b'elst') + 4
    version, count, duration, start, rate, _ = struct.unpack('>IIIiHH', content[place:place + 20])
    content[place:place + 20] = struct.pack('>IIIiHH', version, count, duration // 2, start + 20 * 512, rate, 0)
    (tmp_path / 'b.mp4').write_bytes(content)
    with open_video(str(tmp_path / 'b.mp4'), decoder) as reader:
        assert reader.num_frames == 30 and not reader.truncated
        distance = np.abs(reader.read([0, 13, 29]).astype(int)[:, None] - frames[None]).mean((2, 3, 4))
        np.testing.assert_array_equal(distance.argmin(1), [20, 33, 49])


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('ending', ['ts', 'mpg'])
def test_cut_broadcast_file_decodes_as_counted(ending, decoder, tmp_path):
    codec = 'mpeg2video' if ending == 'mpg' else 'libx264'
    path = write_video(tmp_path / f'whole.{ending}', moving_frames(120), codec=codec, codec_options=B_FRAMES)
    whole = plain_decode(path)
    with open_video(cut(path, tmp_path / f'cut.{ending}', .6), decoder) as reader:
        last = reader.read([reader.num_frames - 1])[0]
    distance = np.abs(last.astype(int) - whole).mean((1, 2, 3))
    assert distance.min() < 1 and abs(distance.argmin() - (reader.num_frames - 1)) <= 4


@pytest.mark.parametrize('decoder', DECODERS)
def test_damage_in_the_middle_ends_in_frames_or_in_one_clear_error(decoder, tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(120), codec_options=dict(g='12'))
    content = bytearray(open(path, 'rb').read())
    middle = len(content) // 2
    content[middle:middle + 2000] = bytes(2000)
    open(path, 'wb').write(content)
    with open_video(path, decoder) as reader:
        assert reader.read([0, 5]).shape == (2, 48, 64, 3)  # before the damage
        try:
            assert reader.read(np.arange(0, reader.num_frames, 7)).shape[1:] == (48, 64, 3)
        except UnreadableVideo as error:
            assert 'does not decode' in error.reason


def _read_every_frame(path: str, decoder: str) -> None:
    try:
        with open_video(path, decoder) as reader:
            reader.read(range(reader.num_frames))
    except UnreadableVideo:
        pass


@pytest.mark.parametrize('decoder', DECODERS)
def test_no_cut_hangs_a_worker(decoder, tmp_path):
    """Twelve places to cut at, in a process that is given far longer than it needs."""
    paths = []
    for ending in ('mp4', 'ts'):
        whole = write_video(tmp_path / f'whole.{ending}', moving_frames(40), codec_options=B_FRAMES,
                            format_options=dict(movflags='faststart') if ending == 'mp4' else {})
        paths += [cut(whole, tmp_path / f'{i}.{ending}', i / 7) for i in range(1, 7)]
    with multiprocessing.get_context('fork').Pool(1) as pool:
        jobs = [pool.apply_async(_read_every_frame, (path, decoder)) for path in paths]
        for job in jobs:
            job.get(timeout=60)
    shutil.rmtree(tmp_path)
