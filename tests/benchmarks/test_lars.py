"""The table's rows are the optimizers that it names, on the same weights and gradients."""

import re
import sys

import lars
import torch

from tests.benchmarks.printed import is_ratio


def test_ratios_are_to_foreach_sgd(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', 'lars.py --repeats 1 --device cpu'.split())
    monkeypatch.setattr(lars, 'weights', lambda depth, device: [torch.ones(500, 1000), torch.ones(9)])
    lars.main()
    printed = capsys.readouterr().out
    rows = {name.strip(): figures for name, *figures in re.findall(
        r'^\| (\S.*?) \| +(\d+\.\d+) \| +(\d+\.\d+) \| +- \|$', printed, re.M)}
    assert set(rows) == set(lars.optimizers())
    assert rows[lars.REFERENCE][1] == '1.00'
    for milliseconds, ratio in rows.values():
        assert is_ratio(ratio, milliseconds, rows[lars.REFERENCE][0])
    assert '\n2 tensors, 0.5 million weights\n' in printed


def test_at_a_constant_rate_all_lars_take_the_same_step():
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((8, 4, 1, 3, 3), (16, 8))]
    rows = {name: lars.ready(kind, start) for name, kind in lars.optimizers().items()}
    for row in rows.values():
        for _ in range(3):
            row.step()
    ours, mmpretrain, timm, foreach, fused = (row.param_groups[0]['params'] for row in rows.values())
    for a, b, c, sgd, fused_sgd, before in zip(ours, mmpretrain, timm, foreach, fused, start, strict=True):
        torch.testing.assert_close(b, a, atol=1e-6, rtol=0)
        torch.testing.assert_close(c, a, atol=1e-6, rtol=0)
        torch.testing.assert_close(fused_sgd, sgd, atol=1e-6, rtol=0)
        assert (a - before).abs().max() > 1e-4 and (a - sgd).abs().max() > .1  # SGD knows no trust ratio


def test_the_weights_are_those_of_backbone_and_projector():
    shapes = [tuple(weight.shape) for weight in lars.weights(18, 'cpu')]
    assert shapes[0] == (64, 3, 1, 7, 7) and shapes[-2:] == [(512, 512), (512,)]
