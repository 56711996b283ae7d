"""Training on few labels against plain loops written by hand and scikit-learn's logistic regression."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from sklearn.linear_model import LogisticRegression
from torch import nn

from iboot_mm.evaluation.images.few_label_training import (
    Setting,
    accuracy,
    draw_batches,
    fine_tune,
    rate_factor,
    train,
    train_head,
)
from iboot_mm.evaluation.images.frame_classifier import FrameEncoder
from iboot_mm.models.encoders.video import VideoEncoder

CPU = torch.device('cpu')


@MODELS.register_module(force=True)
class ToyFrameNet(nn.Module):
    """Images to a map (N, 5, h, w); batch norm and dropout behave differently in training."""

    def __init__(self, dropout: float = 0.) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 5, 3, 2), nn.BatchNorm2d(5), nn.Dropout(dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.drop(self.norm(self.conv(images)).relu())


def toy_encoder(seed: int = 0, **kwargs) -> VideoEncoder:
    torch.manual_seed(seed)
    return VideoEncoder(dict(type='ToyFrameNet', **kwargs))


def toy_images(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.randint(0, 128, (count, 3, 8, 8), generator=generator)
    images[torch.arange(count), labels] += 60
    return images.to(torch.uint8), labels


def test_the_rate_of_vtabs_code():
    factors = [rate_factor(step, 2500) for step in (0, 50, 199, 200, 750, 751, 1500, 1501, 2250, 2251, 2499)]
    assert factors == pytest.approx([0, .25, .995, 1, 1, .1, .1, .01, .01, .001, .001])
    assert [rate_factor(step, 1000) for step in (40, 80, 301)] == pytest.approx([.5, 1, .1])  # of its script
    assert rate_factor(0, 3) == 1  # too short for a warm-up


@pytest.mark.parametrize('count, batch', [(10, 4), (10, 32)])
def test_every_image_comes_once_before_any_comes_again(count, batch):
    stream = draw_batches(count, batch, 20, seed=1)
    assert stream.shape == (20, batch)
    for epoch in stream.flatten().split(count)[:-1]:
        assert sorted(epoch.tolist()) == list(range(count))
    assert not torch.equal(stream.flatten()[:10], stream.flatten()[10:20])
    assert torch.equal(stream, draw_batches(count, batch, 20, seed=1))
    assert not torch.equal(stream, draw_batches(count, batch, 20, seed=2))


def test_softmax_regression_equals_one_in_numpy():
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(20, 4, generator=generator, dtype=torch.float64), torch.arange(20) % 3
    layer = nn.Linear(4, 3).double()
    weight, bias = layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()
    train(layer, inputs, labels, Setting(.5, 50), batch_size=8, seed=4)
    speed_w, speed_b = np.zeros_like(weight), np.zeros_like(bias)
    for step, chosen in enumerate(draw_batches(20, 8, 50, 4).numpy()):
        x, y = inputs.numpy()[chosen], np.eye(3)[labels.numpy()[chosen]]
        scores = np.exp(x @ weight.T + bias)
        error = (scores / scores.sum(1, keepdims=True) - y) / 8
        speed_w, speed_b = .9 * speed_w + error.T @ x, .9 * speed_b + error.sum(0)
        rate = .5 * (step / 4 if step < 4 else .1 ** ((step > 15) + (step > 30) + (step > 45)))
        weight, bias = weight - rate * speed_w, bias - rate * speed_b
    assert layer.weight.detach().numpy() == pytest.approx(weight) and layer.bias.detach().numpy() == pytest.approx(bias)


def test_fine_tuning_equals_a_plain_loop_over_the_whole_network():
    encoder, (images, labels) = toy_encoder(), toy_images(12)
    before = copy.deepcopy(encoder.state_dict())
    net = fine_tune(FrameEncoder(encoder, 8), images, labels, 3, Setting(.2, 10), batch_size=6, seed=7)
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())
    torch.manual_seed(7)
    head, backbone = nn.Linear(5, 3), copy.deepcopy(encoder.backbone).train()
    parameters = [*backbone.parameters(), *head.parameters()]
    speeds = [torch.zeros_like(p) for p in parameters]
    for step, chosen in enumerate(draw_batches(12, 6, 10, 7)):
        inputs = (images[chosen] / 255 - encoder.backbone_mean[..., 0]) / encoder.backbone_std[..., 0]
        loss = nn.functional.cross_entropy(head(backbone(inputs).mean(dim=(2, 3))), labels[chosen])
        for p, speed, grad in zip(parameters, speeds, torch.autograd.grad(loss, parameters)):
            speed.mul_(.9).add_(grad)
            p.data -= .2 * (step if step < 1 else .1 ** sum(step > part for part in (3, 6, 9))) * speed
    own = net.features.encoder.backbone.state_dict()
    for key, value in backbone.state_dict().items():  # batch norm's running statistics, too
        torch.testing.assert_close(own[key], value)
    torch.testing.assert_close(net.head.weight, head.weight)
    assert not torch.allclose(own['conv.weight'], before['backbone.conv.weight'])


def test_runs_are_functions_of_their_seed_alone():
    features, (images, labels) = FrameEncoder(toy_encoder(dropout=.5), 8), toy_images(12)
    weights = []
    for seed, other in ((0, 5), (0, 6), (1, 5)):
        torch.manual_seed(other)
        drawn = torch.rand(())
        torch.manual_seed(other)
        net = fine_tune(features, images, labels, 3, Setting(.1, 4), 6, seed)
        assert torch.rand(()) == drawn  # the caller's generator goes on as if nothing had happened
        weights.append(net.features.encoder.backbone.conv.weight)
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_a_head_trained_to_the_end_is_logistic_regression():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    features = 2 * torch.eye(6)[labels] + 1.5 * torch.randn(60, 6, generator=generator)
    features = features * torch.logspace(-1, 1, 6) + torch.arange(6)  # unlike scales and means
    head = train_head(features, labels, 3, Setting(1., 1200), batch_size=60)
    theirs = LogisticRegression(C=np.inf, tol=1e-8, max_iter=10000).fit(features.double().numpy(), labels.numpy())
    ours = head(features).softmax(1).detach().numpy()
    assert ours == pytest.approx(theirs.predict_proba(features.double().numpy()), abs=2e-3)


def test_accuracy_is_counted_in_evaluation_mode_and_what_is_not_finite_is_wrong():
    net = nn.Sequential(nn.Dropout(.9), nn.Identity())
    logits = torch.tensor([[2., 1.], [0., 3.], [float('nan'), 0.], [1., 0.], [float('inf'), 0.]]).repeat(100, 1)
    labels = torch.tensor([0, 1, 0, 1, 0]).repeat(100)
    assert accuracy(net, logits, labels, CPU) == .4
    assert accuracy(net, logits[:2], torch.tensor([0, 7]), CPU) == .5  # a class that the head does not have
