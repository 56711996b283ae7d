import errno
import json
import os
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from iboot_mm.datasets import open_video
from iboot_mm.datasets.decoders.packets import index_packets

from ..datasets.decoders.differential import decoded_in_order
from ..datasets.decoders.kinds import kinds
from ..scripts import load_tool
from ..shards import write_tar
from ..videos import cut, moving_frames, write_sound, write_video

tool = load_tool('data/resize_videos')


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / 'in'
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out'


def read_all(path) -> np.ndarray:
    with open_video(str(path), 'pyav') as video:
        return video.read(range(video.num_frames)).astype(int)


def by_pillow(frames: np.ndarray, width: int, height: int) -> np.ndarray:
    """The same resize by another library: (T, height, width, 3)."""
    images = [Image.fromarray(frame.astype(np.uint8)) for frame in frames]
    return np.stack([np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), int) for image in images])


@pytest.mark.parametrize('width, height, short_side, expected', [
    (640, 360, 256, (456, 256)), (360, 640, 256, (256, 456)), (1920, 1080, 320, (568, 320)),
    (641, 479, 320, (428, 320)), (500, 500, 320, (320, 320))])
def test_sizes(width, height, short_side, expected):
    assert tool.fit(width, height, short_side) == expected


@pytest.mark.parametrize('options', [
    dict(codec_options=dict(g='12', bf='3')), dict(fps=30000 / 1001), dict(pix_fmt='yuvj420p'), dict(rotation=90),
    dict(codec='libvpx-vp9', ending='webm', codec_options=dict(deadline='realtime', crf='10', b='0')),
    dict(codec='mpeg4', ending='avi', codec_options=dict(q='2')), dict(pix_fmt='yuv444p', size=(77, 121)),
    dict(codec='png', ending='mov', pix_fmt='rgb24')],
    ids=['b_frames', 'ntsc', 'full_range', 'turned', 'webm', 'avi', 'odd_size', 'rgb'])
def test_frames_times_and_colours_stay(root, out, options):
    ending, size = options.get('ending', 'mp4'), options.get('size', (76, 120))
    given = {name: value for name, value in options.items() if name not in ('ending', 'size')}
    path = write_video(root / f'a.{ending}', moving_frames(25, *size), **given)
    tool.make(root, out, 48, crf=4, workers=1)
    before, after = read_all(path), read_all(out / 'a.mp4')
    assert after.shape[1:3] == ((76, 48) if 'rotation' in options else (48, 76))
    with open_video(path, 'pyav') as old, open_video(str(out / 'a.mp4'), 'pyav') as new:
        assert new.num_frames == old.num_frames == 25 and new.fps == pytest.approx(old.fps, rel=1e-3)
        assert index_packets(str(out / 'a.mp4')).quirk == ('turned picture' if 'rotation' in options else '')
    with av.open(str(out / 'a.mp4')) as container:
        assert next(container.decode(video=0)).colorspace != 0  # RGB: a player would take Y, U and V for colours
    reference = by_pillow(before, *after.shape[2:0:-1])
    grey = [frames @ (.299, .587, .114) for frames in (after, reference)]  # H.264 halves the resolution of colour
    distance = np.abs(grey[0][:, None] - grey[1][None]).mean((2, 3))  # (T, T)
    assert (distance.argmin(1) == np.arange(25)).all()  # every frame is itself, none is doubled or moved
    assert distance.diagonal().max() < 2
    assert np.abs((after - reference).mean((0, 1, 2))).max() < 2  # the colours as a whole


def test_a_variable_frame_rate_stays(root, out):
    times = [0, .05, .1, .4, .45, .5, 1.5, 1.51, 1.52, 2]
    path = write_video(root / 'a.mp4', moving_frames(10, 60, 80), times=times)
    tool.make(root, out, 48, workers=1)
    ticks = []
    for file in (path, out / 'a.mp4'):
        with av.open(str(file)) as container:
            base = container.streams.video[0].time_base
            ticks.append(index_packets(str(file)).pts * float(base))
    np.testing.assert_allclose(ticks[1] - ticks[1][0], times, atol=1e-3)
    np.testing.assert_allclose(ticks[0] - ticks[0][0], times, atol=1e-3)


@pytest.mark.parametrize('kind', [kind for kind in kinds() if str(kind) in (
    'b2_libx264.avi', 'pyramid_libx264.wmv', 'packed_b1_mpeg4.avi', 'packed_b2_mpeg4.avi',
    'dropped_frames_b2_libx264.avi', 'palette_rawvideo.avi', 'palette_changes_rawvideo.avi', 'palette_rawvideo.mov',
    'gray_rawvideo.mov',
    'pyramid_libx264.ts', 'caught_late_libx264.ts', 'b2_mpeg2video.mpg', 'late_behind_sound_libvpx.webm')], ids=str)
def test_frames_of_every_structure_stay_in_order(kind, root, out):
    """Without times of presentation, paletted, gray, cut into on their way: what comes out is what decodes in order."""
    kind.write(root / str(kind))
    truth = np.stack(decoded_in_order(str(root / str(kind))))
    assert tool.make(root, out, 32, crf=10, workers=1)['resized'] == 1
    after = read_all((out / str(kind)).with_suffix('.mp4'))
    assert len(after) == len(truth)
    grey = [frames @ (.299, .587, .114) for frames in (after, by_pillow(truth, *after.shape[2:0:-1]))]
    distance = np.abs(grey[0][:, None] - grey[1][None]).mean((2, 3))  # (T, T)
    assert (distance.argmin(1) == np.arange(len(truth))).all()


def test_what_was_written_is_looked_at(root, out, monkeypatch):
    """Count of frames and pictures: whatever went wrong on the way, the video is listed and no file is left."""
    path = write_video(root / 'a.mp4', moving_frames(12, 64, 64))
    black = write_video(root.parent / 'black.mp4', np.zeros((12, 48, 48, 3), np.uint8))
    real = tool.compare
    monkeypatch.setattr(tool, 'run_jobs', lambda function, jobs, workers: map(function, jobs))
    monkeypatch.setattr(tool, 'compare', lambda source, partial, *rest: real(source, black, *rest))
    assert tool.make(root, out, 48) == dict(there=0, unreadable=1)
    assert (out / 'unreadable.txt').read_text() == f'{path}: frame 0 looks otherwise in the file that was written\n'
    assert not (out / 'a.mp4').exists()


def test_keyframes_are_close_and_the_file_is_h264_without_sound(root, out):
    path = root / 'a.mp4'
    with av.open(str(path), 'w') as container:
        video, sound = container.add_stream('mpeg4', rate=25), container.add_stream('aac', rate=16000)
        video.height, video.width, video.pix_fmt, sound.layout = 64, 64, 'yuv420p', 'mono'
        video.options = dict(g='1')  # keyframes only
        for picture in moving_frames(100, 64, 64):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(video.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format='fltp', layout='mono')
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
    assert tool.make(root, out, 48, workers=1)['resized'] == 1
    with av.open(str(out / 'a.mp4')) as container:
        assert [stream.codec_context.name for stream in container.streams] == ['h264']
    assert len(index_packets(str(path)).keyframes) == 100
    keyframes = index_packets(str(out / 'a.mp4')).keyframes
    assert np.diff([*keyframes, 100]).max() <= 32 and len(keyframes) == 4


def test_small_videos_are_copied_and_the_folders_are_the_same(root, out):
    (root / 'one' / 'two').mkdir(parents=True)
    small = write_video(root / 'one' / 'small.avi', moving_frames(5, 48, 64), codec='mpeg4')
    write_video(root / 'one' / 'two' / 'large file.mov', moving_frames(5, 50, 64))
    counts = tool.make(root, out, 48, workers=1)
    assert counts == dict(resized=1, copied=1, there=0)
    assert (out / 'one' / 'small.avi').read_bytes() == open(small, 'rb').read()
    assert (out / 'one' / 'two' / 'large file.mp4').is_file()
    assert sorted(path.name for path in out.iterdir()) == ['one', 'resized.json', 'unreadable.txt']
    assert not list(out.rglob('*.partial'))


def test_videos_in_shards_become_files(root, out, tmp_path):
    paths = dict(large=write_video(tmp_path / 'l.mp4', moving_frames(5, 60, 80)),
                 small=write_video(tmp_path / 's.mp4', moving_frames(5, 24, 32)))
    write_tar(root / '0.tar', {f'{name}/v.mp4': Path(path).read_bytes() for name, path in paths.items()})
    counts = tool.make(root, out, 32, workers=1)
    assert (counts['resized'], counts['copied'], counts['unreadable']) == (1, 1, 0)
    assert read_all(out / 'large' / 'v.mp4').shape == (5, 32, 42, 3)
    assert (out / 'small' / 'v.mp4').read_bytes() == Path(paths['small']).read_bytes()
    assert tool.make(root, out, 32, workers=1)['there'] == 2


def test_bad_files_are_listed_and_tried_again(root, out):
    whole = write_video(root / 'whole.mp4', moving_frames(60, 64, 64), format_options=dict(movflags='faststart'))
    (root / 'empty.mp4').touch()
    write_sound(root / 'sound.mp4')
    cut(whole, root / 'short.mp4', .7)
    assert tool.make(root, out, 48, workers=1) == dict(there=0, resized=2, unreadable=2)
    listed = (out / 'unreadable.txt').read_text()
    assert f'{root / "empty.mp4"}: the file is empty (0 bytes)\n' in listed
    assert 'sound.mp4: it has no video stream' in listed and not (out / 'sound.mp4').exists()
    with open_video(str(root / 'short.mp4')) as left, open_video(str(out / 'short.mp4')) as kept:
        assert kept.num_frames == left.num_frames < 60 and not kept.truncated
    write_video(root / 'empty.mp4', moving_frames(5, 64, 64))
    assert tool.make(root, out, 48, workers=1)['resized'] == 1
    assert 'empty.mp4' not in (out / 'unreadable.txt').read_text()


def test_a_video_that_loses_frames_is_not_passed_off_as_whole(root, out):
    path = write_video(root / 'a.mp4', moving_frames(60, 64, 64), codec_options=dict(g='12'))
    with av.open(path) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(open(path, 'rb').read())
    for position, size in packets[20:24]:
        content[position:position + size] = bytes(size)
    open(path, 'wb').write(content)
    assert tool.make(root, out, 48, workers=1) == dict(there=0, unreadable=1)
    assert (out / 'unreadable.txt').read_text() == f'{path}: 56 of its 60 frames decode\n'
    assert not (out / 'a.mp4').exists()


def test_a_stopped_run_goes_on_and_leaves_no_half_file(root, out, monkeypatch):
    for i in range(4):
        write_video(root / f'{i}.mp4', moving_frames(10, 64, 64, seed=i))
    real, calls = tool.compare, []

    def stop(source, *rest):
        calls.append(source)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(source, *rest)

    monkeypatch.setattr(tool, 'compare', stop)
    monkeypatch.setattr(tool, 'run_jobs', lambda function, jobs, workers: map(function, jobs))
    with pytest.raises(KeyboardInterrupt):
        tool.make(root, out, 48)
    assert sorted(path.name for path in out.iterdir()) == ['0.mp4', '1.mp4', 'resized.json']
    monkeypatch.setattr(tool, 'compare', real)
    stamp = os.stat(out / '0.mp4').st_mtime_ns
    assert tool.make(root, out, 48) == dict(there=2, resized=2)
    assert os.stat(out / '0.mp4').st_mtime_ns == stamp


def test_a_full_disk_ends_the_run_and_blames_no_video(root, out, monkeypatch):
    write_video(root / 'a.mp4', moving_frames(3, 64, 64))
    monkeypatch.setattr(tool, 'encode', lambda *_: av.error.err_check(-errno.ENOSPC))
    monkeypatch.setattr(tool, 'run_jobs', lambda function, jobs, workers: map(function, jobs))
    with pytest.raises(OSError, match='No space left'):
        tool.make(root, out, 48)
    assert not (out / 'unreadable.txt').exists()


def test_what_cannot_be_done(root, out, tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no video'):
        tool.make(root, out, 48)
    write_video(root / 'a.mp4', moving_frames(3, 64, 64))
    with pytest.raises(ValueError, match='--short-side 47 is none'):
        tool.make(root, out, 47)
    with pytest.raises(ValueError, match="is inside '.*in'"):
        tool.make(root, root / 'small', 48)
    tool.make(root, out, 48, workers=1)
    assert json.loads((out / 'resized.json').read_text())['short_side'] == 48
    with pytest.raises(ValueError, match="'.*out' was made with .*: name another folder"):
        tool.make(root, out, 32)
    write_video(root / 'a.avi', moving_frames(3, 64, 64), codec='mpeg4')
    with pytest.raises(ValueError, match="a.avi' and '.*a.mp4' would become one file"):
        tool.make(root, tmp_path / 'other', 48)


def test_the_command(root, out, monkeypatch, capsys):
    write_video(root / 'a.mp4', moving_frames(3, 64, 64))
    (root / 'b.mp4').touch()
    monkeypatch.setattr(sys, 'argv', ['resize_videos.py', str(root), str(out), '--short-side', '48', '--workers', '2'])
    tool.main()
    said = capsys.readouterr().out
    assert '1 resized (without sound), 0 copied (small enough), 0 were there, 1 unreadable, see' in said
    monkeypatch.setattr(sys, 'argv', ['resize_videos.py', str(root / 'nowhere'), str(out)])
    with pytest.raises(SystemExit, match='resize_videos: There is no folder'):
        tool.main()
