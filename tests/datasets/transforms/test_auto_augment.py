"""AutoAugmentViews against torchvision on Pillow images, and what its draws depend on."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import AutoAugment, AutoAugmentPolicy

from iboot_mm.datasets.transforms import AutoAugmentViews
from iboot_mm.datasets.transforms.auto_augment import GREY, _SeededAutoAugment
from iboot_mm.datasets.transforms.randomness import AUGMENT_TAG, view_rng
from tests.videos import moving_frames


def augment(imgs: np.ndarray, seeds: list[int]) -> np.ndarray:
    return AutoAugmentViews()(dict(imgs=imgs, view_seeds=seeds))['imgs']


def test_equals_torchvision_on_pillow_images(monkeypatch):
    """A second implementation of all operations; the last bits of the blends differ."""
    frames = moving_frames(120, 32, 32)[:, None]
    ours = augment(frames, list(range(120)))[:, 0].astype(int)
    assert ours.shape == (120, 32, 32, 3)
    theirs = AutoAugment(AutoAugmentPolicy.IMAGENET, fill=[int(value) for value in GREY])
    changed, policies = 0, set()
    for seed, (frame, result) in enumerate(zip(frames[:, 0], ours)):
        rng = view_rng(seed, AUGMENT_TAG)
        drawn = int(rng.integers(25)), torch.from_numpy(rng.random(2)), torch.from_numpy(rng.integers(0, 2, 2))
        monkeypatch.setattr(theirs, 'get_params', lambda _, drawn=drawn: drawn)
        expected = np.asarray(theirs(Image.fromarray(frame))).astype(int)
        assert np.abs(result - expected).mean() < 2
        changed += (result != frame).any()
        policies.add(drawn[0])
    assert changed > 80 and len(policies) == 25


def test_frames_of_a_view_are_alike_and_views_differ():
    frame = moving_frames(1, 32, 32)
    result = augment(np.repeat(frame[None], 30, 0).repeat(4, 1), list(range(30)))  # (30, 4, 32, 32, 3)
    assert result.dtype == np.uint8 and result.flags.c_contiguous
    assert (result == result[:, :1]).all()
    assert len({view.tobytes() for view in result}) > 10  # many change nothing, or only equalize


def test_draws_are_a_function_of_the_seed_alone():
    imgs = moving_frames(6, 32, 32)[:, None]
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = augment(imgs, [5, 6, 7, 8, 9, 10])
    assert torch.equal(torch.get_rng_state(), state)  # torch's generator is not touched
    torch.manual_seed(1)
    np.testing.assert_array_equal(first[::-1], augment(imgs[::-1].copy(), [10, 9, 8, 7, 6, 5]))
    assert (first != augment(imgs, [15, 16, 17, 18, 19, 20])).any()


def test_draws_are_uniform():
    counts, signs, shares = np.zeros(25), [], []
    policy = _SeededAutoAugment()
    for seed in range(5000):
        policy.rng = view_rng(seed, AUGMENT_TAG)
        number, share, sign = policy.get_params(25)
        counts[number] += 1
        signs += sign.tolist()
        shares += share.tolist()
    assert ((counts - 200)**2 / 200).sum() < 51.2  # 24 degrees of freedom, p = .001
    assert set(signs) == {0, 1} and np.mean(signs) == pytest.approx(.5, abs=.02)
    assert np.mean(shares) == pytest.approx(.5, abs=.01) and 0 <= min(shares) < max(shares) < 1
