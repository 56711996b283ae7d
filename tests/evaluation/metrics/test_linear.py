"""The grid against plain training loops and scikit-learn's logistic regression."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from iboot_mm.evaluation.metrics.linear import LinearGrid, channel_statistics, grid_scores, hold_out, train_grid


def blobs(count: int, overlap: float, seed: int, classes: int = 3, width: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (count, 1, width) around one corner per class, with unlike scales and means, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    features = 3 * torch.eye(width)[labels] + overlap * torch.randn(count, width, generator=generator)
    return (features * torch.logspace(-1, 1, width) + torch.arange(width))[:, None], labels


@pytest.mark.parametrize('views', [1, 3])
def test_each_rate_equals_a_plain_training_loop(views):
    features, labels = blobs(50, .8, seed=0)
    features = features + .1 * torch.randn(50, views, 6, generator=torch.Generator().manual_seed(1))
    rates, epochs, batch = [.01, .3, 2.], 4, 16  # 16 does not divide 50
    grid = train_grid(list(features), labels, 3, rates, epochs, batch, standardize=False, seed=5)
    for index, rate in enumerate(rates):
        layer = nn.Linear(6, 3)
        nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)
        optimizer = torch.optim.SGD(layer.parameters(), lr=rate, momentum=.9)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * 4)
        generator = torch.Generator().manual_seed(5)
        for _ in range(epochs):
            order = torch.randperm(50, generator=generator)
            view = torch.randint(views, (50,), generator=generator)
            shown = features[order, view]
            for start in range(0, 50, batch):
                optimizer.zero_grad()
                part = slice(start, start + batch)
                nn.functional.cross_entropy(layer(shown[part]), labels[order[part]]).backward()
                optimizer.step()
                schedule.step()
        torch.testing.assert_close(grid.weight[index].T, layer.weight.detach(), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(grid.bias[index, 0], layer.bias.detach(), rtol=1e-3, atol=1e-4)


def test_separable_features_as_scikit_learn():
    """Unregularised weights have no optimum here, so decisions are compared: at least 99 % alike."""
    features, labels = blobs(300, .3, seed=0)
    queries, truth = blobs(600, .9, seed=1)
    grid = train_grid(features, labels, 3, [.1], epochs=60)
    reference = LogisticRegression(C=1e3, max_iter=5000).fit(
        ((features[:, 0] - grid.shift) / grid.scale).numpy(), labels.numpy())
    assert reference.score(((features[:, 0] - grid.shift) / grid.scale).numpy(), labels.numpy()) == 1
    expected = torch.from_numpy(reference.predict(((queries[:, 0] - grid.shift) / grid.scale).numpy()))
    found = grid.probabilities(queries)[0].argmax(1)
    assert (found == expected).float().mean() >= .99
    ((accuracy,),), _ = grid_scores(grid, queries, truth)
    assert accuracy.item() == pytest.approx((expected == truth).float().mean().item(), abs=.01)


def test_overlapping_features_as_scikit_learn():
    """Here the optimum exists: the same probabilities within .01, although the channels' scales differ 100 times."""
    features, labels = blobs(300, 2., seed=0)
    grid = train_grid(features, labels, 3, [.1], epochs=150, batch_size=300)
    reference = LogisticRegression(C=1e9, max_iter=20000, tol=1e-8).fit(features[:, 0].numpy(), labels.numpy())
    expected = torch.from_numpy(reference.predict_proba(features[:, 0].numpy())).float()
    torch.testing.assert_close(grid.probabilities(features)[0], expected, atol=.01, rtol=0)


def test_statistics_are_those_of_all_views():
    views = torch.randn(600, 2, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1., 5, .1, 0]) + 7
    mean, scale = channel_statistics(list(views))
    flat = views.flatten(0, 1)
    torch.testing.assert_close(mean, flat.mean(0))
    expected = (flat.var(0, correction=0) + 1e-3 * flat.var(0, correction=0).mean()).sqrt()
    torch.testing.assert_close(scale, expected, rtol=1e-4, atol=0)


def test_scores_average_the_softmax_over_views():
    """The first view's large logits would win an average of logits."""
    grid = LinearGrid(torch.eye(3)[None], torch.zeros(1, 1, 3), torch.zeros(3), torch.ones(3))
    views = torch.tensor([[[0., 20, 0], [5., 0, 0], [5., 0, 0]]])  # (1, 3, 3)
    expected = torch.stack([v.softmax(0) for v in views[0]]).mean(0)
    torch.testing.assert_close(grid.probabilities(views)[0, 0], expected)
    accuracies, likelihoods = grid_scores(grid, views, torch.tensor([0]), topk=(1, 5))
    assert accuracies.tolist() == [[1.], [1.]]
    assert likelihoods.item() == pytest.approx(expected[0].log().item(), abs=1e-6)
    accuracies, _ = grid_scores(grid, torch.cat([views, views]), torch.tensor([1, 7]), topk=(1, 2))
    assert accuracies.tolist() == [[0.], [.5]]  # class 7 is unknown


def test_held_out_part():
    labels = torch.tensor([0] * 20 + [1] * 2 + [2])
    held = hold_out(labels, .1, seed=3)
    assert [int(held[labels == c].sum()) for c in range(3)] == [2, 1, 0]
    assert torch.equal(held, hold_out(labels, .1, seed=3)) and not torch.equal(held, hold_out(labels, .1, seed=4))
    with pytest.raises(ValueError, match='no class has two'):
        hold_out(torch.arange(4), .1)
