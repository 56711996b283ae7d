"""rho-SwAV against loops over clips; several processes: tests/models/modules/test_distributed.py."""

import pytest
import torch
import torch.nn.functional as F

from iboot_mm.models.losses.views import sinkhorn

from . import toy


@pytest.mark.parametrize('rho, reduction', [(2, 'mean'), (3, 'mean'), (3, 'sum')])
def test_loss_and_gradient(rho, reduction):
    model = toy.build('swav', reduction=reduction)
    views = toy.views(model, rho=rho)
    loss = model(views, mode='loss')['loss']
    prototypes = model.prototypes.weight
    scores = [torch.stack([F.normalize(model.embed(video[None, v])[0], dim=0) @ prototypes.T for video in views])
              for v in range(rho)]
    codes = [sinkhorn(s.detach(), .05, 3) for s in scores]  # view by view, over the videos
    parts = []
    for v in range(rho):
        terms = [-(codes[w][n] * (scores[v][n] / .1).log_softmax(0)).sum()
                 for w in range(rho) if w != v for n in range(len(views))]
        parts.append(sum(terms) / len(terms))
    expected = getattr(torch.stack(parts), reduction)()
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    for a, b in zip(torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_prototypes_have_length_one_before_each_training_step():
    model = toy.build('swav')
    raw = model.prototypes.weight.detach().clone()
    model.eval()(toy.views(model), mode='loss')
    assert torch.equal(model.prototypes.weight, raw)
    model.train()(toy.views(model), mode='loss')['loss'].backward()
    torch.testing.assert_close(model.prototypes.weight.detach(), F.normalize(raw, dim=1))
    assert model.prototypes.weight.grad.ne(0).any()


def test_frozen_prototypes_get_a_gradient_of_zero_and_pass_the_others_on():
    model = toy.build('swav')
    views = toy.views(model)
    model(views, mode='loss')['loss'].backward()
    free = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model.prototypes.frozen = True
    model(views, mode='loss')['loss'].backward()
    for name, p in model.named_parameters():
        expected = torch.zeros_like(p) if name == 'prototypes.weight' else free[name]
        torch.testing.assert_close(p.grad, expected)
    with torch.no_grad():
        assert model(views, mode='loss')['loss'].isfinite()


def test_defaults_and_autocast():
    model = toy.MODELS.build(dict(type='VideoSwAV', backbone=dict(type='ToyBackbone'), feature_dim=toy.WIDTH))
    assert [type(layer).__name__ for layer in model.projector] == ['Linear', 'BatchNorm1d', 'ReLU'] * 2 + ['Linear']
    assert model.prototypes.weight.shape == (3000, 128)
    assert (model.temperature, model.epsilon, model.iterations) == (.1, .05, 3)
    assert {key.split('.')[0] for key in model.state_dict()} == {'backbone', 'projector', 'prototypes'}
    model = toy.build('swav')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(toy.views(model), mode='loss')['loss']
    assert loss.dtype == torch.float32 and loss.isfinite()
