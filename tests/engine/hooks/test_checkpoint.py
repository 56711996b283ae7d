"""Checkpoints are whole or absent, at every moment."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

from iboot_mm.engine.hooks import AtomicCheckpointHook
from iboot_mm.stores.atomic_files import AtomicLocalBackend

from .. import toy


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def train(folder, resume=False, **changes):
    runner = Runner.from_cfg(Config(toy.toy_config(folder, resume=resume, **changes)))
    runner.train()
    return runner


def files(folder):
    names = [path.name for path in Path(folder).iterdir()]
    return sorted(name for name in names if name.endswith(('.pth', '.part')) or name == 'last_checkpoint')


def test_put_is_whole_or_nothing(tmp_path, monkeypatch):
    backend, path = AtomicLocalBackend(), tmp_path / 'sub' / 'x.pth'
    backend.put(b'old', path)
    assert path.read_bytes() == b'old'

    def dies(descriptor):
        raise Killed

    monkeypatch.setattr(os, 'fsync', dies)  # the bytes are in the file, but not safely on the disk
    with pytest.raises(Killed):
        backend.put(b'new', path)
    assert path.read_bytes() == b'old'
    with pytest.raises(Killed):
        backend.put(b'new', tmp_path / 'y.pth')
    assert not (tmp_path / 'y.pth').exists()


def test_checkpoints_and_pointer(tmp_path):
    train(tmp_path)
    assert files(tmp_path) == ['epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_3.pth')
    saved = torch.load(tmp_path / 'epoch_3.pth')  # weights_only, torch's default
    assert {key.split('.')[0] for key in saved['state_dict']} == {'backbone'}


def test_killed_at_any_file_operation(tmp_path, monkeypatch):
    """Whenever the process dies, only whole checkpoints bear a checkpoint's name, and the run can be resumed."""
    with monkeypatch.context() as patch:
        operations = interrupt(patch, 0)
        train(tmp_path / 'undisturbed')
    assert operations[0] > 12  # three saves of a flush and a rename each for file, folder and pointer
    for moment in range(1, operations[0] + 1):
        folder = tmp_path / str(moment)
        with monkeypatch.context() as patch:
            interrupt(patch, moment)
            with pytest.raises(Killed):
                train(folder)
        pointed = find_latest_checkpoint(str(folder))
        assert pointed is None or torch.load(pointed)['meta']['epoch'] >= 1
        for path in folder.glob('*.pth'):
            torch.load(path)
        if moment % 3 == 0:
            train(folder, resume=True)
            assert files(folder) == ['epoch_2.pth', 'epoch_3.pth', 'last_checkpoint'], moment


def interrupt(monkeypatch, moment):
    """Kills at the ``moment``-th call that changes a file: before a write, flush to disk, rename or removal."""
    calls = [0]

    def wrap(original):
        def call(*args, **kwargs):
            calls[0] += 1
            if calls[0] == moment:
                raise Killed
            return original(*args, **kwargs)
        return call

    for name in ('fsync', 'replace', 'remove', 'unlink'):
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))
    return calls


def test_leftovers_are_cleared(tmp_path):
    for name in ('epoch_9.pth.part', 'last_checkpoint.part', 'epoch_9.pth.0123abcd.part'):
        (tmp_path / name).write_bytes(b'half')
    (tmp_path / 'mine.part').write_bytes(b"someone else's")
    train(tmp_path)
    assert files(tmp_path) == ['epoch_2.pth', 'epoch_3.pth', 'last_checkpoint', 'mine.part']


def test_weights_are_no_run_to_resume(tmp_path):
    train(tmp_path / 'a')
    torch.save(torch.load(tmp_path / 'a' / 'epoch_3.pth')['state_dict'], tmp_path / 'weights.pth')
    with pytest.raises(ValueError, match=r'weights\.pth holds weights, not a training run to resume: .*load_from'):
        train(tmp_path / 'b', resume=True, load_from=str(tmp_path / 'weights.pth'))
    train(tmp_path / 'b', load_from=str(tmp_path / 'weights.pth'))


def test_a_teacher_is_refused():
    with pytest.raises(RuntimeError, match=r"hold the teacher \(2 keys, as 'teacher.w'\)"):
        AtomicCheckpointHook().before_save_checkpoint(None, dict(state_dict={
            'teacher.w': 0, 'teachers.0.w': 0, 'backbone.w': 0}))


def test_the_best_checkpoint_is_kept_until_a_better_one_stands(tmp_path, monkeypatch):
    runner = train(tmp_path)
    hook = AtomicCheckpointHook(interval=1, max_keep_ckpts=2, save_best='knn_top1', rule='greater')
    hook.before_train(runner)
    runner.train_loop._epoch = 1
    hook._save_best_checkpoint(runner, dict(knn_top1=.3))
    assert 'best_knn_top1_epoch_1.pth' in files(tmp_path)
    runner.train_loop._epoch = 2

    def dies(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(AtomicLocalBackend, 'put', dies)
        with pytest.raises(Killed):
            hook._save_best_checkpoint(runner, dict(knn_top1=.4))
    assert 'best_knn_top1_epoch_1.pth' in files(tmp_path)
    runner.message_hub.update_info('best_score', .3)
    hook.best_ckpt_path = str(tmp_path / 'best_knn_top1_epoch_1.pth')
    hook._save_best_checkpoint(runner, dict(knn_top1=.4))
    assert [f for f in files(tmp_path) if 'best' in f] == ['best_knn_top1_epoch_2.pth']
