"""Temporal modules beside second implementations, and which frames and places reach which."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from mmaction.models.backbones.resnet3d import Bottleneck3d
from mmcv.cnn import ConvModule
from torch import nn

from iboot_mm.models.modules.temporal_modules import (
    TEMPORAL_MODULES,
    Bottleneck,
    Swin,
    Transformer,
    bottleneck,
    conv3d,
    frame_positions,
    r3d,
)


def disturb(net, seed=0):
    """Random affine parameters and running averages of BN, so that leaving one out shows."""
    torch.manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm3d):
            for value in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                nn.init.uniform_(value, .5, 1.5)
    return net


def changed(net, shape, frame, y, x):
    """Where (T, h, w) the output differs when one place of one frame of the input does."""
    torch.manual_seed(0)
    maps = torch.randn(shape)
    other = maps.clone()
    other[0, :, frame, y, x] += 1
    with torch.no_grad():
        return (net(maps) - net(other)).abs().amax(dim=(0, 1)) > 1e-6


@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('width, kernel', [(16, 1), (16, 3), (24, 3)])
@pytest.mark.parametrize('name, style', [('r3d', '3x1x1'), ('bottleneck', '3x3x3')])
def test_blocks_are_mmactions(name, style, width, kernel, train):
    ours = disturb(TEMPORAL_MODULES[name](width, 24, hidden=6, blocks=1, kernel=kernel))
    downsample = None if width == 24 else ConvModule(width, 24, 1, bias=False, conv_cfg=dict(type='Conv3d'),
                                                     norm_cfg=dict(type='BN3d'), act_cfg=None)
    theirs = Bottleneck3d(width, 6, inflate=kernel == 3, inflate_style=style, downsample=downsample)
    own, names = list(ours.state_dict().values()), list(theirs.state_dict())
    theirs.load_state_dict(dict(zip(names, own, strict=True)))
    maps = torch.randn(2, width, 4, 3, 5)
    torch.testing.assert_close(ours.train(train)(maps), theirs.train(train)(maps))


def test_stages_have_as_many_blocks_as_asked():
    blocks = bottleneck(16, 24, hidden=6, blocks=3, kernel=1)
    assert [type(block.shortcut) for block in blocks] == [nn.Sequential, nn.Identity, nn.Identity]
    convolutions = [layer for layer in conv3d(16, 24, hidden=6, blocks=3, kernel=3).modules()
                    if isinstance(layer, nn.Conv3d)]
    assert [tuple(layer.weight.shape) for layer in convolutions] == [
        (6, 16, 3, 3, 3), (6, 6, 3, 3, 3), (6, 6, 3, 3, 3), (24, 6, 1, 1, 1)]
    assert len(Swin(16, 24, hidden=64, blocks=3)[1].layer.blocks) == len(Transformer(16, 24, 64, 3).encoder.layers) == 3


def test_conv3d_by_hand():
    net = disturb(conv3d(16, 24, hidden=6, blocks=2, kernel=3)).eval()
    maps = torch.randn(2, 16, 4, 3, 5)
    expected = maps
    for layer, norm in (net[0], net[2]):
        expected = F.conv3d(expected, layer.weight, padding=1)
        shape = (1, 6, 1, 1, 1)
        expected = (expected - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
        expected = (expected * norm.weight.view(shape) + norm.bias.view(shape)).clamp(min=0)
    torch.testing.assert_close(net(maps), F.conv3d(expected, net[4].weight, net[4].bias), rtol=1e-4, atol=1e-5)


def test_convolutions_start_as_he_says():
    weight = Bottleneck(256, 64, 64, middle=3).conv2[0].weight
    assert weight.std().item() == pytest.approx((2 / (64 * 27)) ** .5, rel=.02)


@pytest.mark.parametrize('kernel, frames', [(1, [2]), (3, [1, 2, 3])])
def test_kernel_is_the_extent_over_time(kernel, frames):
    for build in (r3d, bottleneck, conv3d):
        reached = changed(build(16, 24, hidden=6, blocks=1, kernel=kernel).eval(), (1, 16, 5, 5, 7), 2, 1, 4)
        assert reached.any(dim=(1, 2)).nonzero().flatten().tolist() == frames
        assert reached[2].nonzero().tolist() == [[y, x] for y in (0, 1, 2) for x in (3, 4, 5)]


def test_windows_of_swin():
    net = Swin(16, 24, hidden=128, blocks=1).eval()
    reached = changed(net, (1, 16, 3, 5, 14), 1, 2, 8)  # two windows side by side
    assert reached[:, :, 7:].all() and not reached[:, :, :7].any()
    assert net[1].layer.blocks[0].attn.num_heads == 2
    reached = changed(Swin(16, 24, hidden=64, blocks=2).eval(), (1, 16, 3, 14, 14), 1, 8, 8)  # the second shifts by 3
    assert reached[:, 3:, 3:].all() and not reached[:, :3].any() and not reached[:, :, :3].any()


def test_the_transformer_sees_all_frames_of_one_place():
    net = Transformer(16, 24, hidden=128, blocks=2)
    reached = changed(net, (1, 16, 6, 3, 5), 4, 1, 3)  # also: no dropout in training mode
    assert reached[:, 1, 3].all() and reached.sum() == 6
    layer = net.encoder.layers[0]
    assert (layer.self_attn.num_heads, layer.linear1.out_features, layer.norm_first) == (2, 512, True)


def test_frame_positions_are_those_of_the_paper():
    found = frame_positions(torch.zeros(1, 7, 10))
    for step, dimension in ((0, 0), (3, 0), (6, 2), (6, 8)):
        angle = torch.tensor(step / 10000 ** (dimension / 10))
        torch.testing.assert_close(found[step, dimension:dimension + 2], torch.stack([angle.sin(), angle.cos()]))
    assert all((one - other).abs().max() > .1 for one, other in pairwise(found))
