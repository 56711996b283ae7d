import os
import signal
import subprocess
import sys
import time

import pytest

from ..scripts import TOOLS, load_tool

console = load_tool('console')


def test_mmengine_lines_in_short():
    line = ('11/21 11:14:26 - mmengine - INFO - Epoch(train) [2][40/44]  base_lr: 1.9e-03 lr: 1.9e-03  eta: 0:03:29  '
            'time: 0.6873  data_time: 0.0175  loss: 1.5056  loss_digits: 1.5056')
    assert console.show_training(line) == 'epoch 2, step  40 of 44: loss 1.506, 0:03:29 left'
    line = ('11/21 11:14:35 - mmengine - INFO - Epoch(val) [2][29/29]    digit/knn_top1: 0.3889  motion/knn_top1: '
            '0.1639  feature_spread: 0.5254  data_time: 0.0950  time: 0.2025')
    assert console.show_training(line) == ('epoch 2, evaluation: digit/knn_top1: 0.3889  motion/knn_top1: 0.1639  '
                                              'feature_spread: 0.5254')
    assert console.show_training('11/21 11:14:35 - mmengine - INFO - paramwise_options') is None
    line = '11/21 14:00:00 - mmengine - INFO - Epoch(test) [ 20/301]    eta: 0:00:41  time: 0.1  data_time: 0.01'
    assert console.show_training(line) == 'test batch 20 of 301, 0:00:41 left'
    warned = 'k=20 nearest neighbours were asked for, but the gallery holds 3 readable videos: k=3 is taken'
    assert console.show_training(f'11/21 14:00:00 - mmengine - WARNING - {warned}') == warned


def test_of_short_epochs_some_are_shown_and_every_evaluation(monkeypatch):
    now = iter([0., 0., 1., 1.9, 2.1, 2.1])
    monkeypatch.setattr(console.time, 'monotonic', lambda: next(now))
    show = console.paced(console.show_training)
    step = 'Epoch(train)  [{}][1/1]  lr: 1.9e-03  eta: 0:03:29  time: 0.6873  loss: 1.5056'
    evaluated = 'Epoch(val) [2][9/9]    feature_spread: 0.5  data_time: 0.1'
    shown = [show(line) for line in (step.format(1), step.format(2), evaluated, step.format(3), step.format(4))]
    assert [text and text.split(',')[0] for text in shown] == ['epoch 1', None, 'epoch 2', None, 'epoch 4']


def test_a_failing_stage_stops_with_its_last_lines(tmp_path, capsys):
    with pytest.raises(SystemExit, match='exit status 3'):
        failing = [sys.executable, '-c', 'print("what went wrong"); raise SystemExit(3)']
        console.run(failing, tmp_path / 'log', lambda _: None)
    assert 'what went wrong' in capsys.readouterr().err
    assert 'what went wrong' in (tmp_path / 'log').read_text()


def test_the_error_of_a_process_of_torchrun_is_the_last_line(tmp_path):
    printed = ['[rank1]: ValueError: the dataset has 12 videos', *['what torchrun says'] * 30,
               'torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ', 'root cause']
    (tmp_path / 'printed').write_text('\n'.join(printed))
    failing = [sys.executable, '-c', f'print(open({str(tmp_path / "printed")!r}).read()); raise SystemExit(1)']
    with pytest.raises(SystemExit, match=r'in \S+log\.\nValueError: the dataset has 12 videos$'):
        console.run(failing, tmp_path / 'log', lambda _: None)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_is_stopped_with_its_caller(tmp_path, number):
    child = ('import os, time\nopen("pid", "w").write(str(os.getpid()))\nprint("begun", flush=True)\n'
             'try: time.sleep(60)\nfinally: open("kept", "w").write("what it had")')
    caller = (f'import sys; sys.path.insert(0, {str(TOOLS)!r}); from pathlib import Path; import console\n'
              f'console.run([sys.executable, "-c", {child!r}], Path("log"), lambda line: line, cwd=Path.cwd())')
    process = subprocess.Popen([sys.executable, '-c', caller], cwd=tmp_path, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))  # nohup ignores one
    assert process.stdout.readline() == '  begun\n'
    time.sleep(.2)  # the child enters its try
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert 'The same command goes on from here' in errors
    assert (tmp_path / 'kept').read_text() == 'what it had'
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'pid').read_text()), 0)


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux tells a process that its parent is gone')
def test_a_command_ends_with_the_tool_that_started_it(tmp_path):
    """Also when that is killed with SIGKILL, which it cannot hear."""
    tool = 'import console, pathlib; console.run(["sh", "-c", "echo $$; exec sleep 60"], pathlib.Path("log"), print)'
    process = subprocess.Popen([sys.executable, '-c', tool], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, 'PYTHONPATH': str(TOOLS)})
    command = int(process.stdout.readline())
    process.kill()
    process.wait()
    for _ in range(100):
        if not os.path.exists(f'/proc/{command}') or 'State:\tZ' in open(f'/proc/{command}/status').read():
            return
        time.sleep(.05)
    os.kill(command, signal.SIGKILL)
    raise AssertionError('the command goes on alone')
