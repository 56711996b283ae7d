"""The momentum copy follows once per optimizer step."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from iboot_mm.models.modules.momentum import MomentumCopy, annealed_momentum

from .. import toy


@MODELS.register_module(force=True)
class ToyWithMomentum(toy.ToyModel):
    """Notes the backbone after each update of the copy."""

    def __init__(self, schedule='cosine', **kwargs):
        super().__init__(**kwargs)
        self.momentum = MomentumCopy(self.backbone, base=.9, schedule=schedule)
        self.updates = []
        update = self.momentum.update

        def noted(online, progress):
            update(online, progress)
            self.updates.append((progress, online[0].weight.detach().clone()))

        self.momentum.update = noted

    @property
    def online(self):
        return self.backbone


def train(folder, accumulation, schedule='cosine', **changes):
    config = toy.toy_config(folder, model=dict(type='ToyWithMomentum', schedule=schedule), **changes)
    config['train_dataloader']['batch_size'] = 4 // accumulation
    config['custom_hooks'] = [dict(type='MomentumUpdateHook')]
    runner = Runner.from_cfg(Config(config))
    runner.train()
    return runner


@pytest.mark.parametrize('accumulation, schedule', [(1, 'cosine'), (2, 'cosine'), (2, 'fixed')])
def test_follows_the_backbone_per_optimizer_step(tmp_path, accumulation, schedule):
    runner = train(tmp_path, accumulation, schedule)
    model = runner.model
    steps = 3 * 6
    assert [round(p * steps, 6) for p, _ in model.updates] == list(range(1, steps + 1))
    assert model.momentum.attached and model.momentum.steps == steps
    fresh = toy.ToyModel()
    fresh.init_weights()
    copy = fresh.backbone[0].weight.detach()  # the first copy is of the initial weights
    for progress, weight in model.updates:
        m = annealed_momentum(.9, progress) if schedule == 'cosine' else .9
        copy = m * copy + (1 - m) * weight
    torch.testing.assert_close(model.momentum.network[0].weight, copy, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('schedule', ['cosine', 'fixed'])
def test_a_resumed_copy_is_kept(tmp_path, schedule):
    whole = train(tmp_path / 'whole', 1, schedule, randomness=dict(seed=1))
    resumed = train(tmp_path / 'resumed', 1, schedule, load_from=str(tmp_path / 'whole' / 'epoch_2.pth'), resume=True)
    assert resumed.model.momentum.steps == 18
    for a, b in zip(whole.model.momentum.parameters(), resumed.model.momentum.parameters()):
        assert torch.equal(a, b)


def test_no_copy_is_an_error(tmp_path):
    config = toy.toy_config(tmp_path, custom_hooks=[dict(type='MomentumUpdateHook')])
    with pytest.raises(ValueError, match='found no momentum copy: set model.momentum'):
        Runner.from_cfg(Config(config)).train()
