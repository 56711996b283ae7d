"""Benchmarks run, at a size that takes no time."""

import re
import sys

import rho_steps


def test_rho_steps(monkeypatch, capfd, forked):
    options = '--methods byol --rho 2 --depth 18 --width 8 --size 32 --frames 2 --repeats 1 --device cpu'
    monkeypatch.setattr(sys, 'argv', [rho_steps.__file__, *options.split()])
    rho_steps.main()
    seconds, ratio, gib, of = re.search(r'^\| byol +\| +2 \| +(\S+) \| +(\S+) \| +(\S+) \| +(\S+) \|$',
                                        capfd.readouterr().out, re.M).groups()
    assert float(seconds) > 0 and ratio == of == '1.00'
    # 4 M numbers of 4 bytes: weights, momentum copy, gradients, LARS's buffers; and the activations.
    assert .06 < float(gib) < .3
