"""The benchmark prints a row for each format."""

import re
import sys

import digests

from tests.benchmarks.printed import is_ratio


def test_rows_of_both_formats(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', 'digests.py --megabytes 4 --rounds 1'.split())
    digests.main()
    rows = re.findall(r'^\| \.(\w+), .*? \| (\d+) \| (\d+) \| (\d+\.\d+) \|$', capsys.readouterr().out, re.M)
    assert [row[0] for row in rows] == ['pth', 'safetensors']
    for _, read, compare, ratio in rows:
        assert is_ratio(ratio, compare, read)
