"""The loop keeps the global batch, and scales the learning rate exactly once when asked.

Several processes: tests/tools/test_launchers.py and tests/test_training.py.
"""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from . import toy


def train(folder, **changes):
    config = toy.toy_config(folder, randomness=dict(seed=0), **changes)
    runner = Runner.from_cfg(Config(config))
    runner.train()
    return runner


def loader(batch_size, **dataset):
    return dict(batch_size=batch_size, num_workers=0, dataset=dict(type='ToyVideos', **dataset),
                sampler=dict(type='EpochSampler', shuffle=True))


def weights(runner):
    return [p.detach().clone() for p in runner.model.parameters()]


def test_accumulation_keeps_batch_gradients_and_weights(tmp_path):
    runs = [train(tmp_path / str(most), train_dataloader=loader(most), train_cfg=dict(global_batch=8))
            for most in (8, 5, 2, 1)]
    plans = [runner.train_loop.plan for runner in runs]
    assert [(p.per_process, p.accumulation) for p in plans] == [(8, 1), (4, 2), (2, 4), (1, 8)]
    assert [runner.iter for runner in runs] == [9, 18, 36, 72]
    for runner in runs[1:]:
        for a, b in zip(weights(runs[0]), weights(runner)):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_auto_scale_lr_counts_accumulation(tmp_path):
    changes = dict(train_dataloader=loader(2), auto_scale_lr=dict(enable=True),
                   optim_wrapper=dict(accumulative_counts=3))
    runner = train(tmp_path / 'a', **changes)
    plan = runner.train_loop.plan
    assert (plan.global_batch, plan.per_process, plan.accumulation) == (6, 2, 3)  # global_batch=4 is not enforced
    peak = max(step['lr'] for step in torch.load(tmp_path / 'a' / 'record_0.pt'))
    assert peak == pytest.approx(.4 * 6 / 4)
    assert runner.optim_wrapper.optimizer.param_groups[0]['initial_lr'] == pytest.approx(.4 * 6 / 4)


def test_auto_scale_lr_applies_once_also_after_resuming(tmp_path):
    changes = dict(train_dataloader=loader(2), auto_scale_lr=dict(enable=True),
                   optim_wrapper=dict(accumulative_counts=3))
    train(tmp_path / 'whole', **changes)
    train(tmp_path / 'resumed', load_from=str(tmp_path / 'whole' / 'epoch_2.pth'), resume=True, **changes)
    whole, resumed = (torch.load(tmp_path / name / 'record_0.pt') for name in ('whole', 'resumed'))
    assert [step['lr'] for step in resumed] == [step['lr'] for step in whole][-len(resumed):]
    assert len(resumed) == len(whole) // 3


def test_without_a_global_batch_the_config_counts(tmp_path):
    runner = train(tmp_path, train_dataloader=loader(3), train_cfg=dict(global_batch=None))
    assert runner.train_loop.plan.global_batch == 3
    assert max(step['lr'] for step in torch.load(tmp_path / 'record_0.pt')) == pytest.approx(.4)


@pytest.mark.parametrize('changes, message', [
    (dict(train_dataloader=loader(2, length=3)), '3 videos, fewer than the global batch of 4'),
    (dict(train_dataloader=dict(sampler=dict(type='DefaultSampler'))), "type 'EpochSampler', .*not 'DefaultSampler'"),
    (dict(train_dataloader=dict(batch_size=0)), 'must all be whole numbers'),
    (dict(train_dataloader=loader(5), train_cfg=dict(global_batch=14)), 'uses 2 at a time, 7 times .*batch_size=7 if'),
    (dict(train_dataloader=loader(2), optim_wrapper=dict(accumulative_counts=3)),
     r'accumulative_counts=3 contradicts train_cfg\.global_batch=4, which is 1 x 2 x 2 .*: leave it out, or .* of 6'),
])
def test_what_cannot_be_planned(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **changes)
