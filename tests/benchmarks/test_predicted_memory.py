"""The dry run's memory beside the allocator's, for one config at a size that takes no time."""

import re
import sys
from types import SimpleNamespace

import predicted_memory


def test_the_dry_run_tells_what_is_allocated(monkeypatch, capsys):
    options = '--configs advise_tmm_digits --videos 1'
    monkeypatch.setattr(sys, 'argv', ['predicted_memory.py', *options.split(), '--device', 'cpu'])
    predicted_memory.main()
    printed = capsys.readouterr().out
    row = re.search(r'^\| advise_tmm_digits +\| +(\S+) \| +(\S+) \| +(\S+) \| +(\S+)% \|$', printed, re.M)
    peak, outside, told, difference = map(float, row.groups())
    assert peak > 1.05 * outside  # oneDNN's copies
    assert abs(difference) < 5 and abs(100 * (told / outside - 1) - difference) < .3
    assert f'Within {abs(difference)}%.' in printed


def event(name: str, start: int, nbytes: int = 0, duration: int = 0) -> SimpleNamespace:
    return SimpleNamespace(name=lambda: name, start_ns=lambda: start, duration_ns=lambda: duration,
                           nbytes=lambda: nbytes)


def test_what_a_convolution_holds_while_it_runs_counts_once():
    log = [event('[memory]', 0, 10), event('aten::convolution', 1, duration=6),
           event('aten::convolution', 2, duration=4), event('[memory]', 3, 5), event('[memory]', 4, 100),
           event('[memory]', 5, -100), event('[memory]', 9, -15)]
    assert predicted_memory._peaks(log) == (115, 15)
