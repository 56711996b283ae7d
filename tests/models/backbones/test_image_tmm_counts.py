"""Parameters and multiply-adds of AdViSe's temporal module, those of the paper's Tables 2 and 3."""

import pytest
import torch
from mmaction.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

from iboot_mm.models.backbones.image_tmm import TEMPORAL, build_temporal


def paper_module(**options):
    with torch.device('meta'):
        return build_temporal(768, 1024, dict(TEMPORAL, **options))


def millions(module):
    """Weights of convolutions: what the paper's tables count, within their two digits (BN adds less than .1 %)."""
    return sum(p.numel() for p in module.parameters() if p.ndim > 1) / 1e6


@pytest.mark.parametrize('hidden, size, giga', [(64, .94, 1.47), (256, 1.84, 2.88), (512, 4.07, 6.37),
                                                (1024, 12.06, 18.91), (2048, 42.21, 66.18)])
def test_widths_of_table_3(hidden, size, giga):
    module = paper_module(hidden=hidden)
    assert millions(module) == pytest.approx(size, abs=.0101)
    assert count(module, 768, 14) == pytest.approx(giga, abs=.0101)


@pytest.mark.parametrize('blocks, size, giga', [(1, 1.84, 2.88), (2, 2.95, 4.62), (4, 5.18, 8.12), (6, 7.41, 11.61),
                                                (8, 9.63, 15.11)])
def test_depths_of_table_3(blocks, size, giga):
    module = paper_module(blocks=blocks)
    assert millions(module) == pytest.approx(size, abs=.0101)
    assert count(module, 768, 14) == pytest.approx(giga, abs=.0101)


@pytest.mark.parametrize('channels, side, giga', [
    (768, 14, 66.18), (768, 9, 27.35), (768, 5, 8.44), (768, 3, 3.04), (768, 1, .34),
    (192, 14, 63.40), (48, 14, 62.71), (12, 14, 62.53), (3, 14, 62.49)])
def test_reductions_of_table_2(channels, side, giga):
    with torch.device('meta'):
        module = build_temporal(channels, 1024, dict(TEMPORAL, hidden=2048))
    assert count(module, channels, side) == pytest.approx(giga, abs=.0101)


def test_equal_widths_need_no_convolution_in_the_shortcut():
    with torch.device('meta'):  # ViT-L/14
        module = build_temporal(1024, 1024, TEMPORAL)
    assert millions(module) == pytest.approx(1.11, abs=.005)


@pytest.mark.parametrize('temporal, classes, module_size, size', [
    (dict(type='r3d', kernel=1), 4, 1.84, 3.95),  # Table 6: 4.0 M
    (dict(type='r3d', kernel=3), 101, 2.23, 4.54),  # Table 8: 4.5 M
    (dict(type='bottleneck', kernel=3), 4, 3.02, 5.13)])
def test_networks_of_the_readme(temporal, classes, module_size, size):
    with torch.device('meta'):
        module = build_temporal(768, 1024, temporal)
        head = MODELS.build(dict(type='MLPHead', in_channels=1024, num_classes=classes))
    assert millions(module) == pytest.approx(module_size, abs=.006)
    total = sum(parameter.numel() for part in (module, head) for parameter in part.parameters()) / 1e6  # with BN
    assert total == pytest.approx(size, abs=.006)


def count(module, channels, side):
    """Multiply-adds of 8 frames, 10**9."""
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, channels, 8, side, side, device='meta'))
    return counter.get_total_flops() / 2e9
