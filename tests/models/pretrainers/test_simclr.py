"""rho-SimCLR against loops over clips; several processes: tests/models/modules/test_distributed.py."""

import pytest
import torch

from . import toy


def by_hand(embeddings, temperature=.1):
    """Equation 1 of the study with the other clips of a batch ``(V, N, D)`` as negatives: losses ``(V, N)``."""
    rho, videos = embeddings.shape[:2]
    units = [[e / e.norm() for e in view] for view in embeddings]
    losses = []
    for v in range(rho):
        for n in range(videos):
            terms = {(w, m): (units[v][n] @ units[w][m] / temperature).exp()
                     for w in range(rho) for m in range(videos) if (w, m) != (v, n)}
            positive = sum(term for (_, m), term in terms.items() if m == n)
            losses.append(-(positive / sum(terms.values())).log())
    return torch.stack(losses).view(rho, videos)


def embeddings_of(model, views):
    return torch.stack([torch.cat([model.embed(video[None, v]) for video in views]) for v in range(views.shape[1])])


@pytest.mark.parametrize('rho, positives, reduction', [
    (2, 'joint', 'mean'), (3, 'joint', 'sum'), (3, 'adjacent', 'mean'), (3, 'adjacent', 'sum')])
def test_loss_and_gradient(rho, positives, reduction):
    model = toy.build('simclr', positives=positives, reduction=reduction)
    views = toy.views(model, rho=rho)
    loss = model(views, mode='loss')['loss']
    embeddings = embeddings_of(model, views)
    if positives == 'joint':
        parts = by_hand(embeddings).mean(dim=1)
    else:
        parts = torch.stack([by_hand(embeddings[k:k + 2]).mean() for k in range(rho - 1)])
    expected = getattr(parts, reduction)()
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    for a, b in zip(torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_two_clips_make_both_kinds_equal():
    losses = [model(toy.views(model), mode='loss')['loss']
              for model in (toy.build('simclr', positives=kind) for kind in ('joint', 'adjacent'))]
    torch.testing.assert_close(*losses)


def test_defaults_and_autocast():
    model = toy.MODELS.build(dict(type='VideoSimCLR', backbone=dict(type='ToyBackbone'), feature_dim=toy.WIDTH))
    kinds = [type(layer).__name__ for layer in model.projector]
    assert kinds == ['Linear', 'BatchNorm1d', 'ReLU'] * 2 + ['Linear']
    assert (model.projector[3].in_features, model.embedding_dim, model.temperature) == (2048, 128, .1)
    assert {key.split('.')[0] for key in model.state_dict()} == {'backbone', 'projector'}
    model = toy.build('simclr')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(toy.views(model), mode='loss')['loss']
    assert loss.dtype == torch.float32 and loss.isfinite()


def test_unknown_positives():
    with pytest.raises(ValueError, match="positives='separate' is unknown to VideoSimCLR: choose 'joint' or 'adj"):
        toy.build('simclr', positives='separate')
