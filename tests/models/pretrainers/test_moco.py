"""rho-MoCo against loops over videos, clips and keys; several processes: tests/models/modules/test_distributed.py."""

import pytest
import torch

from . import toy


def embed(network, model, clip):
    z = network.projector(network.backbone(model.normalize(clip[None])).mean(dim=(2, 3, 4)))[0]
    return z / z.norm()


def by_hand(model, views, queue, separate):
    """Equation 1 of the study, clip by clip, for a network that does not mix samples: sub-losses per view."""
    losses = torch.zeros(views.shape[1])
    for video in views:
        keys = [embed(model.momentum.network, model, clip) for clip in video]
        for i, clip in enumerate(video):
            query = embed(model, model, clip)
            good = [(query @ key / .1).exp() for j, key in enumerate(keys) if j != i]
            bad = (queue @ query / .1).exp().sum()
            terms = [-(g / (g + bad)).log() for g in good] if separate else [-(sum(good) / (sum(good) + bad)).log()]
            losses[i] = losses[i] + sum(terms) / len(terms) / len(views)
    return losses


@pytest.mark.parametrize('rho, positives', [(2, 'joint'), (3, 'joint'), (3, 'separate')])
def test_loss_and_gradient_are_equation_1(rho, positives):
    model = toy.build('moco', positives=positives)
    views = toy.views(model, rho=rho)
    queue = model.queue.keys.clone()
    loss = model(views, mode='loss')['loss']
    expected = by_hand(model, views, queue, positives == 'separate').mean()
    torch.testing.assert_close(loss, expected)
    parameters = [p for p in model.parameters() if p.requires_grad]
    for a, b in zip(torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_one_positive_makes_both_kinds_equal():
    losses = [toy.build('moco', positives=kind)(toy.views(toy.build('moco')), mode='loss')['loss']
              for kind in ('joint', 'separate')]
    torch.testing.assert_close(*losses)


def test_keys_of_all_clips_enter_the_queue_after_the_step():
    model = toy.build('moco')
    views = toy.views(model, rho=3)
    before = model.queue.keys.clone()
    keys, negatives = model.targets(views)
    assert torch.equal(negatives, before) and not keys.requires_grad
    expected = [embed(model.momentum.network, model, video[v]) for v in range(3) for video in views]
    torch.testing.assert_close(model.queue.keys[:12], torch.stack(expected))
    assert torch.equal(model.queue.keys[12:], before[12:]) and model.queue.pointer == 12
    model.eval()
    model.targets(views)
    assert model.queue.pointer == 12, 'nothing enters outside training'


def test_accuracy_counts_queries_whose_best_key_is_a_positive():
    model = toy.build('moco')
    query = torch.nn.functional.normalize(torch.randn(4, toy.DIM, generator=torch.Generator().manual_seed(0)), dim=1)
    model.embed = lambda clips: query
    keys = torch.stack([torch.zeros(4, toy.DIM), query * torch.tensor([1., .5, -1., 1.])[:, None]])
    negatives = torch.cat([.7 * query[[1]], torch.zeros(1, toy.DIM)])
    best = [max(float(query[n] @ key) for key in negatives) < float(query[n] @ keys[1, n]) for n in range(4)]
    assert sum(best) == 2  # the second meets a nearer negative, the third an opposite positive
    assert model.sub_loss(torch.zeros(1), 0, (keys, negatives))['accuracy'] == .5


def test_keys_in_a_checkpoint_and_defaults():
    model = toy.build('moco')
    assert {key.split('.')[0] for key in model.state_dict()} == {'backbone', 'projector', 'momentum', 'queue'}
    model = toy.MODELS.build(dict(type='VideoMoCo', backbone=dict(type='ToyBackbone'), feature_dim=toy.WIDTH))
    assert [tuple(layer.weight.shape) for layer in model.projector if isinstance(layer, torch.nn.Linear)] == [
        (2048, toy.WIDTH), (2048, 2048), (128, 2048)]
    assert not any(isinstance(layer, torch.nn.BatchNorm1d) for layer in model.projector)
    assert model.queue.keys.shape == (65536, 128)
    assert (model.momentum.base, model.temperature, model.separate) == (.994, .1, False)


def test_loss_stays_float32_under_autocast():
    model = toy.build('moco')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(toy.views(model), mode='loss')['loss']
    assert loss.dtype == torch.float32 and loss.isfinite()


def test_unknown_positives():
    with pytest.raises(ValueError, match="positives='adjacent' is unknown to VideoMoCo: choose 'joint' or 'separate'"):
        toy.build('moco', positives='adjacent')


def test_a_queue_shorter_than_a_step():
    model = toy.build('moco', queue_size=7)
    with pytest.raises(ValueError, match='one step makes 8 keys, but the queue holds 7: raise model.queue_size'):
        model(toy.views(model), mode='loss')
