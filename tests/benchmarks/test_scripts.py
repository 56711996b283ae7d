"""Benchmarks run, at a size that takes no time."""

import re
import runpy
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / 'benchmarks' / 'knn_memory.py'


def test_knn_memory(tmp_path, monkeypatch, capsys):
    options = f'--gallery 900 --queries 40 --width 64 --memory 1e-3 --device cpu --folder {tmp_path}'
    monkeypatch.setattr(sys, 'argv', [SCRIPT.name, *options.split()])
    for _ in range(2):  # the second call reads what the first has written
        runpy.run_path(str(SCRIPT), run_name='__main__')
    printed = capsys.readouterr().out
    figures = re.findall(r'k-NN: \d+ s, peak (\d+\.\d+) GiB, top-1 (\d\.\d+)', printed)
    assert len(figures) == 2 and figures[0][1] == figures[1][1] and 0 < float(figures[0][1]) <= 1
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ['gallery_900x64', 'query_40x64']


def test_rho_steps(monkeypatch, capfd):
    script = SCRIPT.with_name('rho_steps.py')
    options = '--methods byol --rho 2 --depth 18 --size 32 --frames 2 --steps 1 --device cpu'
    monkeypatch.setattr(sys, 'argv', [script.name, *options.split()])
    runpy.run_path(str(script), run_name='__main__')
    rows = re.findall(r'^byol +(\d) +(\S+) +(\S+) +(\S+) +(\S+)$', capfd.readouterr().out, re.M)
    assert len(rows) == 1 and float(rows[0][1]) > 0 and rows[0][2] == '1.00'
    assert rows[0][4] in ('1.00', 'nan')  # so small a step may need no more than starting up did
