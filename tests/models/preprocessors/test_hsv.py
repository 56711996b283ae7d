"""Random hue, saturation and value against Python's colorsys."""

import colorsys

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.models.preprocessors.hsv import draw_hsv, randomize_hsv

PLAIN = dict(color_jitter=None, gray_prob=0., blur_prob=0.)


def test_pixels():
    clips = torch.rand(4, 3, 2, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    clips[0, :, 0, 0, 0] = 0  # black
    clips[0, :, 0, 0, 1] = .4  # gray
    draws = draw_hsv(range(4))
    found = randomize_hsv(clips, draws)
    for clip, result, (turn, *rest) in zip(clips, found, draws.tolist()):
        for before, after in zip(clip.flatten(1).T.tolist(), result.flatten(1).T.tolist()):
            hue, *both = colorsys.rgb_to_hsv(*before)
            both = [min(max(factor * x**power + shift, 0), 1)
                    for x, (power, factor, shift) in zip(both, (rest[:3], rest[3:]))]
            assert after == pytest.approx(colorsys.hsv_to_rgb((hue + turn) % 1, *both), abs=1e-9)


def test_draws_fill_the_bounds_of_the_public_code():
    draws = draw_hsv(range(4000))
    low, high = draws.min(0).values, draws.max(0).values
    expected = torch.tensor([(-.1, .1), *[(.25, 4.), (2**-.5, 2**.5), (-.1, .1)] * 2], dtype=torch.float64).T
    torch.testing.assert_close(torch.stack([low, high]), expected, rtol=.01, atol=.002)
    assert draws[:, 1].log2().mean().abs() < .1 and torch.corrcoef(draws.T).fill_diagonal_(0).abs().max() < .06


def test_only_training_and_only_the_views_own_seeds():
    preprocessor = MODELS.build(dict(type='HSVPreprocessor', **PLAIN))
    inputs = torch.randint(0, 256, (2, 1, 3, 1, 4, 4), dtype=torch.uint8)
    samples = [ActionDataSample(metainfo=dict(view_seeds=[seed])) for seed in (5, 9)]
    trained = preprocessor(dict(inputs=inputs, data_samples=samples), True)['inputs']
    torch.testing.assert_close(trained[:, 0], randomize_hsv(inputs[:, 0] / 255, draw_hsv([5, 9]).float()))
    alone = preprocessor(dict(inputs=inputs[1:], data_samples=samples[1:]), True)['inputs']
    assert torch.equal(alone, trained[1:]) and trained.min() >= 0 and trained.max() <= 1
    assert torch.equal(preprocessor(dict(inputs=inputs, data_samples=samples))['inputs'], inputs / 255)


def test_without_seeds():
    preprocessor = MODELS.build(dict(type='HSVPreprocessor', **PLAIN))
    with pytest.raises(ValueError, match='1 samples of 1 views need as many view_seeds'):
        preprocessor(dict(inputs=torch.zeros(1, 1, 3, 1, 4, 4, dtype=torch.uint8), data_samples=None), True)
