"""Gray images of exemplars: all views of one alike, before the colours, by the image's own seed."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.models.preprocessors.exemplar import ExemplarPreprocessor

PLAIN = dict(type='ExemplarPreprocessor', color_jitter=None, gray_prob=0., blur_prob=0.)


def batch(seeds):
    inputs = torch.randint(0, 256, (len(seeds), 3, 3, 1, 4, 4), dtype=torch.uint8)
    return dict(inputs=list(inputs), data_samples=[
        ActionDataSample(metainfo=dict(view_seeds=[seed, seed + 1, seed + 2])) for seed in seeds]), inputs


def test_views_of_an_image_are_gray_together():
    preprocessor = MODELS.build(PLAIN)
    data, inputs = batch(range(0, 900, 3))
    found = preprocessor(data, True)['inputs']
    gray = (found == found[:, :, :1]).flatten(1).all(1)
    assert .58 < gray.float().mean() < .74  # 300 draws of .66, 3 standard deviations
    torch.testing.assert_close(found[gray], inputs[gray].double().mean(2, keepdim=True).expand(
        -1, -1, 3, -1, -1, -1).float() / 255, rtol=0, atol=.51 / 255)
    assert torch.equal(found[~gray], inputs[~gray] / 255)
    alone = preprocessor({key: values[7:9] for key, values in data.items()}, True)['inputs']
    assert torch.equal(alone, found[7:9])
    assert torch.equal(preprocessor(data)['inputs'], inputs / 255)


def test_colours_follow():
    """Gray stays gray under hue and saturation, and its brightness changes."""
    data, inputs = batch([0, 3, 6])
    found = ExemplarPreprocessor(image_gray_prob=1., color_jitter=dict(brightness=.5, saturation=.5, hue=.2),
                                 color_prob=1., gray_prob=0., blur_prob=0.)(data, True)['inputs']
    torch.testing.assert_close(found, found[:, :, :1].expand_as(found), atol=1e-5, rtol=0)
    assert (found[:, 0] - inputs.float().mean(2, keepdim=True)[:, 0] / 255).abs().max() > .02


def test_what_cannot_be():
    with pytest.raises(ValueError, match=r'ExemplarPreprocessor: image_gray_prob must be in \[0, 1\], got 2'):
        MODELS.build(dict(PLAIN, image_gray_prob=2))
    with pytest.raises(ValueError, match='1 samples of 3 views need as many view_seeds'):
        MODELS.build(PLAIN)(dict(inputs=batch([0])[1], data_samples=None), True)
