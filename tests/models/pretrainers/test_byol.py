"""rho-BYOL against loops over videos and clips."""

import pytest
import torch

from . import toy


def by_hand(model, views):
    """Equation 2 of the study, clip by clip, for a network that does not mix samples: sub-losses per view."""
    def embed(network, clip):
        return network.projector(network.backbone(model.normalize(clip[None])).mean(dim=(2, 3, 4)))[0]

    losses = torch.zeros(views.shape[1])
    for video in views:
        for i, query in enumerate(video):
            p = model.predictor(embed(model, query)[None])[0]
            terms = []
            for j, key in enumerate(video):
                if j != i:
                    z = embed(model.momentum.network, key)
                    terms.append((p / p.norm() - z / z.norm()).square().sum())
            losses[i] = losses[i] + sum(terms) / len(terms) / len(views)
    return losses


@pytest.mark.parametrize('rho, reduction', [(2, 'sum'), (3, 'mean'), (3, 'sum')])
def test_loss_and_gradient_are_equation_2(rho, reduction):
    model = toy.build('byol', reduction=reduction)
    views = toy.views(model, rho=rho)
    losses = model(views, mode='loss')
    expected = getattr(by_hand(model, views), reduction)()
    torch.testing.assert_close(losses['loss'], expected)
    parameters = [p for p in model.parameters() if p.requires_grad]
    for a, b in zip(torch.autograd.grad(losses['loss'], parameters), torch.autograd.grad(expected, parameters)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    factor = rho if reduction == 'sum' else 1
    torch.testing.assert_close(losses['cosine'], (1 - expected / factor / 2).detach())


def test_targets_get_no_gradient_and_their_own_statistics():
    model = toy.build('byol', norm='bn')
    views = toy.views(model).requires_grad_()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    targets, = model.targets(views)
    assert not targets.requires_grad and targets.shape == (2, 4, toy.DIM)
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert moved == {f'momentum.network.{bn}.{name}' for bn in ('backbone.1', 'projector.1')
                     for name in ('running_mean', 'running_var', 'num_batches_tracked')}
    model(views, mode='loss')['loss'].backward()
    assert all(p.grad is None for p in model.momentum.parameters())
    assert all(p.grad.ne(0).any() for name, p in model.named_parameters() if p.requires_grad and 'weight' in name)


def test_keys_in_a_checkpoint():
    names = {key.split('.')[0] for key in toy.build('byol').state_dict()}
    assert names == {'backbone', 'projector', 'predictor', 'momentum'}
    model = toy.build('byol')
    followed = {f'momentum.network.{key}' for key in model.online.state_dict()}
    assert {key for key in model.state_dict() if key.startswith('momentum')} == followed | {'momentum.steps'}


def test_defaults_are_those_of_appendix_b1():
    model = toy.MODELS.build(dict(type='VideoBYOL', backbone=dict(type='ToyBackbone'), feature_dim=toy.WIDTH))
    shapes = [tuple(layer.weight.shape) for head in (model.projector, model.predictor) for layer in head
              if isinstance(layer, torch.nn.Linear)]
    assert shapes == [(4096, toy.WIDTH), (256, 4096), (4096, 256), (256, 4096)]
    assert model.momentum.base == .996 and model.reduction == 'mean'
