"""CropViews against Pillow, torchvision and MMAction2's own transforms."""

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms.v2 import functional as tv

from iboot_mm.datasets.transforms import CropViews
from iboot_mm.datasets.transforms.cropping import Crop, area_box, cut_out, random_corner, rescale, scaled_size
from tests.videos import moving_frames


def crop(transform: CropViews, frames: np.ndarray, seeds: list[int], clip_len: int = 2) -> np.ndarray:
    """imgs (V, T, size, size, 3) of views that all show the first frames."""
    positions = np.tile(np.arange(clip_len), (len(seeds), 1))
    return transform(dict(frames=frames, frame_positions=positions, view_seeds=seeds))['imgs']


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


@pytest.mark.parametrize('height, width', [(256, 340), (120, 90), (51, 67), (500, 301)])
@pytest.mark.parametrize('side', [64, 71, 90, 300])
def test_crop_is_pillow_s_resized_frame(height, width, side):
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)  # noise: the hardest case
    share = side / min(height, width)
    whole = resize(frame, int(width * share + .5), int(height * share + .5))
    for place in [(0., 0.), (.5, .5), (.999, .999), (.3, .8)]:
        left, top = int(place[0] * (whole.shape[1] - 63)), int(place[1] * (whole.shape[0] - 63))
        expected = whole[top:top + 64, left:left + 64]
        scaled = scaled_size(height, width, side)
        found = cut_out(frame, Crop((0, 0, width, height), scaled, random_corner(scaled, 64, place)), 64)
        assert np.abs(found.astype(int) - expected).max() <= (1 if share >= 1 else 2)


def test_plain_resize_takes_the_whole_frame_to_one_shape_before_a_random_square():
    frame = np.random.default_rng(0).integers(0, 256, (240, 400, 3), dtype=np.uint8)
    whole = resize(frame, 320, 256).astype(int)
    step = CropViews(size=224, resize=(320, 256), flip_prob=0.)
    results = step(dict(frames=frame[None], frame_positions=np.zeros((60, 1), int), view_seeds=list(range(60))))
    corners = np.array([crop.corner for crop, _ in results['crops']])
    for (left, top), view in zip(corners, results['imgs'][:, 0].astype(int)):
        assert np.abs(view - whole[top:top + 224, left:left + 224]).max() <= 2
    assert corners.min() >= 0 and corners[:, 0].max() <= 96 and corners[:, 1].max() <= 32
    assert np.ptp(corners, axis=0).tolist() > [80, 25]
    for options in (dict(resize=(200, 256)), dict(resize=(320, 256), area=(.5, 1.))):
        with pytest.raises(ValueError, match='CropViews: resize is a width and a height of at least size=224'):
            CropViews(size=224, **options)


@pytest.mark.parametrize('height, width', [(40, 60), (100, 90), (90, 50), (50, 90), (64, 64)])
def test_box_is_torchvision_s_resized_crop(height, width):
    frame = np.random.default_rng(0).integers(0, 256, (120, 100, 3), dtype=np.uint8)
    expected = tv.resized_crop(torch.from_numpy(frame).permute(2, 0, 1), 7, 5, height, width, [64, 64], antialias=True)
    found = rescale(frame[7:7 + height, 5:5 + width], 64, 64)
    assert np.abs(found.astype(int) - expected.permute(1, 2, 0).numpy()).max() <= 1


@pytest.mark.parametrize('workers', [0, 1])
def test_workers_do_not_start_threads_of_opencv(workers):
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    frames = np.random.default_rng(0).integers(0, 256, (1, 256, 340, 3), dtype=np.uint8)
    try:
        cv2.resize(frames[0], (2000, 2000))  # starts them, in this process
        loader = DataLoader(_Crops(frames), batch_size=None, num_workers=workers, timeout=60 * workers)
        imgs, threads = next(iter(loader))
    finally:
        cv2.setNumThreads(before)
    assert threads == (1 if workers else 2)
    np.testing.assert_array_equal(imgs, crop(CropViews(size=224), frames, [3], 1))


class _Crops(torch.utils.data.Dataset):

    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return crop(CropViews(size=224), self.frames, [3], 1), cv2.getNumThreads()


def test_one_draw_per_view_and_all_its_frames_alike():
    picture = moving_frames(1, 80, 100)[0]
    frames = np.stack([picture, picture, picture])
    imgs = crop(CropViews(size=32, short_side=(40, 64)), frames, [1, 2, 3, 4], clip_len=3)
    for view in imgs:
        assert (view == view[0]).all()
    assert all((imgs[i] != imgs[j]).any() for i in range(4) for j in range(i))


def test_function_of_the_view_seed():
    frames = moving_frames(2, 80, 100)
    transform = CropViews(size=32, short_side=(40, 64))
    together = crop(transform, frames, [5, 6])
    np.testing.assert_array_equal(crop(transform, frames, [6])[0], together[1])
    np.testing.assert_array_equal(crop(transform, frames, [5, 6]), together)


def test_short_side_and_place_are_uniform(monkeypatch):
    crops = []
    monkeypatch.setattr('iboot_mm.datasets.transforms.cropping.cut_out',
                        lambda frame, drawn, size: crops.append(drawn) or np.zeros((size, size, 3), np.uint8))
    crop(CropViews(size=20, short_side=(20, 29)), np.zeros((1, 40, 60, 3), np.uint8), list(range(4000)), clip_len=1)
    assert {drawn.box for drawn in crops} == {(0, 0, 60, 40)}
    width, side = np.array([drawn.scaled for drawn in crops]).T
    left, top = np.array([drawn.corner for drawn in crops]).T
    counts = np.bincount(side)[20:]
    assert len(counts) == 10 and ((counts - 400)**2 / 400).sum() < 27.9  # chi-squared, 9 degrees, p = .001
    np.testing.assert_array_equal(width, np.floor(side * 1.5 + .5))
    places = np.bincount(top[side == 29])
    assert len(places) == 10  # 29 - 20 + 1 whole-pixel places
    assert left.min() >= 0 and (left + 20 <= width).all() and (top + 20 <= side).all()


def test_flip_comes_with_its_probability():
    picture = moving_frames(1, 32, 32)
    never = crop(CropViews(size=32, short_side=32, flip_prob=0.), picture, list(range(50)), 1)
    np.testing.assert_array_equal(never[:, 0], np.broadcast_to(picture, never[:, 0].shape))
    always = crop(CropViews(size=32, short_side=32, flip_prob=1.), picture, [0], 1)
    np.testing.assert_array_equal(always[0, 0], picture[0][:, ::-1])
    half = crop(CropViews(size=32, short_side=32), picture, list(range(1000)), 1)
    share = np.mean([(view[0] != picture[0]).any() for view in half])
    assert abs(share - .5) < .05


def test_area_and_aspect_stay_in_bounds():
    rng = np.random.default_rng(0)
    boxes = np.array([area_box(240, 320, (.2, .766), (.75, 4 / 3), rng) for _ in range(3000)])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    share, ratio = width * height / (240 * 320), width / height
    assert .195 < share.min() < .22 and .7 < share.max() < .78
    assert .74 < ratio.min() < .77 and 1.3 < ratio.max() < 1.35
    assert abs(np.log(ratio[share < .5]).mean()) < .02  # logarithm uniform around a square
    assert boxes.min() >= 0 and boxes[:, 2].max() == 320 and boxes[:, 3].max() == 240


@pytest.mark.parametrize('height, width, expected', [(10, 100, (43, 0, 56, 10)), (100, 10, (0, 43, 10, 56))])
def test_area_that_never_fits_takes_the_largest_central_box(height, width, expected):
    assert area_box(height, width, (1., 1.), (.75, 4 / 3), np.random.default_rng(0)) == expected


def test_area_mode_scales_its_box():
    frame = np.zeros((1, 40, 40, 3), np.uint8)
    frame[:, :, 20:] = 255
    imgs = crop(CropViews(size=16, area=(1., 1.), aspect=(1., 1.), flip_prob=0.), frame, [0], 1)
    assert np.abs(imgs[0, 0].astype(int) - resize(frame[0], 16, 16)).max() <= 1


def stock_crops(frames: np.ndarray, side: int, *crop: dict) -> np.ndarray:
    """What MMAction2's own test transforms make of frames (T, H, W, 3): (views, T, size, size, 3)."""
    results = dict(imgs=list(frames), img_shape=frames.shape[1:3], modality='RGB')
    for step in [dict(type='Resize', scale=(-1, side)), *crop]:
        results = TRANSFORMS.build(step)(results)
    return np.stack(results['imgs']).reshape(-1, len(frames), *results['imgs'][0].shape)


@pytest.mark.parametrize('height, width', [(24, 36), (36, 24), (24, 47), (24, 24), (24, 101), (17, 31), (22, 19)])
@pytest.mark.parametrize('crops, stock', [(1, 'CenterCrop'), (3, 'ThreeCrop')])
def test_test_crops_are_those_of_mmaction2(height, width, crops, stock):
    """Pixel by pixel where nothing shrinks: an odd margin is where two ways to halve it differ."""
    frames = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    imgs = crop(CropViews(size=24, short_side=24, test_mode=True, crops=crops), frames, [1])
    np.testing.assert_array_equal(imgs, stock_crops(frames, 24, dict(type=stock, crop_size=24)))


@pytest.mark.parametrize('height, width', [(40, 60), (60, 40), (33, 47)])
@pytest.mark.parametrize('crops', [1, 3])
def test_test_crops_lie_there_after_resizing_too(height, width, crops):
    frames = moving_frames(2, height, width)
    imgs = crop(CropViews(size=24, short_side=30, test_mode=True, crops=crops), frames, [1, 2])
    np.testing.assert_array_equal(imgs[::2], imgs[1::2])  # both clips show the same frames
    scale = 30 / min(height, width)
    whole = np.stack([resize(frame, int(width * scale + .5), int(height * scale + .5)) for frame in frames])
    spare = np.array(whole.shape[1:3]) - 24
    for view, shift in zip(imgs[::2], (0, 2, 1) if crops == 3 else (1,)):
        top, left = np.where(spare == spare.max(), spare // 2 * shift, spare // 2)
        expected = whole[:, top:top + 24, left:left + 24]
        assert np.abs(view.astype(int) - expected).max() <= 1


def test_three_crops_come_corner_by_corner_with_their_seeds():
    frames = moving_frames(2, 24, 60)
    results = CropViews(size=24, short_side=24, test_mode=True, crops=3)(
        dict(frames=frames, frame_positions=np.array([[0], [1]]), view_seeds=[7, 8]))
    assert results['imgs'].shape == (6, 1, 24, 24, 3) and results['view_seeds'] == [7, 8, 7, 8, 7, 8]
    for view, (frame, left) in zip(results['imgs'], [(0, 0), (1, 0), (0, 36), (1, 36), (0, 18), (1, 18)]):
        np.testing.assert_array_equal(view[0], frames[frame, :, left:left + 24])


def test_a_range_of_short_sides_means_the_crop_s_own_in_test_mode():
    frames = moving_frames(1, 40, 60)
    found, same, wider = [crop(CropViews(size=24, test_mode=True, **side), frames, [1], 1)
                          for side in (dict(), dict(short_side=24), dict(short_side=30))]
    np.testing.assert_array_equal(found, same)
    assert (found != wider).any()


@pytest.mark.parametrize('arguments, key', [
    (dict(size=64, short_side=(32, 80)), 'short_side'), (dict(short_side=(300, 256)), 'short_side'),
    (dict(area=(0., .5)), 'area'), (dict(area=(.5, 1.2)), 'area'), (dict(aspect=(2., 1.)), 'aspect'),
    (dict(flip_prob=2.), 'flip_prob'), (dict(crops=3), 'crops'), (dict(crops=2, test_mode=True), 'crops')])
def test_bad_arguments(arguments, key):
    with pytest.raises(ValueError, match=key):
        CropViews(**arguments)
