"""Frozen networks in a lower precision, cast once."""

import torch
from torch import Tensor, nn

# Layers whose weights only go where autocast casts them. Not their subclasses, which may compute with a weight before
# (weight standardisation), nor what holds for any module: norms, embeddings and scales stay float32 under autocast.
CAST = (nn.Linear, nn.modules.linear.NonDynamicallyQuantizableLinear, nn.Conv1d, nn.Conv2d, nn.Conv3d,
        nn.MultiheadAttention)


class CastWeights:
    """Holds a frozen network's weights in the type that autocast would cast them to in each pass anew.

    The network is to be run under autocast, as before: that finds nothing left to cast in these layers, and the outputs
    are the same bit for bit (but for ``nn.MultiheadAttention`` on a CPU, whose float32 fast path autocast does not
    reach; with cast weights it is not taken). The originals wait in the host's memory, and the state dict has them.

    Args:
        network: Without gradients; its weights float32.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.originals: dict[str, Tensor] = {}

        def show_originals(module: nn.Module, state: dict[str, Tensor], prefix: str, about: dict) -> None:
            state.update({f'{prefix}{name}': original for name, original in self.originals.items()})

        network.register_state_dict_post_hook(show_originals)

    def to(self, dtype: torch.dtype | None) -> None:
        """Casts the weights; None gives them back as they were."""
        weights = dict(self.network.named_parameters())
        for name, original in self.originals.items():
            weights[name].data = original.to(weights[name].device)
        self.originals.clear()
        if dtype is not None:
            for name in self._names():
                self.originals[name] = weights[name].data.cpu()
                weights[name].data = weights[name].data.to(dtype)

    def _names(self) -> list[str]:
        """Of float32 weights that belong to layers in ``CAST`` and to no other."""
        elsewhere = {id(weight) for module in self.network.modules() if type(module) not in CAST
                     for weight in module.parameters(recurse=False)}
        return [name for name, weight in self.network.named_parameters()
                if id(weight) not in elsewhere and weight.dtype == torch.float32]
