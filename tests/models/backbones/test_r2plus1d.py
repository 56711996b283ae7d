"""The study's R(2+1)D-18 against counts by hand, and against the same layers one after another."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from iboot_mm.models.backbones import R2Plus1D18
from iboot_mm.models.modules.dilation import dilate_res5

from .test_slow import randomise


def stage(before: int, after: int, cells: int, cells_between: int) -> tuple[int, int]:
    """Weights and multiply-adds of two blocks whose maps have ``cells``, by hand; all but the first halve everything.

    ``cells_between`` are those between the first two convolutions, where only height and width are halved.
    """
    space, time, norm = 9 * after * after, 3 * after * after, 2 * after
    first = 9 * before * after
    shortcut = before * after if before != after else 0
    weights = first + 3 * space + 4 * time + 8 * norm + shortcut + (norm if shortcut else 0)
    return weights, first * cells_between + (3 * space + 4 * time + shortcut) * cells


def test_counts_of_each_part_are_those_by_hand():
    """At 32 x 224 x 224: 15.4 M weights and 48.5 G multiply-adds, which is all that the study says (Table 5)."""
    expected = {
        'stem': (3 * 64 * 3 * 7 * 7 + 2 * 64, 3 * 64 * 3 * 7 * 7 * 32 * 112 * 112),
        'layer1': stage(64, 64, 32 * 56 * 56, 32 * 56 * 56),
        'layer2': stage(64, 128, 16 * 28 * 28, 32 * 28 * 28),
        'layer3': stage(128, 256, 8 * 14 * 14, 16 * 14 * 14),
        'layer4': stage(256, 512, 4 * 7 * 7, 8 * 7 * 7),
    }
    with torch.device('meta'), torch.no_grad():
        network = R2Plus1D18().eval()
        with FlopCounterMode(display=False) as counter:
            assert network(torch.zeros(1, 3, 32, 224, 224)).shape == (1, 512, 4, 7, 7)
    found = counter.get_flop_counts()
    for name, (weights, multiply_adds) in expected.items():
        assert sum(parameter.numel() for parameter in getattr(network, name).parameters()) == weights, name
        assert sum(found[f'R2Plus1D18.{name}'].values()) == 2 * multiply_adds, name
    assert [name for name, _ in network.named_children()] == [*expected]
    weights, multiply_adds = (sum(part[n] for part in expected.values()) for n in (0, 1))
    assert (weights / 1e6, multiply_adds / 1e9) == pytest.approx((15.4, 48.5), abs=.05)


def step_by_step(state: dict, clips: torch.Tensor) -> torch.Tensor:
    """The same network from its weights alone."""
    def conv(x, name, stride=(1, 1, 1)):
        kernel = state[f'{name}.weight']
        return F.conv3d(x, kernel, stride=stride, padding=[size // 2 for size in kernel.shape[2:]])

    def norm(x, name):
        return F.batch_norm(x, *(state[f'{name}.{part}'] for part in (
            'running_mean', 'running_var', 'weight', 'bias')))

    x = norm(conv(clips, 'stem.0', (1, 2, 2)), 'stem.1').relu()
    x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for layer in range(1, 5):
        for block in range(2):
            name, stride = f'layer{layer}.{block}', 2 if layer > 1 and block == 0 else 1
            y = x
            for number, by in ((1, stride), (2, 1)):
                y = norm(conv(y, f'{name}.conv{number}.0.0', (1, by, by)), f'{name}.conv{number}.0.1').relu()
                y = norm(conv(y, f'{name}.conv{number}.0.3', (by, 1, 1)), f'{name}.conv{number}.1')
                y = y.relu() if number == 1 else y
            x = norm(conv(x, f'{name}.downsample.0', (2, 2, 2)), f'{name}.downsample.1') if stride == 2 else x
            x = (x + y).relu()
    return x


@torch.no_grad()
@pytest.mark.parametrize('shape', [(16, 64, 64), (5, 33, 47)])
def test_the_map_is_that_of_its_layers(shape):
    network = randomise(R2Plus1D18()).eval()
    clips = torch.randn(2, 3, *shape)
    features = network(clips)
    assert features.shape == (2, 512, *(-(-size // factor) for size, factor in zip(shape, (8, 32, 32))))
    torch.testing.assert_close(features, step_by_step(network.state_dict(), clips), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_detection_gets_a_map_twice_as_fine():
    network = R2Plus1D18().eval()
    names = list(network.state_dict())
    assert dilate_res5(network)
    assert network(torch.zeros(1, 3, 16, 64, 96)).shape == (1, 512, 2, 4, 6) and list(network.state_dict()) == names
