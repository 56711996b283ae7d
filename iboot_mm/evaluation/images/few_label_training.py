"""Training on few labelled images: whole networks, or heads on frozen features.

Momentum, the steps of decay, the linear warm-up and zero weight decay are those of VTAB's published code
(google-research/task_adaptation, ``trainer.py``). Nothing is augmented there, and nothing here.
"""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..metrics.linear import channel_statistics
from .frame_classifier import FrameClassifier, FrameEncoder

WARM_UP = .08  # share of the steps: 80 of 1000 in VTAB's script; for other schedules our choice
DECAYS = (.3, .6, .9)  # shares of the steps after which the rate falls to a tenth: 750, 1500 and 2250 of 2500
TOGETHER = 256  # images at a time where order does not matter


@dataclass(frozen=True)
class Setting:
    """What the sweep chooses between."""

    learning_rate: float
    steps: int

    def __str__(self) -> str:
        return f'{self.learning_rate:g} x {self.steps}'


def rate_factor(step: int, steps: int) -> float:
    """Factor of the learning rate at a step, counted from 0: linear warm-up from 0, then a tenth after each decay."""
    warm_up = round(WARM_UP * steps)
    return step / warm_up if step < warm_up else .1 ** sum(step > round(share * steps) for share in DECAYS)


def draw_batches(count: int, batch_size: int, steps: int, seed: int) -> Tensor:
    """Indices ``(steps, batch_size)`` into ``count`` images: one random order after another, cut into batches."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(count, generator=generator) for _ in range(-(-steps * batch_size // count))]
    return torch.cat(orders)[:steps * batch_size].view(steps, batch_size)


def train(net: nn.Module, inputs: Tensor, labels: Tensor, setting: Setting, batch_size: int, seed: int) -> None:
    """Trains a network's logits ``(N, C)`` of inputs ``(N, ...)`` towards labels ``(N,)``: cross-entropy, SGD."""
    optimizer = torch.optim.SGD(net.parameters(), lr=setting.learning_rate, momentum=.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_factor(step, setting.steps))
    net.train()
    for chosen in draw_batches(len(labels), batch_size, setting.steps, seed).to(inputs.device):
        loss = F.cross_entropy(net(inputs[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def fine_tune(features: FrameEncoder, images: Tensor, labels: Tensor, num_classes: int, setting: Setting,
              batch_size: int = 512, seed: int = 0) -> FrameClassifier:
    """A copy of the encoder and a fresh head, trained together; all draws are functions of the seed."""
    with seeded(seed, images.device):
        net = FrameClassifier(copy.deepcopy(features), nn.Linear(features.width, num_classes)).to(images.device)
        train(net, images, labels, setting, batch_size, seed)
    return net


def train_head(features: Tensor, labels: Tensor, num_classes: int, setting: Setting, batch_size: int = 512,
               seed: int = 0) -> nn.Linear:
    """A linear classifier of features ``(N, D)``, trained on standardised channels, for the features as they are."""
    shift, scale = (part.to(features.device) for part in channel_statistics(features.unsqueeze(1)))
    with seeded(seed, features.device):
        head = nn.Linear(features.shape[1], num_classes).to(features.device)
        train(head, (features - shift) / scale, labels, setting, batch_size, seed)
    with torch.no_grad():
        head.weight /= scale
        head.bias -= head.weight @ shift
    return head


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's own generators start from the seed (heads, dropout) and are put back afterwards."""
    with torch.random.fork_rng([device] if device.type == 'cuda' else []):
        torch.manual_seed(seed)
        yield


@torch.no_grad()
def apply(net: nn.Module, inputs: Tensor, device: torch.device) -> Tensor:
    """Outputs ``(N, ...)`` of a network in evaluation mode."""
    net.eval()
    return torch.cat([net(part.to(device)) for part in inputs.split(TOGETHER)])


def accuracy(net: nn.Module, inputs: Tensor, labels: Tensor, device: torch.device) -> float:
    """Share of inputs in [0, 1] whose largest logit is their label's; one that is not finite counts as wrong."""
    return accuracy_of_batches(net, [(inputs, labels)], device)


def accuracy_of_batches(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> float:
    """The same over batches of inputs and labels, one of which is looked at at a time."""
    right = count = 0
    for inputs, labels in batches:
        logits = apply(net, inputs, device)
        right += ((logits.argmax(1) == labels.to(device)) & logits.isfinite().all(1)).sum().item()
        count += len(labels)
    return right / count
