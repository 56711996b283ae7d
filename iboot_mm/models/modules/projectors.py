"""Projection and prediction heads."""

from torch import nn

from ...ranges import at_least


class MLP(nn.Sequential):
    """Linear layers with BN and ReLU after each hidden one; features ``(N, in_dim)`` to ``(N, out_dim)``.

    The projection and prediction heads of the large-scale study (Feichtenhofer et al., 2021, appendix B.1): the last
    layer has a bias and no BN. Weights start uniform with a variance of 1 / fan-in, biases at 0, as in PySlowFast; the
    study cites Glorot and Bengio, whose variance is 2 / (fan-in + fan-out).

    Args:
        in_dim: Width of the input.
        hidden_dim: Width of the hidden layers.
        out_dim: Width of the output.
        num_layers: Linear layers, at least 1.
        norm: Whether hidden layers are followed by BN; otherwise they have a bias.
    """

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int, num_layers: int, norm: bool = True) -> None:
        at_least(1, 'MLP', num_layers=num_layers, hidden_dim=hidden_dim, out_dim=out_dim)
        layers: list[nn.Module] = []
        width = in_dim
        for _ in range(num_layers - 1):
            layers += [nn.Linear(width, hidden_dim, bias=not norm)]
            layers += [nn.BatchNorm1d(hidden_dim)] if norm else []
            layers += [nn.ReLU(inplace=True)]
            width = hidden_dim
        super().__init__(*layers, nn.Linear(width, out_dim))
        for layer in self:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, a=1)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
