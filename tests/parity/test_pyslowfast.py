"""The golden files of PySlowFast's own functions: losses, gradients, codes, the queue and four whole training steps.

LARS, the learning rate, the annealed momentum, k-NN and the backbone are in the tests of their modules.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.optim import OptimWrapper
from torch import nn

from iboot_mm.engine.optimizers import LARS
from iboot_mm.models.losses.views import nt_xent, sinkhorn

from ..models.pretrainers import toy


def read(shared, name):
    with np.load(shared / 'golden' / f'{name}.npz') as golden:
        return {key: torch.from_numpy(value[...]) if value.ndim else torch.tensor(value.item())
                for key, value in golden.items()}


def assert_equal(ours, golden, atol=0.):
    """Within 1e-5 of the golden figures' greatest."""
    golden = torch.as_tensor(golden)
    torch.testing.assert_close(ours.detach().to(golden.dtype), golden, rtol=1e-5,
                               atol=max(atol, 1e-5 * float(golden.abs().max())))


def toy_method(method, **options):
    config = toy.method_config(method, **options)
    config['projector']['out_dim'] = 8
    return MODELS.build(config)


def test_byol(shared):
    golden = read(shared, 'byol_rho2')
    model = toy_method('byol', reduction='sum')
    predictions = golden['online_pred'].requires_grad_()
    model.predictor, model.embed = nn.Identity(), lambda view: predictions[view]
    losses = torch.stack([model.sub_loss(view, view, (golden['target_proj'],))['loss'] for view in range(2)])
    assert_equal(losses - 2, golden['loss_per_clip'] * 2 * golden['T'])
    assert_equal(losses.mean() / 2 - 1, golden['reported_loss'])
    assert_equal(model.reduce(losses) - 4, 2 * golden['nonsequential_symmetric_loss'] * golden['T'])
    model.reduce(losses).backward()
    assert_equal(predictions.grad, golden['grad_pred'])


def test_moco(shared):
    golden = read(shared, 'moco_rho2_singleviewqueue')
    model = toy_method('moco', reduction='sum', temperature=golden['T'])
    model.queue = type(model.queue)(24, 8)
    model.queue.keys.copy_(golden['queue0'])
    for step in range(3):
        queries = golden[f'q{step}'].requires_grad_()
        model.embed = lambda clips: queries[int(clips)]  # noqa: B023  (called in this round)
        keys, negatives = F.normalize(golden[f'k{step}'], dim=-1), model.queue.keys.clone()
        losses = torch.stack([model.sub_loss(torch.tensor(v), v, (keys, negatives))['loss'] for v in range(2)])
        assert_equal(losses, golden[f'loss_per_clip{step}'])
        assert_equal(losses.mean() / 2, golden[f'reported_loss{step}'])
        model.reduce(losses).backward()
        assert_equal(queries.grad, golden[f'grad_q{step}'])
        model.queue.enqueue(keys[:1])  # the peer's single-view queue
        assert_equal(model.queue.keys, golden[f'queue{step + 1}'])
        assert model.queue.pointer == golden[f'ptr{step + 1}'].item()


def test_simclr(shared):
    golden = read(shared, 'simclr_rho2')
    embeddings = golden['z'].requires_grad_()
    units = F.normalize(embeddings, dim=-1)
    for positives in ('joint', 'adjacent'):
        model = toy_method('simclr', positives=positives, reduction='sum', temperature=golden['T'])
        losses = model.sub_losses(units, units, first=0)
        pair = losses.mean()
        assert_equal(pair, golden['loss_per_adjacent_pair'].squeeze())
        assert_equal(pair / 4, golden['reported_loss'])
    assert_equal(model.reduce(losses), golden['loss_per_adjacent_pair'].squeeze())
    nt_xent(units, units, 0, golden['T']).mean().backward()
    assert_equal(embeddings.grad, golden['grad_z'])


def test_swav(shared):
    golden = read(shared, 'swav')
    model = toy_method('swav', num_prototypes=1000, temperature=golden['T'], epsilon=golden['eps'],
                       iterations=golden['iters']).train()
    model.prototypes.weight.data = golden['prototypes_before']
    embeddings = golden['z'].requires_grad_()
    units = F.normalize(embeddings, dim=-1)
    loss = model.prediction_loss(units)['loss']
    loss.backward()
    assert_equal(loss, golden['loss'])
    assert_equal(model.prototypes.weight, golden['prototypes_after_norm'])
    assert_equal(embeddings.grad, golden['grad_z'])
    assert_equal(model.prototypes.weight.grad, golden['grad_prototypes'])
    scores = model.prototypes(units).detach()
    assert_equal(torch.stack([sinkhorn(s, golden['eps'], golden['iters']) for s in scores]), golden['codes'])


@pytest.mark.parametrize('name', ['sink_out', 'dist_sink_out'])
def test_sinkhorn(shared, name):
    golden = read(shared, 'swav')
    scores = golden['sink_in_BxK'].log() * golden['eps']  # the peer's function takes exponentials
    assert_equal(sinkhorn(scores, golden['eps'], golden['iters']), golden[name])


@MODELS.register_module(force=True)
class Trunk(nn.Module):
    """The peer's toy network; clips of six numbers. The file does not tell of the ReLU, its BN statistics do."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6, bias=False)

    def forward(self, clips):
        return self.linear(clips.flatten(1)).relu()


@MODELS.register_module(force=True)
class AsTheyAre(nn.Module):
    """Videos come as the peer's vectors, which are no pixels."""

    def forward(self, data, training):
        return data


NAMES = {'backbone.linear': 'trunk', 'projector': 'projection.projection', 'predictor': 'predictors.0.projection'}


def peers(golden, prefix, names):
    """Weights and statistics of the peer's networks under our names."""
    return {f'{ours}{key.removeprefix(f"{prefix}.{theirs}")}': value for ours, theirs in names.items()
            for key, value in golden.items() if key.startswith(f'{prefix}.{theirs}.')}


def test_four_steps_of_byol(shared):
    golden = read(shared, 'byol_toy_train_rho2')
    model = MODELS.build(dict(type='VideoBYOL', backbone=dict(type='Trunk'), feature_dim=6, reduction='sum',
                              projector=dict(hidden_dim=16, out_dim=8), predictor=dict(hidden_dim=16),
                              data_preprocessor=dict(type='AsTheyAre')))
    model.backbone_mean.zero_()
    model.backbone_std.fill_(1)
    start = peers(golden, 'init', NAMES)
    model.load_state_dict({**start, **{key: model.state_dict()[key] for key in model.state_dict()
                                       if key.startswith('momentum.')}})
    model.momentum.copy_from(model.online)
    model.momentum.attached = True
    assert all(torch.equal(model.state_dict()[key], value) for key, value in start.items()) and len(start) == 17
    optim_wrapper = OptimWrapper(LARS(model.parameters(), lr=1., momentum=.9, weight_decay=1e-6, nesterov=True))
    for step in range(4):
        optim_wrapper.optimizer.param_groups[0]['lr'] = golden[f'lr{step}']
        # The peer updates its copy at the start of a step, with the momentum of the step before.
        model.momentum.base = golden[f'mmt_used{step}']
        model.momentum.update(model.online, progress=0)
        views = golden[f'x{step}'].transpose(0, 1).reshape(8, 2, 3, 2, 1, 1)
        log = model.train_step(dict(inputs=views), optim_wrapper)
        assert_equal(log['loss'] / 4 - 1, golden[f'loss{step}'])
        ours = model.state_dict()
        for key, value in peers(golden, f's{step + 1}.online', NAMES).items():
            assert_equal(ours[key], value, atol=1e-6)
        followed = {ours: theirs for ours, theirs in NAMES.items() if ours != 'predictor'}
        for key, value in peers(golden, f's{step + 1}.target', followed).items():
            assert_equal(ours[f'momentum.network.{key}'], value, atol=1e-6)
