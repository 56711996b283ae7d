"""Optimizers with settings per parameter, for models with a momentum copy."""

from typing import Any

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from ...models.modules.momentum import MomentumCopy


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class OnlineNetworkConstructor(DefaultOptimWrapperConstructor):
    """mmengine's, which with ``paramwise_cfg`` warns of each parameter that it leaves out; a copy has 165 of a R50's.

    Example:
        >>> optim_wrapper = dict(constructor='OnlineNetworkConstructor', paramwise_cfg=dict(norm_decay_mult=0.))
    """

    def add_params(self, params: list[dict], module: nn.Module, prefix: str = '', **kwargs: Any) -> None:
        """Adds the groups of a module's parameters to ``params``, and none of a momentum copy: it gets no gradient."""
        if not isinstance(module, MomentumCopy):
            super().add_params(params, module, prefix, **kwargs)
