"""A NaN stops the run before it spoils a checkpoint."""

import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

from ...distributed import run_in_processes
from .. import toy


def train(folder, **changes):
    Runner.from_cfg(Config(toy.toy_config(folder, **changes))).train()


def finite(path):
    return all(torch.isfinite(v).all() for v in torch.load(path)['state_dict'].values())


@pytest.mark.parametrize('bad_at, checkpoint', [
    (9, 'epoch_1.pth'), (12, 'epoch_1.pth'), (13, 'epoch_2.pth'), (2, None)])
def test_stops_with_iteration_and_last_good_checkpoint(tmp_path, bad_at, checkpoint):
    kept = checkpoint or 'no checkpoint existed yet'
    with pytest.raises(FloatingPointError, match=rf'NaN or infinite at iteration {bad_at} .*{kept}.*--resume') as info:
        train(tmp_path, model=dict(bad_at=bad_at))
    assert len(str(info.value).splitlines()) == 1
    latest = find_latest_checkpoint(str(tmp_path))
    assert (latest or '').endswith(checkpoint or '')
    assert all(finite(path) for path in tmp_path.glob('*.pth'))


@pytest.mark.parametrize('scales', [False, True])
def test_the_advice_taken_literally_works(tmp_path, scales):
    """What the message says after --cfg-options, with --resume: half the rate at each later step."""
    scale = dict(auto_scale_lr=dict(enable=scales, base_batch_size=2))
    with pytest.raises(FloatingPointError) as stop:
        train(tmp_path / 'a', model=dict(bad_at=9), **scale)
    key, value = re.search(r'--resume --cfg-options (\S+)=([\d.]+)\)', str(stop.value)).groups()
    latest = re.search(r'last good checkpoint is (\S+);', str(stop.value))[1]
    config = Config(toy.toy_config(tmp_path / 'b', load_from=latest, resume=True, **scale))
    config.merge_from_dict({key: float(value)})
    Runner.from_cfg(config).train()
    train(tmp_path / 'c', **scale)
    lower, whole = ([step['lr'] for step in torch.load(tmp_path / name / 'record_0.pt')] for name in 'bc')
    assert lower == pytest.approx([rate / 2 for rate in whole[6:]])


@pytest.mark.parametrize('by_epoch, interval', [(True, 1), (False, 3)])
def test_weights_that_break_in_the_last_step_are_not_saved(tmp_path, by_epoch, interval):
    from mmaction.registry import HOOKS
    from mmengine.hooks import Hook

    @HOOKS.register_module(force=True)
    class BreakWeightsHook(Hook):
        """The step of iteration 6, the last of epoch 1, gives infinite weights though its loss was finite."""

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter == 5:
                next(runner.model.parameters()).data[0] = float('inf')

    config = toy.toy_config(tmp_path, default_hooks=dict(
        checkpoint=dict(type='AtomicCheckpointHook', interval=interval, by_epoch=by_epoch)))
    config['custom_hooks'] = [*config['custom_hooks'], dict(type='BreakWeightsHook')]
    with pytest.raises(FloatingPointError, match='at iteration 6'):
        Runner.from_cfg(Config(config)).train()
    assert all(finite(path) for path in tmp_path.glob('*.pth'))
    assert len(list(tmp_path.glob('*.pth'))) == (0 if by_epoch else 1)


def test_masks_may_be_infinite(tmp_path):
    runner = Runner.from_cfg(Config(toy.toy_config(tmp_path)))
    runner.model.register_buffer('attention_mask', torch.full((2, 2), -torch.inf))
    runner.train()
    assert (tmp_path / 'epoch_3.pth').exists()


def nan_on_one_rank(rank, world_size, folder):
    config = toy.toy_config(folder, model=dict(bad_at=4), launcher='pytorch')
    with pytest.raises(FloatingPointError, match='at iteration 4'):
        Runner.from_cfg(Config(config)).train()
    torch.distributed.barrier()  # both processes got here: none is left waiting in a collective


def test_all_ranks_stop_together(tmp_path):
    run_in_processes(nan_on_one_rank, 2, str(tmp_path))


def test_a_healthy_loss_is_not_read(monkeypatch):
    from iboot_mm.engine.hooks import NaNStopHook
    hook = NaNStopHook(interval=20)
    runner = SimpleNamespace(iter=3, hooks=[hook])

    def forbidden(*args):
        raise AssertionError('the hook waited for the device')

    for name in ('item', '__bool__', '__float__', '__int__'):
        monkeypatch.setattr(torch.Tensor, name, forbidden)
    hook.after_train_iter(runner, 3, outputs=dict(loss=torch.tensor(1.)))
