"""The frame cache's benchmark says what the frames take."""

import re
import sys

import frame_cache


def test_table(monkeypatch, capsys):
    options = ['--device=cpu', '--videos=6', '--repeats=1']
    monkeypatch.setattr(sys, 'argv', ['benchmarks/frame_cache.py', *options])
    frame_cache.main()
    printed = capsys.readouterr().out
    rows = re.findall(r'^\| (\S.*?) +\| +([\d.]+) \| +([\d.]+) \|$', printed, re.M)
    assert [row[0] for row in rows] == ['decoded each time', 'decoded and stored', 'stored']
    assert rows[0][2] == '1.00'
    share, video, whole = re.search(r'decoding: (\d+)%.*?: ([\d.]+) MiB a video, ([\d.]+) GiB for all 6\.',
                                    printed).groups()
    assert 0 < int(share) < 100
    size = 30 * 100 * 132 * 3 + 1500
    assert float(video) == round(size / 2**20, 2) and float(whole) == round(6 * size / 2**30, 2)
