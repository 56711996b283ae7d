"""A run that is killed at random moments, and resumed each time, is bit for bit the run that never was.

``KILLS=30 python -m pytest tests/engine/test_kills.py -s`` kills as often as it says.
"""

import os
import random
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..comparison import assert_same
from ..processes import clean_processes
from . import toy

KILLS = int(os.environ.get('KILLS', 2))


class Slow(Hook):
    """Makes the steps take most of a run's time."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        time.sleep(.01)


def train(folder, by_epoch):
    torch.set_num_threads(1)
    hooks = toy.toy_config(folder)['default_hooks']
    hooks['checkpoint'] = dict(type='AtomicCheckpointHook', interval=1 if by_epoch else 4, by_epoch=by_epoch,
                               max_keep_ckpts=2)
    runner = Runner.from_cfg(Config(toy.toy_config(
        folder, model=dict(type='ToyModel', dropout=.3), default_hooks=hooks, resume=True,
        randomness=dict(seed=None if (Path(folder) / 'last_checkpoint').exists() else 3),
        train_dataloader=dict(batch_size=2, num_workers=0, dataset=dict(type='ToyVideos'),
                              sampler=dict(type='EpochSampler')))))
    runner.register_hook(Slow())
    runner.train()


def start(folder, by_epoch):
    process = clean_processes().Process(target=train, args=(str(folder), by_epoch))
    process.start()
    return process


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """A first run, before which the server of the processes imports what runs need."""
    start(tmp_path_factory.mktemp('first'), True).join()


@pytest.mark.parametrize('by_epoch', [True, False])
def test_random_kills(server, tmp_path, by_epoch):
    began = time.monotonic()
    start(tmp_path / 'whole', by_epoch).join()
    seconds = time.monotonic() - began
    wanted = torch.load((tmp_path / 'whole' / 'last_checkpoint').read_text())
    kills, runs = 0, 0
    while kills < KILLS:
        runs += 1
        folder, finished = tmp_path / str(runs), False
        while not finished:
            process = start(folder, by_epoch)
            process.join(random.uniform(0, seconds) if kills < KILLS else None)
            if process.exitcode is None:
                process.kill()
                process.join()
                kills += 1
            else:
                assert process.exitcode == 0
                finished = True
        found = torch.load((folder / 'last_checkpoint').read_text())
        for part in ('state_dict', 'param_schedulers'):
            assert_same(found[part], wanted[part])
        assert_same(found['optimizer']['state'], wanted['optimizer']['state'])
        losses = [c['message_hub']['log_scalars']['train/loss'].data[0].tolist() for c in (found, wanted)]
        assert losses[0] == losses[1] and len(losses[0]) == 36
    print(f'{kills} of {kills} kills resumed bit for bit, in {runs} runs')
