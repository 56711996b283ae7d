"""The benchmark of AdViSe's step at a size that takes no time."""

import sys

import advise_step
import pytest

OPTIONS = '--videos 1 --clips 2 --size 32 --depth 18 --tower vit_tiny_patch16_224 --width 192 --repeats 1 --device cpu'


def test_rows_and_ratios(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['advise_step.py', *OPTIONS.split()])
    monkeypatch.setattr(advise_step, 'memory_of', lambda row, args: 2. if row == 'R3D-50' else 1.)
    advise_step.main()
    found = [[cell.strip() for cell in line.split('|')[1:-1]] for line in capsys.readouterr().out.splitlines()
             if line.startswith('| ')]
    rows = {cells[0]: [float(cell) for cell in cells[1:]] for cells in found if cells[0] in advise_step.ROWS}
    assert list(rows) == list(advise_step.ROWS)
    for trained, ratio, seconds, times, gib, share in rows.values():
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


def test_a_width_that_is_not_the_tower_s_is_told(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['advise_step.py', *OPTIONS.split(), '--width', '768'])
    monkeypatch.setattr(advise_step, 'memory_of', lambda row, args: 1.)
    with pytest.raises(SystemExit, match='--width is 768, but the tokens of vit_tiny_patch16_224 have 192 channels'):
        advise_step.main()
