"""A GPU that is not there: tensors have shapes, types and a device, and no values.

What this stands on is torch's own ``FakeTensorMode``; what is patched besides is named below and holds inside of
:func:`fake_gpu` alone.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.runner import amp
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from .gpus import GPU

DEVICE = torch.device('cuda', 0)
aten = torch.ops.aten


@contextmanager
def fake_gpu(gpu: GPU) -> Iterator[FakeTensorMode]:
    """Inside, tensors are fake, ``cuda`` exists, and autocast and attention take the ways that they take on ``gpu``."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    # torch.cuda.is_available stays False: where it is True, fake tensors start the driver.
    answers = [
        (torch.cuda, 'is_bf16_supported', gpu.bf16), (torch.cuda, 'current_device', 0),
        (torch.cuda, 'get_device_capability', gpu.capability),
        # torch.autocast, GradScaler and mmengine ask these whether there is a GPU, and switch themselves off.
        (torch.cuda.amp.common, 'amp_definitely_not_available', False),
        (amp_optimizer_wrapper, 'is_cuda_available', True), (amp, 'get_device', 'cuda')]
    optimizers = importlib.import_module('torch.optim.optimizer')  # a function of torch.optim has its name
    with ExitStack() as stack:
        for owner, name, answer in answers:
            stack.enter_context(mock.patch.object(owner, name, lambda *_, answer=answer, **__: answer))
        stack.enter_context(mock.patch.object(F, 'scaled_dot_product_attention', _attention(gpu)))
        stack.enter_context(mock.patch.object(nn.Module, '_apply', _apply))  # torch's cannot exchange fake weights
        # torch's draws anew until no value is outside, and there are no values to look at.
        stack.enter_context(mock.patch.object(nn.init, '_no_grad_trunc_normal_', _as_drawn))
        # torch's copies the storage, whose memory is not there: the process then ends in a segmentation fault.
        stack.enter_context(mock.patch.object(FakeTensor, '__deepcopy__', _deepcopy, create=True))
        stack.enter_context(mock.patch.object(nn.Parameter, '__deepcopy__', _deepcopy))
        stack.enter_context(mock.patch.object(torch._VF, 'lstm', _without_cudnn(torch._VF.lstm)))
        stack.enter_context(mock.patch.object(FakeTensor, 'numpy', _numpy, create=True))
        # Where an optimizer takes all weights in one kernel, if they are none of a subclass.
        stack.enter_context(mock.patch.object(
            optimizers, '_foreach_supported_types', [*optimizers._foreach_supported_types, FakeTensor]))
        fused = torch.backends.mha.get_fastpath_enabled()  # one kernel for all of a layer, which nobody can count
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fused)
        stack.enter_context(mode)
        yield mode


def _attention(gpu: GPU) -> Callable[..., Tensor]:
    """Attention by the kernel that torch chooses on a GPU; without a driver it would choose none."""

    def attend(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.,
               is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> Tensor:
        if torch.is_autocast_enabled('cuda'):
            dtype = torch.get_autocast_dtype('cuda')
            query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
        kernels = query.ndim == 4 and query.device.type == 'cuda' and not enable_gqa
        width = query.shape[-1]
        if kernels and gpu.bf16 and query.dtype != torch.float32 and attn_mask is None and width % 8 == 0:
            return aten._scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal, scale=scale)[0]
        if kernels and width % (4 if query.dtype == torch.float32 else 8) == 0:
            if attn_mask is not None:
                if attn_mask.dtype == torch.bool:
                    attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill(~attn_mask, float('-inf'))
                attn_mask = attn_mask.to(query.dtype).expand(*query.shape[:2], query.shape[2], key.shape[2])
            return aten._scaled_dot_product_efficient_attention(
                query, key, value, attn_mask, torch.is_grad_enabled() and query.requires_grad, dropout_p, is_causal,
                scale=scale)[0]
        return aten._scaled_dot_product_attention_math(query, key, value, attn_mask, dropout_p, is_causal,
                                                       scale=scale)[0]

    return attend


def _apply(module: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    for child in module.children() if recurse else ():
        child._apply(function)
    with torch.no_grad():
        for name, parameter in module._parameters.items():
            if parameter is not None and (moved := function(parameter)) is not parameter:
                module._parameters[name] = nn.Parameter(moved.detach(), parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = function(buffer)
    return module


def _as_drawn(tensor: Tensor, *_: object, **__: object) -> Tensor:
    return tensor


def _without_cudnn(function: Callable) -> Callable:
    """A recurrent network that does not ask the driver whether cuDNN takes it; cell by cell, so more kernels."""
    def call(*args: Any) -> tuple[Tensor, ...]:
        with torch.backends.cudnn.flags(enabled=False):
            return function(*args)
    return call


def _numpy(tensor: Tensor, force: bool = False) -> np.ndarray:
    """Zeros; that the host waited for them is known from the copy that it was given."""
    if tensor.device.type != 'cpu' and not force:
        raise TypeError(f'.numpy() of a tensor on {tensor.device}: copy it to the host first')
    return np.zeros(tuple(tensor.shape), str(tensor.dtype).removeprefix('torch.'))


def _deepcopy(tensor: Tensor, memo: dict) -> Tensor:
    if id(tensor) not in memo:
        copied = tensor.detach().clone(memory_format=torch.preserve_format)
        memo[id(tensor)] = (nn.Parameter(copied, tensor.requires_grad) if isinstance(tensor, nn.Parameter)
                            else copied.requires_grad_(tensor.requires_grad))
    return memo[id(tensor)]
