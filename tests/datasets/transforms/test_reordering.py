import numpy as np
import pytest

from iboot_mm.datasets.transforms import CropViews, PackViews, ReorderFrames
from iboot_mm.datasets.transforms.reordering import frame_order
from tests.videos import moving_frames


def views(count: int = 2, clip_len: int = 8) -> np.ndarray:
    return moving_frames(count * clip_len, 6, 6).reshape(count, clip_len, 6, 6, 3)


def test_all_views_of_an_order_then_those_of_the_next():
    imgs = views()
    results = ReorderFrames()(dict(imgs=imgs, view_seeds=[11, 12]))
    assert results['imgs'].shape == (8, 8, 6, 6, 3) and results['view_seeds'] == [11, 12] * 4
    forward, backward, shuffled, frozen = results['imgs'].reshape(4, 2, 8, 6, 6, 3)
    np.testing.assert_array_equal(forward, imgs)
    np.testing.assert_array_equal(backward, imgs[:, ::-1])
    np.testing.assert_array_equal(frozen, np.repeat(imgs[:, 4:5], 8, axis=1))
    for view, seed in enumerate((11, 12)):
        np.testing.assert_array_equal(shuffled[view], imgs[view][frame_order('shuffled', 8, seed)])


def test_shuffling_is_a_uniform_permutation_and_a_function_of_the_seed():
    orders = np.array([frame_order('shuffled', 3, seed) for seed in range(3000)])
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(3), (3000, 1)))
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6 and ((counts > 420) & (counts < 580)).all()  # 500 each, within 4 standard deviations
    np.testing.assert_array_equal(frame_order('shuffled', 9, 5), frame_order('shuffled', 9, 5))


def test_it_stands_between_crop_and_pack():
    frames = moving_frames(8, 20, 24)
    results = dict(frames=frames, frame_positions=np.arange(8)[None], view_seeds=[3], filename='a.mp4')
    for transform in (CropViews(size=16, short_side=20, test_mode=True), ReorderFrames(('reversed', 'forward')),
                      PackViews()):
        results = transform(results)
    assert results['inputs'].shape == (2, 3, 8, 16, 16)
    assert (results['inputs'][0].flip(1) == results['inputs'][1]).all()
    assert results['data_samples'].view_seeds == [3, 3]


@pytest.mark.parametrize('orders', [('forward', 'sideways'), ()])
def test_unknown_orders(orders):
    with pytest.raises(ValueError, match='orders are some of forward, reversed, shuffled, frozen'):
        ReorderFrames(orders)
