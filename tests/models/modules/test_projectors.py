"""The MLP against the layout and the first weights of the study and its code."""

import math

import pytest
import torch
from torch import nn

from iboot_mm.models.modules.projectors import MLP


@pytest.mark.parametrize('norm', [True, False])
@pytest.mark.parametrize('num_layers', [1, 2, 3])
def test_layout(num_layers, norm):
    head = MLP(6, 10, 4, num_layers, norm)
    hidden = [nn.Linear, nn.BatchNorm1d, nn.ReLU] if norm else [nn.Linear, nn.ReLU]
    assert [type(layer) for layer in head] == hidden * (num_layers - 1) + [nn.Linear]
    linear = [layer for layer in head if isinstance(layer, nn.Linear)]
    widths = [6] + [10] * (num_layers - 1) + [4]
    assert [(layer.in_features, layer.out_features) for layer in linear] == list(zip(widths, widths[1:]))
    assert [layer.bias is not None for layer in linear] == [not norm] * (num_layers - 1) + [True]
    assert head(torch.randn(5, 6)).shape == (5, 4)


def test_output_by_hand():
    head = MLP(3, 4, 2, 2)
    features = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    hidden = features @ head[0].weight.T
    hidden = ((hidden - hidden.mean(0)) / (hidden.var(0, unbiased=False) + 1e-5).sqrt()).relu()
    torch.testing.assert_close(head(features), hidden @ head[3].weight.T + head[3].bias)


# Largest weights of PySlowFast's projection (2048-4096-256) and prediction head, measured.
@pytest.mark.parametrize('widths, peer', [((2048, 4096, 256), (.038, .027)), ((256, 4096, 256), (.108, .027))])
def test_first_weights_are_uniform_as_the_peers(widths, peer):
    torch.manual_seed(0)
    head = MLP(*widths, num_layers=2)
    for layer, largest in zip((head[0], head[3]), peer):
        bound = math.sqrt(3 / layer.in_features)
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=1e-3) == pytest.approx(largest, abs=6e-4)
        assert layer.weight.std().item() == pytest.approx(1 / math.sqrt(layer.in_features), rel=1e-2)
    assert head[3].bias.eq(0).all()
    assert all(layer.bias.eq(0).all() for layer in MLP(3, 4, 2, 3, norm=False) if isinstance(layer, nn.Linear))


def test_no_layer_is_refused():
    with pytest.raises(ValueError, match='num_layers must be at least 1, got 0'):
        MLP(3, 4, 2, 0)
