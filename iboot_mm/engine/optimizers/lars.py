"""LARS: layer-wise adaptive rate scaling (You et al., 2017, https://arxiv.org/abs/1708.03888).

The variant of the large-scale study on video self-supervision (Feichtenhofer et al., 2021), on which iBoot's recipe
stands: the trust ratio scales gradient and decay together, the learning rate stays outside the momentum buffer (as in
torch's SGD, so a schedule acts at once on the whole step), and Nesterov's look-ahead is an option. mmpretrain's LARS
folds the learning rate into the buffer: equal at a constant rate, but weights drift by a tenth over a warm-up and
cosine.
"""

from collections.abc import Callable, Iterable, Iterator

import torch
from mmaction.registry import OPTIMIZERS
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.sgd import sgd

from ...ranges import above_zero, at_least, below_one

# Weights whose scaled gradients are made together: few enough to fit into memory that the part before has freed and, on
# a CPU, into its cache until the momentum reads them; enough for few kernels on a GPU.
WEIGHTS_TOGETHER = 2**22


def trust_ratios(params: list[Tensor], grads: list[Tensor], weight_decay: float, trust: float, eps: float) -> Tensor:
    """What scales gradient and decay of each tensor, ``trust * |p| / (|g| + weight_decay * |p| + eps)``.

    1 for a tensor that is zero, which so passes its gradient on as it is; 0 for one whose gradient is zero, which so
    gets an update of zero, without decay.

    Args:
        params: L parameters on one device.
        grads: Their gradients.
        weight_decay: Factor of the L2 penalty.
        trust: Trust coefficient.
        eps: Keeps the ratio finite.

    Returns:
        Ratios ``(L,)`` on that device.
    """
    param_norms = torch.stack(torch._foreach_norm(params))
    grad_norms = torch.stack(torch._foreach_norm(grads))
    ratios = trust * param_norms / (grad_norms + weight_decay * param_norms + eps)
    # A choice on the device: asking in Python whether a norm is zero would wait for the GPU once per tensor.
    return torch.where(grad_norms > 0, torch.where(param_norms > 0, ratios, 1.), 0.)


@OPTIMIZERS.register_module()
class LARS(Optimizer):
    """LARS with the learning rate outside the momentum buffer.

    Parameters of at most one dimension (biases, the scale and shift of a normalisation) and all parameters of a group
    with ``lars_exclude=True`` are free of the trust ratio and of weight decay. No step waits for the device.

    Example:
        >>> optim_wrapper = dict(
        ...     optimizer=dict(type='LARS', lr=2.4 * 416 / 256, momentum=.9, weight_decay=1e-6),
        ...     paramwise_cfg=dict(custom_keys={'cls_token': dict(lars_exclude=True)}))

    Args:
        params: Parameters or groups of parameters.
        lr: Learning rate.
        momentum: Momentum factor.
        weight_decay: Factor of the L2 penalty.
        trust: Trust coefficient.
        nesterov: Nesterov momentum. The paper does not name it, its framework has it on: off by default.
        eps: Keeps the trust ratio finite.

    Raises:
        ValueError: a negative or inconsistent setting.
    """

    def __init__(self, params: Iterable[Tensor] | Iterable[dict], lr: float, momentum: float = .9,
                 weight_decay: float = 0., trust: float = 1e-3, nesterov: bool = False, eps: float = 1e-8) -> None:
        at_least(0, 'LARS', lr=lr, weight_decay=weight_decay, eps=eps)
        below_one('LARS', momentum=momentum)
        above_zero('LARS', trust=trust)
        if nesterov and momentum == 0:
            raise ValueError('LARS: nesterov=True needs a momentum above 0')
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, trust=trust,
                                      nesterov=nesterov, eps=eps, lars_exclude=False))

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One optimizer step; returns the loss of ``closure`` if one is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for params in _by_device_and_dtype(group['params']):
                self._step(params, group)
        return loss

    def _step(self, params: list[Tensor], group: dict) -> None:
        adaptive = [p for p in params if p.ndim > 1 and not group['lars_exclude']]
        plain = [p for p in params if p.ndim <= 1 or group['lars_exclude']]
        self._descend(plain, [_laid_out_as(p, p.grad) for p in plain], group)
        if not adaptive:
            return
        decay = group['weight_decay']
        ratios = trust_ratios(adaptive, [p.grad for p in adaptive], decay, group['trust'], group['eps']).unbind()
        for part in _parts(adaptive, WEIGHTS_TOGETHER):
            updates = torch._foreach_add([_laid_out_as(p, p.grad) for p in adaptive[part]], adaptive[part], alpha=decay)
            torch._foreach_mul_(updates, ratios[part])
            self._descend(adaptive[part], list(updates), group)

    def _descend(self, params: list[Tensor], updates: list[Tensor], group: dict) -> None:
        """SGD with momentum along the updates."""
        buffers = [self._buffer(p) for p in params]
        # Fused, one pass reads and writes each weight once, but takes memory as it lies: no strides may differ. The
        # foreach variant would write its look-ahead into p.grad.
        fused = all(p.device.type in ('cpu', 'cuda') and p.stride() == u.stride() == b.stride()
                    for p, u, b in zip(params, updates, buffers, strict=True))
        sgd(params, updates, buffers, fused=fused, foreach=False, weight_decay=0., momentum=group['momentum'],
            lr=group['lr'], dampening=0., nesterov=group['nesterov'], maximize=False)

    def _buffer(self, param: Tensor) -> Tensor:
        state = self.state[param]
        if 'momentum_buffer' not in state:
            state['momentum_buffer'] = torch.zeros_like(param, memory_format=torch.preserve_format)
        state['momentum_buffer'] = _laid_out_as(param, state['momentum_buffer'])  # a checkpoint's may lie otherwise
        return state['momentum_buffer']


def _laid_out_as(param: Tensor, tensor: Tensor) -> Tensor:
    """A tensor in a parameter's memory layout (gradients of 1 x 1 x 1 kernels in channels-last come in another one)."""
    return tensor if tensor.stride() == param.stride() else torch.empty_like(param).copy_(tensor)


def _by_device_and_dtype(params: Iterable[Tensor]) -> Iterable[list[Tensor]]:
    """The parameters that have a gradient, in lists that one foreach kernel can take."""
    groups: dict[tuple, list[Tensor]] = {}
    for param in params:
        if param.grad is not None:
            if param.grad.is_sparse:
                raise RuntimeError('LARS does not support sparse gradients: use dense embeddings')
            groups.setdefault((param.device, param.dtype), []).append(param)
    return groups.values()


def _parts(params: list[Tensor], size: int) -> Iterator[slice]:
    """Slices of the list of about ``size`` weights each; a larger tensor is a slice of its own."""
    start, count = 0, 0
    for place, param in enumerate(params):
        if place > start and count + param.numel() > size:
            yield slice(start, place)
            start, count = place, 0
        count += param.numel()
    yield slice(start, len(params))
