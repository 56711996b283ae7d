"""The benchmark of AdViSe's step at a size that takes no time."""

import argparse
import sys

import advise_step
import pytest

OPTIONS = '--videos 1 --clips 2 --size 32 --depth 18 --tower vit_tiny_patch16_224 --repeats 1 --device cpu'


def test_rows_and_ratios(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['advise_step.py', *OPTIONS.split()])
    monkeypatch.setattr(advise_step, 'memory_of', lambda row, args: 2. if row == 'R3D-50' else 1.)
    advise_step.main()
    found = [[cell.strip() for cell in line.split('|')[1:-1]] for line in capsys.readouterr().out.splitlines()
             if line.startswith('| ')]
    rows = {cells[0]: [float(cell) for cell in cells[1:]] for cells in found if cells[0] in advise_step.ROWS}
    assert list(rows) == list(advise_step.ROWS)
    for trained, ratio, giga, share_of_giga, seconds, times, gib, share in rows.values():
        assert giga > 0 and share_of_giga > 0
        assert ratio == pytest.approx(trained / rows['R3D-50'][0], abs=.006) and seconds > 0 and times > 0
        assert share == gib / 2
    live, stored = rows['AdViSe, live'][0], rows['AdViSe, stored tokens'][0]
    # Convolutions 192-256-256-1024 and the shortcut, BN, head 1024-2048-4.
    convolutions = 192 * 256 + 9 * 256**2 + 256 * 1024 + 192 * 1024
    batch_norms, head = 2 * (256 + 256 + 1024 + 1024), 1024 * 2048 + 2048 + 2048 * 4 + 4
    assert live == stored == pytest.approx((convolutions + batch_norms + head) / 1e6, abs=.005)


def test_memory_is_that_of_a_process_of_its_own(monkeypatch, capfd):
    monkeypatch.setattr(sys, 'argv', ['advise_step.py', *OPTIONS.split(), '--memory-of', 'AdViSe, stored tokens'])
    advise_step.main()
    assert 0 <= float(capfd.readouterr().out.split()[-1]) < 2


@pytest.mark.parametrize('tower, size, hidden, giga', [
    ('vit_base_patch16_224', 224, 256, 2.88), ('vit_base_patch16_224', 224, 2048, 66.18)])  # the paper's Table 3
def test_multiply_adds_are_the_paper_s(tower, size, hidden, giga):
    args = argparse.Namespace(tower=tower, size=size, hidden=hidden, kernel=1, depth=50, videos=1, clips=1)
    assert advise_step.multiply_adds('AdViSe, stored tokens', args) == pytest.approx(giga, abs=.01)
    if hidden == 256:
        assert advise_step.multiply_adds('R3D-50', args) == pytest.approx(41.74, abs=.01)


def test_patches_of_14():
    args = argparse.Namespace(tower='vit_small_patch14_dinov2', size=56)
    assert advise_step.token_shape(args) == (384, 4, 4)
