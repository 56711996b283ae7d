"""Weights and multiply-adds of the backbones, beside those of Table 5 of the large-scale study.

    python tools/analysis/count_backbones.py

Weights are counted without a classifier and with one of 400 classes: the study's numbers of R18 and R101 come out with
it, those of R(2+1)D-18 and S3D-G without, that of R50 (31.8 M) in neither way. Multiply-adds are those of the
convolutions for one clip of T frames; nothing is computed, so it needs neither memory nor a GPU.
"""

import argparse

import iboot_mm  # noqa: F401  (registers the components)

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

NUM_CLASSES = 400
SLOW = {depth: dict(type='SlowResNet', depth=depth) for depth in (18, 50, 101)}
MMACTION = dict(  # the stem, strides and inflation of MMAction2's configs for R(2+1)D-34
    type='ResNet2Plus1d', depth=18, pretrained=None, pretrained2d=False, conv_cfg=dict(type='Conv2plus1d'),
    norm_cfg=dict(type='BN3d'), conv1_kernel=(3, 7, 7), conv1_stride_t=1, pool1_stride_t=1, inflate=(1, 1, 1, 1),
    spatial_strides=(1, 2, 2, 2), temporal_strides=(1, 2, 2, 2), zero_init_residual=False)
# Network, backbone, T, tau, side in pixels; then 10^6 weights and 10^9 multiply-adds of the row of Table 5
# (https://arxiv.org/abs/2104.14558) for the network of that name.
ROWS = (
    ('Slow R50', SLOW[50], 8, 8, 224, 31.8, 41.7),
    ('Slow R18', SLOW[18], 8, 8, 224, 20.2, 20.0),
    ('Slow R101', SLOW[101], 8, 8, 224, 51.4, 93.3),
    ('Slow R101', SLOW[101], 8, 8, 256, 51.4, 93.3),  # the study says 224, its number is that of 256
    ('Slow R50', SLOW[50], 16, 4, 224, 31.8, 83.5),
    ('Slow R50', SLOW[50], 32, 2, 224, 31.8, 167.0),
    ('R(2+1)D-18', dict(type='R2Plus1D18'), 32, 2, 224, 15.4, 48.5),
    ('S3D-G', dict(type='S3DG'), 32, 2, 224, 9.1, 36.0),
    ('R(2+1)D-18, torchvision', dict(type='TorchvisionVideoBackbone', name='r2plus1d_18'), 32, 2, 224, 15.4, 48.5),
    ('R(2+1)D-18, MMAction2', MMACTION, 32, 2, 224, 15.4, 48.5),
    ('S3D, torchvision', dict(type='TorchvisionVideoBackbone', name='s3d'), 32, 2, 224, 9.1, 36.0),
)


def count(backbone: dict, frames: int, size: int) -> tuple[float, float, float, tuple[int, ...]]:
    """Counts a backbone.

    Args:
        backbone: Its config.
        frames: T.
        size: Height and width, pixels.

    Returns:
        10^6 weights without and with a classifier, 10^9 multiply-adds of the convolutions, and the map's shape
        (D, T', H', W').
    """
    with torch.device('meta'), torch.no_grad():
        network = MODELS.build(backbone)
        network.eval()
        with FlopCounterMode(display=False) as counter:
            features = network(torch.zeros(1, 3, frames, size, size))
    weights = sum(parameter.numel() for parameter in network.parameters())
    classifier = (features.shape[1] + 1) * NUM_CLASSES
    return weights / 1e6, (weights + classifier) / 1e6, counter.get_total_flops() / 2e9, tuple(features.shape[1:])


def table() -> str:
    """All rows, as text."""
    lines = [f'{"network":<24}{"T x tau":>8}{"side":>6}{"weights":>11}{"+ 400":>11}{"M-adds":>11}'
             f'{"the study, Table 5":>24}']
    for name, backbone, frames, interval, size, weights, multiply_adds in ROWS:
        own = count(backbone, frames, size)
        lines.append(f'{name:<24}{f"{frames} x {interval}":>8}{size:>6}{own[0]:>9.2f} M{own[1]:>9.2f} M{own[2]:>9.2f} G'
                     f'{weights:>12.1f} M{multiply_adds:>8.1f} G')
    return '\n'.join(lines)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    init_default_scope('mmaction')
    print(table())


if __name__ == '__main__':
    main()
