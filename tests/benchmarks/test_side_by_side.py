"""Rows are measured in turn, medians are medians, tables say on what."""

import sys
import time

import pytest
from side_by_side import hardware, interleaved, parser, publish, table


def test_rows_take_turns_and_the_median_counts(monkeypatch):
    clock, order = [0.], []
    monkeypatch.setattr(time, 'perf_counter', lambda: clock[0])
    durations = dict(a=iter([9., 1., 7., 2.]), b=iter([9., 5., 3., 4.]))

    def run(name):
        order.append(name)
        clock[0] += next(durations[name])

    medians = interleaved({name: lambda name=name: run(name) for name in durations}, repeats=3)
    assert medians == dict(a=2., b=4.)  # the first round does not count
    assert order == ['a', 'b'] * 4


def test_table_is_markdown_with_numbers_to_the_right():
    assert table(('row', 's'), [('first', '1.5'), ('b', '10')]).splitlines() == [
        '| row   |   s |', '| ----- | --: |', '| first | 1.5 |', '| b     |  10 |']


@pytest.mark.parametrize('save', [False, True])
def test_publish_prints_and_saves_the_same(monkeypatch, tmp_path, capsys, save):
    monkeypatch.setattr('side_by_side.RESULTS', tmp_path)
    words = ['--repeats', '2', '--device', 'cpu'] + ['--save'] * save
    monkeypatch.setattr(sys, 'argv', ['benchmarks/toy.py', *words])
    publish('text', parser('', repeats=5).parse_args(words))
    printed = capsys.readouterr().out
    assert printed.startswith('`python benchmarks/toy.py --repeats 2 --device cpu`, ' + hardware('cpu'))
    assert printed.endswith('\n\ntext\n')
    written = list(tmp_path.glob('*/toy.md'))
    assert [path.read_text() for path in written] == [printed] * save


@pytest.mark.parametrize('cpu_only, words', [('', 'no GPU that torch can use: leave --device out'),
                                             ('samples are', 'samples are measured on a CPU only: leave --device out')])
def test_a_device_that_is_of_no_use_is_refused(monkeypatch, capsys, cpu_only, words):
    monkeypatch.setattr('torch.cuda.is_available', lambda: bool(cpu_only))
    arguments = parser('', repeats=1, cpu_only=cpu_only)
    assert arguments.parse_args([]).device == 'cpu'
    with pytest.raises(SystemExit):
        arguments.parse_args(['--device', 'cuda'])
    assert words in capsys.readouterr().err
