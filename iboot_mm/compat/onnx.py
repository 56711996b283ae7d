"""Faults of ONNX's runtime."""

from typing import Any


def keep_pads_apart(network: Any) -> None:
    """onnxruntime >= 1.17 (pull request 18136): a pad with zeros is folded into the max pooling behind it.

    The pooling pads with minus infinity, so a stem of BiT's ResNets gives other features. Bounding the padded maps by
    the lowest float changes no value and keeps the two operators apart in an ONNX file. Not part of
    :func:`iboot_mm.compat.apply`: it is for a ``torch.nn.Module`` that is about to be traced. Goes when onnxruntime
    compares the pad's value.
    """
    import torch

    def bound(module: Any, inputs: Any, padded: Any) -> Any:
        return padded.clamp(min=torch.finfo(padded.dtype).min)

    for module in network.modules():
        if isinstance(module, torch.nn.ConstantPad2d):
            module.register_forward_hook(bound)
