"""Stored maps in the place of frames: which rows a clip gets, and what does not fit."""

import numpy as np
import pytest
import torch

from iboot_mm.datasets.decoders import UnreadableVideo
from iboot_mm.datasets.tokens import TokenStore
from iboot_mm.datasets.transforms import OpenTokens, PackViews, TakeTokens
from iboot_mm.datasets.transforms.tokens import describe

TEACHER = dict(type='TimmTeacher', model='vit', checkpoint='/here/vit.pth', name='a')
VIEW = dict(size=32, short_side=40, resolution=None, every=1)


@pytest.fixture
def maps(tmp_path):
    """Maps (F, D, h, w) of one video, stored with every second frame."""
    values = torch.arange(6 * 3 * 2 * 2).view(6, 3, 2, 2).float()
    store = TokenStore(tmp_path / 'tokens', describe(TEACHER, **dict(VIEW, every=2)))
    store.put('a/b.mp4', values)
    store.put_unreadable('c.mp4', 'it holds no frame')
    return values


def open_tokens(tmp_path, name='a/b.mp4', **options):
    options = dict(dict(store=str(tmp_path / 'tokens'), root='data', teacher=TEACHER, **dict(VIEW, every=2)), **options)
    return OpenTokens(**options)(dict(filename=f'data/{name}'))


def test_clips_are_rows_of_the_nearest_frames(maps, tmp_path):
    results = open_tokens(tmp_path)
    assert results['total_frames'] == 11
    results['frame_inds'] = np.array([[0, 2, 4], [10, 7, 1]])  # 7 lies between rows 3 and 4, 1 between 0 and 1
    taken = TakeTokens()(results)
    assert 'tokens' not in taken  # nor the open file
    packed = PackViews()(taken)
    assert packed['inputs'].dtype == torch.float16 and packed['data_samples'].img_shape == (2, 2)
    expected = torch.stack([maps[[0, 1, 2]], maps[[5, 4, 1]]])  # (V, T, D, h, w)
    torch.testing.assert_close(packed['inputs'].float(), expected.transpose(1, 2))


def test_the_nearest_of_four():
    tokens = np.arange(3, dtype=np.float16).reshape(3, 1, 1, 1)
    imgs = TakeTokens()(dict(tokens=tokens, every=4, frame_inds=np.arange(9)[None]))['imgs']
    assert imgs.ravel().tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2]


def test_any_number_of_channels_is_packed():
    imgs = np.random.default_rng(0).random((1, 2, 3, 3, 1280)).astype(np.float16)
    inputs = PackViews()(dict(imgs=imgs))['inputs']
    np.testing.assert_array_equal(inputs.numpy(), imgs.transpose(0, 4, 1, 2, 3))


@pytest.mark.parametrize('name, error, words', [
    ('c.mp4', UnreadableVideo, "data/c.mp4 cannot be read: it holds no frame, when '.*tokens' was written"),
    ('d.mp4', ValueError, "'.*tokens' has no token maps of 'd.mp4': write them with tools/data/cache_tokens.py"),
    ('../d.mp4', ValueError, "'data/../d.mp4' does not lie below 'data'")])
def test_videos_without_maps(maps, tmp_path, name, error, words):
    with pytest.raises(error, match=words):
        open_tokens(tmp_path, name)


@pytest.mark.parametrize('options, words', [
    (dict(size=48), 'size is 32 there and 48 here'),
    (dict(every=1), 'every is 2 there and 1 here'),
    (dict(teacher=dict(TEACHER, model='resnet')), "teachers is .*'vit'.* there and .*'resnet'"),
    (dict(teacher=dict(TEACHER, checkpoint='other.pth')), 'checkpoints is'),
    (dict(teacher=dict(TEACHER, mean=(.5, .5, .5))), 'teachers is'),
    (dict(teacher=dict(TEACHER, pretrained='openai')), "teachers is .* and .*'openai'"),
    (dict(teacher=[TEACHER, TEACHER]), 'teachers is')])
def test_maps_of_something_else_are_refused(maps, tmp_path, options, words):
    with pytest.raises(ValueError, match=f'holds token maps of something else: {words}'):
        open_tokens(tmp_path, **options)


def test_what_a_teacher_is_called_and_where_its_file_lies_does_not_matter(maps, tmp_path):
    elsewhere = dict(TEACHER, checkpoint='/there/vit.pth', name='b', chunk_size=2, precision='bf16')
    assert open_tokens(tmp_path, teacher=elsewhere)['total_frames'] == 11


def test_no_store(tmp_path):
    with pytest.raises(FileNotFoundError, match="There are no token maps in '.*tokens': write them with"):
        open_tokens(tmp_path)


@pytest.mark.parametrize('kept', [0, 100, 200])
def test_a_damaged_file_is_named(maps, tmp_path, kept):
    file = tmp_path / 'tokens/videos/a/b.mp4.npy'
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"b.mp4.npy' is damaged or no array \(.*\): remove it and run .*cache_tokens"):
        open_tokens(tmp_path)
