"""OpenVideo, DecodeViews and PackViews."""

import numpy as np
import pytest
import torch

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.decoders import VideoReader, register_decoder
from iboot_mm.datasets.transforms import DecodeViews, OpenVideo, PackViews, SampleViews
from tests.videos import moving_frames, write_video


class Recorder(VideoReader):
    """Frame i is a picture of value i; remembers what was asked."""

    num_frames, fps = 200, 25.

    def __init__(self) -> None:
        self.asked, self.closed = [], False

    def read(self, indices):
        self.asked.append(list(indices))
        return np.stack([np.full((4, 6, 3), i, np.uint8) for i in indices])

    def close(self):
        self.closed = True


def test_the_union_is_decoded_once_and_every_view_finds_its_frames():
    video = Recorder()
    inds = np.array([[9, 3, 3], [4, 9, 100]])
    results = DecodeViews()(dict(video=video, frame_inds=inds, filename='a'))
    assert video.asked == [[3, 4, 9, 100]] and video.closed and 'video' not in results
    np.testing.assert_array_equal(results['frames'][results['frame_positions']][..., 0, 0, 0], inds)
    assert results['original_shape'] == (4, 6)


@pytest.mark.parametrize('fault', [OSError('disk gone'), RuntimeError('no'), ValueError('x'), IndexError('y')])
def test_a_decoders_own_error_becomes_one_kind(fault):
    video = Recorder()

    def read(indices):
        raise fault

    video.read = read
    with pytest.raises(UnreadableVideo, match=str(fault)) as caught:
        DecodeViews()(dict(video=video, frame_inds=np.zeros((1, 1), int), filename='a.mp4'))
    assert caught.value.path == 'a.mp4' and video.closed


def test_open_video(tmp_path):
    path = write_video(tmp_path / 'a.mp4', moving_frames(20), fps=15)
    results = OpenVideo()(dict(filename=path))
    assert (results['total_frames'], results['fps']) == (20, 15)
    results = DecodeViews()(SampleViews(num_views=2, clip_len=3, frame_interval=2)(results))
    distance = np.abs(results['frames'].astype(int)[:, None] - moving_frames(20)[None]).mean((2, 3, 4))
    np.testing.assert_array_equal(distance.argmin(1), np.unique(results['frame_inds']))


def test_open_video_checks_its_decoder_before_any_batch():
    with pytest.raises(ValueError, match="Unknown decoder 'decrod'"):
        OpenVideo(decoder='decrod')


def test_open_video_passes_options_on_and_refuses_an_empty_video():
    given = {}

    class Empty(Recorder):
        num_frames = 0

    @register_decoder('empty')
    def open_empty(path, num_threads=1, **options):
        given.update(path=path, num_threads=num_threads, **options)
        return Empty()

    with pytest.raises(UnreadableVideo, match='holds no frame'):
        OpenVideo('empty', num_threads=3, colour='blue')(dict(filename='b.mp4'))
    assert given == dict(path='b.mp4', num_threads=3, colour='blue')


def test_pack_views():
    imgs = np.random.default_rng(0).integers(0, 256, (2, 5, 8, 9, 3), dtype=np.uint8)
    packed = PackViews()(dict(imgs=imgs, filename='a.mp4', sample_idx=4, view_seeds=[8, 9], role='query',
                              labels=dict(digit=3, motion=1), unreadable=[('b', 'broken')], replaced=True,
                              total_frames=70, fps=25.))
    assert set(packed) == {'inputs', 'data_samples'}
    assert packed['inputs'].dtype == torch.uint8 and packed['inputs'].is_contiguous()
    np.testing.assert_array_equal(packed['inputs'].permute(0, 2, 3, 4, 1), imgs)  # (V, C, T, H, W)
    sample = packed['data_samples']
    assert sample.metainfo == dict(
        filename='a.mp4', sample_idx=4, view_seeds=[8, 9], labels=dict(digit=3, motion=1), role='query',
        unreadable=[('b', 'broken')], replaced=True, img_shape=(8, 9), original_shape=(8, 9), total_frames=70, fps=25.)
    assert 'gt_label' not in sample


@pytest.mark.parametrize('given, labels', [
    ({}, {}), (dict(labels={}), {}), (dict(label=-1), {}), (dict(label=5), dict(label=5)),
    (dict(labels=dict(label=2)), dict(label=2)), (dict(labels=dict(motion=2)), dict(motion=2))])
def test_labels(given, labels):
    sample = PackViews()(dict(imgs=np.zeros((1, 1, 2, 2, 3), np.uint8), **given))['data_samples']
    assert sample.labels == labels
    assert ('gt_label' in sample) == (list(labels) == ['label'])
    if 'gt_label' in sample:
        assert sample.gt_label.tolist() == [labels['label']]


def test_one_of_several_labels_is_the_classifier_s():
    results = dict(imgs=np.zeros((1, 1, 2, 2, 3), np.uint8), labels=dict(digit=3, motion=1), filename='a.mp4')
    sample = PackViews(label='motion')(results)['data_samples']
    assert sample.gt_label.tolist() == [1] and sample.labels == dict(digit=3, motion=1)
    with pytest.raises(ValueError, match=r"'a.mp4' has no label 'colour' but \['digit', 'motion'\]: set label_names"):
        PackViews(label='colour')(results)


def test_role_of_the_transform_wins():
    results = dict(imgs=np.zeros((1, 1, 2, 2, 3), np.uint8), role='query')
    assert PackViews()(results)['data_samples'].role == 'query'
    assert PackViews(role='gallery')(results)['data_samples'].role == 'gallery'
    assert PackViews()(dict(imgs=results['imgs']))['data_samples'].role is None


def test_a_video_of_one_colour_is_named_once(capsys, monkeypatch):
    monkeypatch.setattr(DecodeViews, '_blank', set())

    class Painted(Recorder):
        def __init__(self, frames):
            super().__init__()
            self.frames = frames

        def read(self, indices):
            return self.frames[indices]

    black = np.zeros((3, 40, 40, 3), np.uint8)
    dot, fading = black.copy(), black + np.arange(3, dtype=np.uint8)[:, None, None, None]
    dot[2, 17, 5, 1] = 1
    for name, frames in dict(black=black, again=black, dot=dot, fading=fading).items():
        for _ in range(2):
            DecodeViews()(dict(video=Painted(frames), frame_inds=np.arange(3)[None], filename=f'{name}.mp4'))
    named = [line.split("'")[1] for line in capsys.readouterr().out.splitlines() if 'of one colour' in line]
    assert named == ['black.mp4', 'again.mp4']
