"""The benchmark of several processes: its sheet in numbers, and one run."""

import argparse
import re
import sys

import pytest
import scaling
import torch.multiprocessing as mp

from ..processes import clean_processes


def test_sheet_on_paper():
    # 100 MB at 10 GB/s: 8 GPUs send 175 MB in 17.5 ms, 64 send 196.875 MB.
    eight, many = scaling.on_paper(compute=.07, size=100_000_000, link=10.)
    assert eight == ('8 GPUs', '175 MB', '0.0175', '80.0%', '100.0%')
    assert many[:3] == ('64 GPUs', '197 MB', '0.0197')
    assert scaling.on_paper(compute=.01, size=100_000_000, link=10., gpus=(2,))[0][4] == '100.0%'
    assert scaling.on_paper(compute=.005, size=100_000_000, link=10., gpus=(2,))[0][3:] == ('33.3%', '50.0%')


def test_what_is_not_added_was_hidden():
    seconds = {'1 process': 1., '2 processes, exchange': 1.5, '2 processes, no exchange': 1.2, 'all-reduce alone': .4}
    args = argparse.Namespace(method='iboot', videos=2, frames=8, size=112, depth=50, processes=2, compute_seconds=None,
                              link=10.)
    text = scaling.report(seconds, 130_000_000, args)
    assert 'adds 0.300 s, 20.0% of the step; alone it takes 0.400 s, of which 25% are hidden' in text
    assert 'Compute 1.000 s (1 process, above), link 10 GB/s (assumed)' in text


def start(function, args, number):
    """In place of torch's ``spawn``, whose processes import everything anew."""
    clean_processes()
    mp.start_processes(function, args, number, start_method='forkserver')


def test_two_processes(monkeypatch, capfd):
    options = '--method byol --depth 18 --width 8 --size 32 --frames 2 --videos 2 --repeats 1 --compute-seconds 2'
    monkeypatch.setattr(sys, 'argv', [scaling.__file__, *options.split()])
    monkeypatch.setattr(scaling.mp, 'spawn', start)
    scaling.main()
    text = capfd.readouterr().out
    seconds = dict(re.findall(r'^\| (.+?) +\| +([\d.]+) \|', text.partition('on paper')[0], re.M))
    assert list(seconds) == ['1 process', '1 process, batch x 2', '2 processes, exchange', '2 processes, no exchange',
                             '2 processes, copied gradients', 'all-reduce alone']  # no static graph: several backwards
    assert all(float(value) > 0 for value in seconds.values())
    # Slow R18 of an eighth of the width, .3 M float32 numbers, with BYOL's two heads; two processes send as many bytes.
    sent, of = map(int, re.search(r'Gradients (\d+) MB, sent by each process (\d+) MB', text).groups())
    heads = 64 * 4096 + 4096 * 256 + 256 * 4096 + 4096 * 256
    assert sent == of == pytest.approx(4 * (heads + .31e6) / 1e6, abs=1)
    assert 'Compute 2.000 s (given)' in text
    monkeypatch.setattr(sys, 'argv', [scaling.__file__, '--device', 'cuda'])
    with pytest.raises(SystemExit):
        scaling.main()
    assert 'measured on a CPU only: leave --device out' in capfd.readouterr().err
