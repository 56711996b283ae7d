"""The linear probe: of the backbone only BN statistics move, if asked; the head learns as on fixed features."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

CLASSES = 3


@pytest.fixture
def probe(slow_backbone):
    """Builds a probe whose BN statistics and weights are those of no fresh network."""
    def build(**changes) -> nn.Module:
        torch.manual_seed(0)
        model = MODELS.build(dict(
            type='LinearProbe', backbone=slow_backbone,
            cls_head=dict(type='I3DHead', in_channels=64, num_classes=CLASSES, dropout_ratio=0., average_clips='prob'),
            **changes))
        for module in model.backbone.modules():
            if isinstance(module, _BatchNorm):
                module.running_mean.normal_()
                module.running_var.uniform_(.5, 2.)
        model.cls_head.init_weights()
        return model
    return build


def batch(views: int = 1) -> tuple[Tensor, list[ActionDataSample]]:
    clips = torch.randn(4, views, 3, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    return clips, [ActionDataSample().set_gt_label(i % CLASSES) for i in range(4)]


def step(model: nn.Module) -> dict[str, Tensor]:
    """One step of SGD in training mode; returns the state before it."""
    before = copy.deepcopy(model.state_dict())
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=.5, momentum=.9)
    loss = model(*batch(), mode='loss')['loss_cls']
    loss.backward()
    optimizer.step()
    return before


def moved(model: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


def test_frozen_leaves_every_bit_of_the_backbone(probe):
    model = probe()
    assert moved(model, step(model)) == {'cls_head.fc_cls.weight', 'cls_head.fc_cls.bias'}


def test_adapting_moves_bn_statistics_alone(probe):
    model = probe(bn='adapting')
    found = moved(model, step(model))
    statistics = {key for key in model.state_dict() if key.endswith(('running_mean', 'running_var',
                                                                     'num_batches_tracked'))}
    assert found == statistics | {'cls_head.fc_cls.weight', 'cls_head.fc_cls.bias'}


def test_adapting_follows_the_batch_s_statistics(probe):
    model = probe(bn='adapting')
    stem = model.backbone.conv1
    before = stem.bn.running_mean.clone()
    seen = stem.conv(batch()[0].flatten(0, 1)).mean((0, 2, 3, 4))
    step(model)
    torch.testing.assert_close(stem.bn.running_mean, .9 * before + .1 * seen)


@pytest.mark.parametrize('bn, same', [('frozen', True), ('adapting', False)])
def test_training_sees_the_features_of_the_test_only_if_frozen(probe, bn, same):
    model = probe(bn=bn)
    clips, samples = batch()
    training = model.train()(clips, mode='tensor').clone()
    test = model.eval()(clips, mode='tensor')
    assert torch.equal(training, test) == same


def test_the_head_learns_as_on_fixed_features(probe):
    """Gradients equal softmax regression's, X^T (softmax - onehot) / N, and none reaches the backbone."""
    model = probe()
    clips, samples = batch()
    features = model.eval()(clips, mode='tensor').mean((2, 3, 4))  # (N, D)
    head = model.cls_head.fc_cls
    error = (features @ head.weight.T + head.bias).softmax(1) - torch.eye(CLASSES)[[0, 1, 2, 0]]
    model.train()(clips, samples, mode='loss')['loss_cls'].backward()
    torch.testing.assert_close(head.weight.grad, error.T @ features / 4)
    torch.testing.assert_close(head.bias.grad, error.mean(0))
    assert all(p.grad is None and not p.requires_grad for p in model.backbone.parameters())


def test_a_test_averages_the_softmax_over_views(probe):
    model = probe().eval()
    clips, samples = batch(views=3)
    scores = torch.stack([sample.pred_score for sample in model(clips, samples, mode='predict')])
    with torch.no_grad():
        features = model.backbone(clips.flatten(0, 1)).mean((2, 3, 4))
        expected = model.cls_head.fc_cls(features).softmax(1).unflatten(0, (4, 3)).mean(1)
    torch.testing.assert_close(scores, expected)


def test_unknown_bn(probe):
    with pytest.raises(ValueError, match="bn must be 'frozen' or 'adapting', got 'thawed'"):
        probe(bn='thawed')
