"""Linear classifiers on stored features: a whole grid of learning rates trained in one pass.

The fast variant of the linear protocol (iBoot, section 4.2): softmax regression, SGD with momentum .9, cosine decay,
batches of 64, 100 epochs. What differs from the paper: features are stored, so there is no augmentation beyond the
stored views; the learning rate is chosen from a grid on a held-out part of the gallery instead of being 1.0 after a
warm-up; channels are standardised by default.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor

LEARNING_RATES = (.0001, .0003, .001, .003, .01, .03, .1, .3, 1., 3., 10., 30.)
CHUNK = 256  # videos at a time where order does not matter


@dataclass
class LinearGrid:
    """L linear classifiers of the same features.

    Attributes:
        weight: ``(L, D, C)``.
        bias: ``(L, 1, C)``.
        shift: ``(D,)``, subtracted from the features first.
        scale: ``(D,)``, by which they are then divided.
    """

    weight: Tensor
    bias: Tensor
    shift: Tensor
    scale: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Logits ``(L, B, C)`` of features ``(B, D)``."""
        return (features - self.shift) / self.scale @ self.weight + self.bias

    @torch.no_grad()
    def probabilities(self, view_features: Tensor) -> Tensor:
        """Softmax averaged over views: ``(L, N, C)`` from ``(N, V, D)``."""
        return self.logits(view_features.flatten(0, 1)).softmax(-1).unflatten(1, view_features.shape[:2]).mean(2)


def train_grid(features: Sequence[Tensor], labels: Tensor, num_classes: int,
               learning_rates: Sequence[float] = LEARNING_RATES, epochs: int = 100, batch_size: int = 64,
               momentum: float = .9, standardize: bool = True, seed: int = 0,
               device: torch.device | str = 'cpu') -> LinearGrid:
    """Trains one classifier per learning rate, all on the same batches.

    Each video shows one of its views per epoch, drawn at random. Weights start at 0. There is no weight decay, so L
    losses weighted by their learning rates give L independent runs of SGD from one optimizer: momentum adds up
    ``lr * gradient``, and the cosine is a common factor of the step.

    Args:
        features: Per video its views ``(V, D)``, float32; a tensor ``(N, V, D)`` or a list, which may be memory-mapped.
        labels: Classes ``(N,)``, int64 in [0, num_classes).
        num_classes: C.
        learning_rates: L of them, for the first step.
        epochs: Passes over the videos.
        batch_size: Videos per step; the last step of an epoch takes what is left.
        momentum: Of SGD.
        standardize: Subtract each channel's mean over all views of all videos and divide by its standard deviation.
            (A share of 1e-3 of the mean variance is added, so that dead channels stay at 0.)
        seed: Of the order and of the drawn views.
        device: Where to train.

    Returns:
        The trained classifiers.
    """
    num_views, width = features[0].shape
    shift, scale = channel_statistics(features) if standardize else (torch.zeros(width), torch.ones(width))
    rates = torch.tensor(learning_rates, device=device)
    grid = LinearGrid(torch.zeros(len(rates), width, num_classes, device=device, requires_grad=True),
                      torch.zeros(len(rates), 1, num_classes, device=device, requires_grad=True),
                      shift.to(device), scale.to(device))
    optimizer = torch.optim.SGD([grid.weight, grid.bias], lr=1., momentum=momentum)
    steps = epochs * -(-len(labels) // batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    generator, labels, started = torch.Generator().manual_seed(seed), labels.to(device), time.monotonic()
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(labels), generator=generator)
        views = torch.randint(num_views, (len(labels),), generator=generator)
        for chosen, view in zip(order.split(batch_size), views.split(batch_size)):
            batch = torch.stack([features[i][v] for i, v in zip(chosen.tolist(), view.tolist())]).to(device)
            targets = labels[chosen.to(device)].expand(len(rates), -1)  # (L, B)
            losses = F.cross_entropy(grid.logits(batch).transpose(1, 2), targets, reduction='none').mean(1)  # (L,)
            optimizer.zero_grad()
            (losses * rates).sum().backward()
            optimizer.step()
            schedule.step()
        if epoch % max(1, epochs // 5) == 0:
            left = (time.monotonic() - started) / epoch * (epochs - epoch)
            print_log(f'Linear: epoch {epoch} of {epochs}, {len(rates)} learning rates at once, {left:.0f} s left.',
                      'current')
    return LinearGrid(grid.weight.detach(), grid.bias.detach(), grid.shift, grid.scale)


def channel_statistics(features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation ``(D,)`` of the channels over all views of all videos ``(V, D)``, in one pass."""
    width, count = features[0].shape[1], 0
    total, squares = torch.zeros(width, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)
    for start in range(0, len(features), CHUNK):
        views = torch.cat(list(features[start:start + CHUNK])).double()  # (chunk V, D)
        total, squares, count = total + views.sum(0), squares + views.square().sum(0), count + len(views)
    mean = total / count
    var = (squares / count - mean.square()).clamp(min=0)
    scale = (var + 1e-3 * var.mean() + torch.finfo(torch.float32).tiny).sqrt()
    return mean.float(), scale.float()


def grid_scores(grid: LinearGrid, features: Sequence[Tensor], labels: Tensor,
                topk: Sequence[int] = (1,)) -> tuple[Tensor, Tensor]:
    """How the classifiers do on some videos.

    Args:
        grid: L classifiers.
        features: Per video its views ``(V, D)``.
        labels: Classes ``(N,)``; one that the classifiers do not know counts as wrong.
        topk: Numbers of guesses K; more guesses than classes count as all classes.

    Returns:
        Accuracies ``(K, L)`` in [0, 1], and mean log-likelihoods ``(L,)``, which are over the known classes.
    """
    device, num_classes = grid.weight.device, grid.weight.shape[2]
    hits, likelihoods = [], []
    for chosen in torch.arange(len(labels)).split(CHUNK):
        batch = torch.stack([features[i] for i in chosen.tolist()]).to(device)
        targets = labels[chosen].to(device)
        probabilities = grid.probabilities(batch)  # (L, B, C)
        ranked = probabilities.topk(min(max(topk), num_classes), dim=2).indices == targets[:, None]  # (L, B, k)
        hits.append(torch.stack([ranked[..., :k].any(2) for k in topk]))  # (K, L, B)
        known = targets < num_classes
        picked = probabilities[:, known].gather(2, targets[known].expand(len(ranked), -1)[..., None])
        likelihoods.append(picked.squeeze(2).clamp(min=torch.finfo(torch.float32).tiny).log())
    return torch.cat(hits, 2).float().mean(2).cpu(), torch.cat(likelihoods, 1).mean(1).cpu()


def hold_out(labels: Tensor, share: float, seed: int = 0) -> Tensor:
    """Mask ``(N,)`` of the videos to hold out: ``share`` of each class, at least one, but never all of a class.

    Raises:
        ValueError: no class has two videos.
    """
    generator, held = torch.Generator().manual_seed(seed), torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        count = min(max(1, round(share * len(members))), len(members) - 1)
        held[members[torch.randperm(len(members), generator=generator)[:count]]] = True
    if not held.any():
        raise ValueError('the learning rate is chosen on held-out gallery videos, but no class has two: give a single '
                         'one, learning_rates=[...]')
    return held
