"""The command lines, run as a user runs them: killed, resumed, over processes, and by MMAction2's own launcher."""

import json
import os
import re
import resource
import runpy
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import mmaction
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from iboot_mm.compat import latest_checkpoint
from iboot_mm.stores.run_lock import lock_run

from ..comparison import assert_same
from ..engine import toy
from ..processes import free_port, run_script, start_script, torchrun_of
from ..scripts import load_tool

ROOT = Path(__file__).resolve().parents[2]
STOCK_TRAIN = Path(mmaction.__file__).parent / '.mim' / 'tools' / 'train.py'
pytestmark = pytest.mark.skipif(os.name == 'nt', reason='the launchers are shell scripts')


def write_config(path, **changes):
    """A config file for the toy model; returns its path as text."""
    Config(toy.toy_config(path.parent / 'run', **changes)).dump(str(path))
    return str(path)


def call(*command, env=None):
    """Runs a command in the checkout; returns the finished process with its output."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1',
                   'CUDA_VISIBLE_DEVICES': '-1', **(env or {})}
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=environment, text=True, timeout=240,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def call_here(monkeypatch, script, *arguments):
    """Runs a Python script in this process, which has already imported everything."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', [str(script), *map(str, arguments)])
    runpy.run_path(str(script), run_name='__main__')


def histories(checkpoint):
    """The logged losses and learning rates (times of an iteration differ between any two runs)."""
    scalars = checkpoint['message_hub']['log_scalars']
    return {key: scalars[key].data[0].tolist() for key in ('train/loss', 'train/lr')}


def never_stopped(folder, **changes):
    """Folder of a run in this process: 3 epochs of 6 steps."""
    Runner.from_cfg(Config(toy.toy_config(folder, randomness=dict(seed=7), **changes))).train()
    return folder


def test_killed_and_resumed_is_bit_for_bit_the_run_never_stopped(tmp_path):
    """SIGKILL in the middle of epoch 2; resumed without --seed from the end of epoch 1. Dropout draws all along."""
    whole_run = torch.load(never_stopped(tmp_path / 'whole', model=dict(dropout=.3)) / 'epoch_3.pth')
    config = write_config(tmp_path / 'toy.py', model=dict(dropout=.3),
                          custom_hooks=[dict(type='NaNStopHook', interval=2), dict(type='KillHook')])
    killed = run_script('tools/train.py', config, '--seed', 7, env=dict(KILL_AT='9'))
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    assert (tmp_path / 'run' / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    resumed = run_script('tools/train.py', config, '--resume')
    assert resumed.returncode == 0, resumed.stdout
    checkpoint = torch.load(tmp_path / 'run' / 'epoch_3.pth')
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_same(whole_run[key], checkpoint[key])
    assert_same(histories(whole_run), histories(checkpoint))
    assert len(histories(checkpoint)['train/loss']) == 18
    assert checkpoint['meta']['seed'] == 7 and checkpoint['meta']['iter'] == 18


@pytest.fixture(scope='module')
def one_node(tmp_path_factory):
    """Folder of a run of two gloo processes, and its config: 3 epochs of 6 steps."""
    folder = tmp_path_factory.mktemp('one_node')
    config = write_config(folder / 'toy.py', train_dataloader=dict(batch_size=2))
    done = run_script(*torchrun_of(folder, 'tools/dist_train.sh', config, 2, '--seed', 7))
    assert done.returncode == 0, done.stdout
    return folder / 'run', config


def test_dist_train_equals_one_process(tmp_path, one_node):
    """Two gloo processes: losses to 1e-5, weights to 1e-5 after 18 steps of LARS (float32 sums in another order)."""
    two, _ = one_node
    one = never_stopped(tmp_path / 'one')
    found = torch.load(two / 'epoch_3.pth')['state_dict']
    for name, value in torch.load(one / 'epoch_3.pth')['state_dict'].items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    records = [torch.load(two / f'record_{rank}.pt') for rank in range(2)]
    for step, *parts in zip(torch.load(one / 'record_0.pt'), *records):
        assert step['loss'] == pytest.approx((parts[0]['loss'] + parts[1]['loss']) / 2, abs=1e-5)
    whole, logged = (histories(torch.load(folder / 'epoch_3.pth'))['train/loss'] for folder in (one, two))
    assert logged == pytest.approx(whole, abs=1e-5)


def test_two_nodes_train_as_one_with_as_many_processes(tmp_path, one_node):
    """Both on the loopback, of one process each; bit for bit."""
    one, config = one_node
    place = dict(NNODES=2, MASTER_ADDR='127.0.0.1', PORT=free_port())
    nodes = [torchrun_of(tmp_path, 'tools/dist_train.sh', config, 1, '--seed', 7, '--work-dir', tmp_path / 'two',
                         NODE_RANK=rank, **place) for rank in range(2)]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda node: run_script(*node), nodes))
    assert [node.returncode for node in done] == [0, 0], done[0].stdout + done[1].stdout
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_same(*(torch.load(folder / 'epoch_3.pth')[key] for folder in (one, tmp_path / 'two')))


def test_ctrl_c_to_all_processes_ends_in_a_sentence(tmp_path):
    """As a terminal sends it: to the launcher and all that it started."""
    config = write_config(tmp_path / 'toy.py', train_cfg=dict(max_epochs=10**6), log_level='INFO')
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'}
    process = subprocess.Popen(['bash', 'tools/dist_train.sh', config, '2'], cwd=ROOT, env=environment, text=True,
                               start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for line in process.stdout:
            if 'Saving checkpoint at 2 epochs' in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    said = [line for line in rest.splitlines() if line and 'mmengine' not in line]
    assert len(said) == 1 and re.fullmatch(r'Stopped: training goes on from \S+epoch_\d+\.pth with --resume\.', said[0])
    assert process.returncode != 0


@pytest.mark.parametrize('script', ['train.py', 'torchrun.py'])
@pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')
def test_ctrl_c_among_the_imports_says_nothing(script):
    process = subprocess.Popen([sys.executable, f'tools/{script}'], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**os.environ, 'PYTHONPATH': str(ROOT)},
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # nohup ignores it
    wait_until(lambda: 'libtorch' in Path(f'/proc/{process.pid}/maps').read_text(), 60)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == '' and process.returncode == -signal.SIGINT


def test_processes_that_were_killed_are_named():
    failures = {0: SimpleNamespace(exitcode=-signal.SIGKILL), 1: SimpleNamespace(exitcode=-signal.SIGTERM),
                2: SimpleNamespace(exitcode=1), 3: SimpleNamespace(exitcode=-signal.SIGSEGV)}
    assert load_tool('torchrun').reasons(SimpleNamespace(failures=failures)) == [
        'Process 0 was ended by SIGKILL (out of memory?).', 'Process 3 was ended by SIGSEGV.']


@pytest.mark.parametrize('level', ['INFO', 'WARNING'])
def test_a_full_disk_ends_in_a_sentence(tmp_path, monkeypatch, capsys, level):
    """No file may be much longer than the config: a long log fails first, and without one the checkpoint."""
    script, config = ROOT / 'tools' / 'train.py', write_config(tmp_path / 'toy.py', log_level=level)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(config).stat().st_size + 500, limits[1]))
    try:
        with pytest.raises(SystemExit) as stop:
            call_here(monkeypatch, script, config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert stop.value.code == 1
    assert 'run cannot be written (File too large), and training stopped: make room or' in capsys.readouterr().err


def test_a_work_dir_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / 'run').write_text('a file')
    with pytest.raises(SystemExit):
        call_here(monkeypatch, ROOT / 'tools' / 'train.py', write_config(tmp_path / 'toy.py'))
    assert (f'{tmp_path}/run cannot be written (File exists), and training stopped: make room or name another '
            '--work-dir; it goes on from the start, since there is no checkpoint yet.') in capsys.readouterr().err


def test_no_workers_by_option(tmp_path, monkeypatch):
    config = write_config(tmp_path / 'toy.py', train_dataloader=dict(num_workers=2, persistent_workers=True))
    call_here(monkeypatch, ROOT / 'tools' / 'train.py', config, '--cfg-options', 'train_dataloader.num_workers=0')


def children(pid):
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def runs(pid):
    """Whether there is such a process, and it is not merely waiting to be asked how it ended."""
    status = Path(f'/proc/{pid}/status')
    return status.exists() and 'State:\tZ' not in status.read_text()


@pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')
def test_ranks_end_with_their_launcher(tmp_path):
    """`kill -9` of dist_train.sh: both ranks, which would train for hours, are gone within seconds; one resumes."""
    config = write_config(tmp_path / 'toy.py', train_cfg=dict(max_epochs=10**6), param_scheduler=None)
    launcher = start_script(tmp_path / 'log', *torchrun_of(tmp_path, 'tools/dist_train.sh', config, 2, '--seed', 7))
    wait_until(lambda: (tmp_path / 'run' / 'last_checkpoint').exists() or launcher.exitcode is not None, 200)
    ranks = children(launcher.pid)
    assert len(ranks) == 2, (tmp_path / 'log').read_text()
    with pytest.raises(RuntimeError, match=r'run is in use by process \d+ on'):
        lock_run(tmp_path / 'run')
    launcher.kill()
    launcher.join()
    wait_until(lambda: not any(runs(rank) for rank in ranks) and is_free(tmp_path / 'run'), 10)
    assert 'torchrun is gone: this process stops, too' in (tmp_path / 'log').read_text()
    assert torch.load(latest_checkpoint(tmp_path / 'run'))['meta']['epoch'] >= 1


def is_free(folder):
    try:
        return bool(lock_run(folder))
    except RuntimeError:
        return False


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(.1)


def test_mmaction2s_own_launcher_trains_the_same(tmp_path):
    """Bit for bit. That stock tools/train.py knows us by ``custom_imports`` alone is shown by tests/test_configs.py."""
    stock = run_script(STOCK_TRAIN, write_config(tmp_path / 'toy.py'), '--seed', '7')
    assert stock.returncode == 0, stock.stdout
    one = never_stopped(tmp_path / 'one')
    assert_same(*(torch.load(folder / 'epoch_3.pth')['state_dict'] for folder in (one, tmp_path / 'run')))


def figures(folder):
    """What the one evaluation below ``folder`` found."""
    return json.loads(next(folder.glob('2*/2*.json')).read_text())


def test_dist_test_equals_one_process(tmp_path, monkeypatch):
    """25 samples over two processes: the sampler's padding is not counted."""
    config = write_config(tmp_path / 'toy.py')
    checkpoint = never_stopped(tmp_path / 'one') / 'epoch_3.pth'
    two = run_script(*torchrun_of(
        tmp_path, 'tools/dist_test.sh', config, checkpoint, 2, '--work-dir', tmp_path / 'two'))
    assert two.returncode == 0, two.stdout
    call_here(monkeypatch, ROOT / 'tools' / 'test.py', config, checkpoint, '--work-dir', tmp_path / 'single')
    found, expected = figures(tmp_path / 'two'), figures(tmp_path / 'single')
    assert found['samples'] == expected['samples'] == 25
    assert found['total'] == pytest.approx(expected['total'], abs=1e-3)


@pytest.mark.parametrize('script', [STOCK_TRAIN, ROOT / 'tools' / 'train.py'])
def test_auto_scale_lr(tmp_path, monkeypatch, script):
    call_here(monkeypatch, script, write_config(tmp_path / 'toy.py'), '--auto-scale-lr', '--cfg-options',
              'train_dataloader.batch_size=6', 'optim_wrapper.accumulative_counts=2')
    record = torch.load(tmp_path / 'run' / 'record_0.pt')
    assert len(record[0]['index']) == 6
    assert max(step['lr'] for step in record) == pytest.approx(.4 * 12 / 4)


def test_seed_resume_and_options(tmp_path, monkeypatch):
    script, config = ROOT / 'tools' / 'train.py', write_config(tmp_path / 'toy.py')
    call_here(monkeypatch, script, config, '--seed', 3, '--work-dir', tmp_path / 'a', '--no-validate')
    call_here(monkeypatch, script, config, '--resume', tmp_path / 'a' / 'epoch_2.pth', '--work-dir', tmp_path / 'b')
    a, b = (torch.load(tmp_path / name / 'epoch_3.pth') for name in 'ab')
    assert a['meta']['seed'] == b['meta']['seed'] == 3
    assert_same(a['state_dict'], b['state_dict'])
    call_here(monkeypatch, script, config, '--seed', 4, '--work-dir', tmp_path / 'c')
    assert not torch.equal(a['state_dict']['backbone.0.weight'],
                           torch.load(tmp_path / 'c' / 'epoch_3.pth')['state_dict']['backbone.0.weight'])


def test_resume_with_nothing_to_resume_starts_from_load_from(tmp_path, monkeypatch):
    script, config = ROOT / 'tools' / 'train.py', write_config(tmp_path / 'toy.py')
    call_here(monkeypatch, script, config, '--seed', 3, '--work-dir', tmp_path / 'a')
    loaded = ['--cfg-options', f'load_from={tmp_path / "a" / "epoch_3.pth"}', 'train_cfg.max_epochs=1']
    for name, resume in (('b', []), ('c', ['--resume'])):
        call_here(monkeypatch, script, config, '--seed', 5, '--work-dir', tmp_path / name, *resume, *loaded)
    scratch = ['--cfg-options', 'train_cfg.max_epochs=1']
    call_here(monkeypatch, script, config, '--seed', 5, '--work-dir', tmp_path / 'd', *scratch)
    b, c, d = (torch.load(tmp_path / name / 'epoch_1.pth')['state_dict'] for name in 'bcd')
    assert_same(b, c)
    assert not torch.equal(b['backbone.0.weight'], d['backbone.0.weight'])
    loaded[-1] = 'train_cfg.max_epochs=2'  # called again, it goes on with its own run
    call_here(monkeypatch, script, config, '--seed', 5, '--work-dir', tmp_path / 'c', '--resume', *loaded)
    assert torch.load(tmp_path / 'c' / 'epoch_2.pth')['meta']['epoch'] == 2


@pytest.mark.parametrize('arguments, message', [
    (['--amp'], '--amp needs a GPU: '), (['--auto-scale-lr', '--absent-option'], 'unrecognized arguments'),
    (['--auto-scale-lr'], '--auto-scale-lr: the config does not say for which batch')])
@pytest.mark.skipif(torch.cuda.is_available(), reason='for machines without a GPU')
def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    config = tmp_path / 'bare.py'
    config.write_text("optim_wrapper = dict(optimizer=dict(type='LARS', lr=1.))\n")
    with pytest.raises(SystemExit) as stop:
        call_here(monkeypatch, ROOT / 'tools' / 'train.py', config, *arguments)
    assert message in f'{stop.value} {capsys.readouterr().err}'


@pytest.mark.parametrize('script, arguments', [('train.py', ['absent.py']), ('test.py', ['absent.py', 'x.pth'])])
def test_no_such_config(monkeypatch, capsys, script, arguments):
    with pytest.raises(SystemExit):
        call_here(monkeypatch, ROOT / 'tools' / script, *arguments)
    assert 'no config file absent.py' in capsys.readouterr().err


def test_usage_of_the_shell_scripts():
    for script, arguments in (('dist_train.sh', 'CONFIG GPUS'), ('dist_test.sh', 'CONFIG CHECKPOINT GPUS'),
                              ('slurm_train.sh', 'PARTITION JOB_NAME CONFIG')):
        done = call('bash', f'tools/{script}')
        assert done.returncode != 0 and f'usage: {script} {arguments}' in done.stdout


@pytest.mark.parametrize('resume', [True, False])
def test_a_file_that_holds_code_is_neither_resumed_nor_loaded(tmp_path, resume):
    class Runs:
        def __reduce__(self):
            return os.system, (f'touch {tmp_path}/owned',)

    path = tmp_path / 'evil.pth'
    torch.save(dict(meta=dict(epoch=1, iter=6), state_dict={}, message_hub=Runs()), path)
    runner = Runner.from_cfg(Config(toy.toy_config(tmp_path / 'run', load_from=str(path), resume=resume)))
    with pytest.raises(RuntimeError, match=r'evil\.pth was not loaded: it holds more than weights'):
        runner.train()
    assert not (tmp_path / 'owned').exists()


def test_scripts_parse_and_slurm_passes_its_arguments_on(tmp_path):
    fake = tmp_path / 'srun'
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    env = dict(PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='16', GPUS_PER_NODE='4', SRUN_ARGS='--mem 8G')
    printed = call('bash', 'tools/slurm_train.sh', 'part', 'job', 'c.py', '--resume', env=env).stdout
    for words in ('-p part --job-name=job --gres=gpu:4 --ntasks=16 --ntasks-per-node=4', '--mem 8G',
                  'tools/train.py c.py --launcher=slurm --resume'):
        assert words in printed
    printed = call('bash', 'tools/slurm_test.sh', 'part', 'job', 'c.py', 'x.pth', '--dump', 'a.pkl', env=env).stdout
    assert 'tools/test.py c.py x.pth --launcher=slurm --dump a.pkl' in printed
