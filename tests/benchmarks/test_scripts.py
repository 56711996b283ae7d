"""Benchmarks run, at a size that takes no time."""

import re
import runpy
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / 'benchmarks' / 'rho_steps.py'


def test_rho_steps(monkeypatch, capfd):
    options = '--methods byol --rho 2 --depth 18 --size 32 --frames 2 --steps 1 --device cpu'
    monkeypatch.setattr(sys, 'argv', [SCRIPT.name, *options.split()])
    runpy.run_path(str(SCRIPT), run_name='__main__')
    rows = re.findall(r'^byol +(\d) +(\S+) +(\S+) +(\S+) +(\S+)$', capfd.readouterr().out, re.M)
    assert len(rows) == 1 and float(rows[0][1]) > 0 and rows[0][2] == '1.00'
    assert rows[0][4] in ('1.00', 'nan')  # so small a step may need no more than starting up did
