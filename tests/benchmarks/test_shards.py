"""The benchmark of shards reads both."""

import re
import sys

import shards


def test_table(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['benchmarks/shards.py', '--device=cpu', '--videos=3', '--repeats=1'])
    shards.main()
    rows = re.findall(r'^\| (\w+) +\| +([\d.]+) \| +([\d.]+) \|$', capsys.readouterr().out, re.M)
    assert [row[0] for row in rows] == ['files', 'shards'] and rows[0][2] == '1.00'
    assert all(float(row[1]) > 0 for row in rows)
