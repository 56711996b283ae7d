"""Shots of videos whose cuts are known, and frames that show nothing."""

import av
import numpy as np
import pytest

pytest.importorskip('scenedetect', reason='the extra shots is not installed')

from iboot_mm.datasets import UnreadableVideo  # noqa: E402
from iboot_mm.datasets.shots.detection import ColourHistogramDetector, find_shots  # noqa: E402
from tests.shots import shots_of, write_shots_video  # noqa: E402
from tests.videos import cut, moving_frames, write_video  # noqa: E402


def test_histogram_by_counting():
    frame = moving_frames(1, 12, 10)[0]
    counts = np.zeros((8, 8, 8))
    for pixel in frame.reshape(-1, 3):
        counts[tuple(pixel // 32)] += 1
    np.testing.assert_allclose(ColourHistogramDetector.calculate_histogram(frame), np.sqrt(counts).ravel())


def test_threshold_is_one_less_the_correlation(tmp_path):
    dark = moving_frames(1)
    frames = np.concatenate([dark.repeat(5, 0), (dark * .8).astype(np.uint8).repeat(5, 0)])
    path = write_video(tmp_path / 'a.mkv', frames, codec='ffv1', pix_fmt='bgr0')
    histograms = [ColourHistogramDetector.calculate_histogram(frame) for frame in frames]
    change = 1 - np.corrcoef(histograms[4], histograms[5])[0, 1]
    assert .1 < change < .9
    assert find_shots(path, change - 1e-4)['starts'] == [0, 5]
    assert find_shots(path, change + 1e-4)['starts'] == [0]


@pytest.mark.parametrize('ending, codec, lengths', [
    ('mp4', 'libx264', (10, 12, 9, 11)), ('mkv', 'libx264', (3, 30, 1, 5)), ('webm', 'libvpx-vp9', (7, 8))])
def test_cuts_are_found_where_they_are(tmp_path, ending, codec, lengths):
    path = write_video(tmp_path / f'a.{ending}', shots_of(*lengths), fps=25, codec=codec)
    assert find_shots(path, .1) == dict(frames=sum(lengths), fps=25., starts=[0, *np.cumsum(lengths)[:-1].tolist()])


def test_equal_brightness_is_told_apart_by_colour(tmp_path):
    """Red and green of one luma: PySceneDetect's own detector sees no cut there."""
    red, green = np.zeros((2, 10, 48, 64, 3), np.uint8)
    red[..., 0], green[..., 1] = 196, 100  # .299 R = .587 G
    path = write_video(tmp_path / 'a.mp4', np.concatenate([red, green]), codec_options=dict(crf='4'))
    assert find_shots(path, .1)['starts'] == [0, 10]


def test_one_shot(tmp_path):
    assert find_shots(write_video(tmp_path / 'a.mp4', moving_frames(40)), .1)['starts'] == [0]


def test_black_frames_are_shots_that_show_nothing(tmp_path):
    noise = np.random.default_rng(0).integers(0, 20, (36, 48, 64, 3), dtype=np.uint8)  # not wholly black
    frames = np.maximum(shots_of(10, 6, 8, 12, black=[1, 3]), noise)
    frames[10:16, :2, :10] = 255  # a station's logo
    shots = find_shots(write_video(tmp_path / 'a.mp4', frames), .1)
    assert (shots['starts'], shots['black']) == ([0, 10, 16, 24], [1, 3])
    # A fade: no two frames differ much, but those that can be seen are told from those that cannot.
    fade = (moving_frames(60) * np.linspace(1, 0, 60)[:, None, None, None]).astype(np.uint8)
    shots = find_shots(write_video(tmp_path / 'b.mp4', fade), 1.)
    assert shots['black'] == [1] and len(shots['starts']) == 2 and 45 < shots['starts'][1] < 58
    shots = find_shots(write_video(tmp_path / 'c.mp4', np.zeros((20, 48, 64, 3), np.uint8)), .1)
    assert (shots['starts'], shots['black']) == ([0], [0])


def test_min_length(tmp_path):
    path = write_shots_video(tmp_path / 'a.mp4', 10, 3, 9, 6)
    assert find_shots(path, .1, min_length=4)['starts'] == [0, 10, 22]
    assert find_shots(path, .1, min_length=10)['starts'] == [0, 10, 22]
    assert find_shots(path, .1, min_length=13)['starts'] == [0, 13]


def test_a_clock(tmp_path):
    """At 5 Hz every fifth frame of 25 Hz is looked at, as if the video had no others."""
    path = write_shots_video(tmp_path / 'a.mp4', 10, 12, 9, 11)
    assert find_shots(path, .1, target_fps=5)['starts'] == [0, 10, 25, 35]
    assert find_shots(path, .1, target_fps=5, min_length=3)['starts'] == [0, 25]
    assert find_shots(path, .1, target_fps=100)['starts'] == [0, 10, 22, 31]


def test_frame_numbers_are_those_of_training_or_there_are_none(tmp_path):
    whole = write_video(tmp_path / 'a.mkv', shots_of(40, 40), codec_options=dict(g='5', bf='0'))
    cut_off = find_shots(cut(whole, tmp_path / 'b.mkv', .8), .1)
    assert cut_off['starts'] == [0, 40] and 40 < cut_off['frames'] < 80
    damaged = write_video(tmp_path / 'c.mp4', shots_of(40, 40), codec_options=dict(g='12'))
    with av.open(damaged) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(open(damaged, 'rb').read())
    for position, size in packets[20:24]:
        content[position:position + size] = bytes(size)
    (tmp_path / 'c.mp4').write_bytes(content)
    with pytest.raises(UnreadableVideo, match='of its 80 frames decode'):
        find_shots(damaged, .1)
