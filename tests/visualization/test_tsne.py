"""What lies side by side in a panel lay side by side in the features."""

import pytest
import torch
from matplotlib.colors import to_rgba

from iboot_mm.visualization import draw_tsne


def test_groups_stay_groups_and_noise_stays_noise():
    torch.manual_seed(0)
    labels = torch.arange(60) % 3
    grouped = torch.randn(3, 16)[labels] * 4 + torch.randn(60, 16) * .3
    figure = draw_tsne({'grouped': grouped, 'noise': torch.randn(60, 16)}, labels.tolist())
    right = {}
    for axis in figure.axes:
        dots = axis.collections[0]
        places = torch.tensor(dots.get_offsets().data)
        distances = torch.cdist(places, places).fill_diagonal_(torch.inf)
        right[axis.get_title(loc='left')] = (labels[distances.argmin(1)] == labels).float().mean().item()
        colours = [tuple(colour) for colour in dots.get_facecolors()]
        assert len({(colour, label) for colour, label in zip(colours, labels.tolist())}) == 3  # one each
        assert colours[1] == pytest.approx(to_rgba('tab:orange'))
    assert right['grouped'] == 1 and right['noise'] < .6
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ['0', '1', '2']


def test_too_few_videos_are_told():
    with pytest.raises(ValueError, match='4 videos at least, got 3'):
        draw_tsne({'a': torch.rand(3, 2)}, [0, 1, 2])
