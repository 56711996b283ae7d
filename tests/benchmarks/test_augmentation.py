"""The rows of the augmentation benchmark do what they say, and the table relates them to ours."""

import argparse
import re
import sys

import augmentation
import pytest
import torch

from tests.benchmarks.printed import is_ratio


def test_table(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', 'augmentation.py --sizes 24 --videos 2 --repeats 1 --device cpu'.split())
    monkeypatch.setattr(augmentation, 'measured_apart', lambda name, args, size: .25)
    monkeypatch.setattr(augmentation, 'find_spec', lambda name: name != 'kornia')
    augmentation.main()
    printed = capsys.readouterr().out
    rows = re.findall(r'^\| (\w+) +\| +24 \| +(\d+\.\d+) \| +(\d+\.\d+) \| +0.250 \|$', printed, re.M)
    assert [row[0] for row in rows] == ['iboot_mm', 'torchvision'] and 'kornia is not installed: left out.' in printed
    (_, own, one), (_, other, ratio) = rows
    assert one == '1.00' and is_ratio(ratio, other, own)


@pytest.mark.parametrize('name', augmentation.ROWS)
def test_each_row_augments_each_clip_once(name):
    """Gray clips stay gray, constant in space and time: no operation may differ within a clip."""
    pytest.importorskip(name)
    torch.manual_seed(0)
    levels = torch.arange(60, 180, 10, dtype=torch.uint8)
    views = levels.view(4, 3, 1, 1, 1, 1).expand(-1, -1, 3, 8, 24, 24)
    out = augmentation.ROWS[name]('cpu')(views)
    assert out.dtype == torch.float32 and out.shape[0] == 12 and 0 <= out.min() and out.max() <= 1
    flat = out.flatten(1)
    torch.testing.assert_close(flat, flat[:, :1].expand_as(flat), atol=1e-3, rtol=0)
    gain = flat[:, 0] / (levels / 255.)
    assert gain.min() > .79 and gain.max() < 1.21 and gain.std() > .01  # brightness, one factor a clip


def test_memory_is_that_beyond_the_output():
    args = argparse.Namespace(device='cpu', videos=2)
    assert -.1 < augmentation.peak_beyond_output('iboot_mm', args, size=24) < .1
    assert augmentation.clips(args, 24).shape == (2, 3, 3, 8, 24, 24)
