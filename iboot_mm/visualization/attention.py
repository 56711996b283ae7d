"""Where an image model looks: the attention of the token that its feature is made of (iBoot, Figure 2)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from timm.layers import AttentionPoolLatent
from torch import Tensor, nn

from ..models.teachers import FrozenTeacher, OpenCLIPTeacher, TimmTeacher


def attention_maps(teacher: FrozenTeacher, clips: Tensor) -> Tensor:
    """Attention to each patch of each frame, head by head, in the last layer.

    Args:
        teacher: See :func:`attention_rows`.
        clips: Clips ``(N, C, T, H, W)`` in [0, 1].

    Returns:
        float32 ``(N, T, heads, h, w)`` over the grid of patches. What goes to the class token and to registers is left
        out, so a map sums to 1 at most.

    Raises:
        ValueError: see :func:`attention_rows`.
    """
    rows = attention_rows(teacher, clips)
    height, width = _grid(teacher)
    return rows[..., -height * width:].unflatten(-1, (height, width))


def attention_rows(teacher: FrozenTeacher, clips: Tensor) -> Tensor:
    """What the last layer mixes into the teacher's feature of each frame: for each head a distribution over all tokens.

    The query is the class token, as in the paper's figure and in DINO's; where an attention pooling makes the feature
    (``embedding`` of SigLIP and PE), it is that pooling's own. The weights are those of the very pass that makes
    targets: the teacher's scaling, normalisation, precision and chunks.

    Args:
        teacher: A ViT of timm or open_clip.
        clips: Clips ``(N, C, T, H, W)`` in [0, 1].

    Returns:
        float32 ``(N, T, heads, L)``, rows of sum 1; the patches, line by line, are the last of the L tokens.

    Raises:
        ValueError: the teacher is no ViT of these libraries, or has no such token.
    """
    with _recorded(teacher) as rows:
        teacher(clips)
    return torch.cat(rows).float().unflatten(0, (len(clips), -1))


@contextmanager
def _recorded(teacher: FrozenTeacher) -> Iterator[list[Tensor]]:
    """Collects rows ``(B, heads, L)`` of the passes inside the block, after which the network is as it was."""
    network, rows = _vit(teacher), []
    pooling = getattr(network, 'attn_pool', None) if teacher.output == 'embedding' else None
    with ExitStack() as stack:
        if isinstance(pooling, AttentionPoolLatent):
            _record_pooling(pooling, rows, stack)
        elif hasattr(network, 'transformer') and pooling is None:
            _record_multihead(network.transformer.resblocks[-1].attn, rows, stack)
        elif getattr(network, 'cls_token', None) is not None and pooling is None:
            _record_class_token(network, rows, stack)
        else:
            raise ValueError(f'Teacher {teacher.name} has neither a class token nor one attention pooling in place of '
                             'it, so there is no attention to draw: take another ViT')
        yield rows


def _vit(teacher: FrozenTeacher) -> nn.Module:
    """The transformer itself, timm's or open_clip's."""
    network = teacher.network if isinstance(teacher, (TimmTeacher, OpenCLIPTeacher)) else None
    network = getattr(network, 'trunk', network)
    if hasattr(getattr(network, 'patch_embed', None), 'dynamic_feat_size') or hasattr(network, 'grid_size'):
        return network
    raise ValueError(f'Teacher {teacher.name} is no ViT of timm or open_clip, and attention is drawn of these alone: '
                     'take one such as dino_vit_b16')


def _grid(teacher: FrozenTeacher) -> tuple[int, int]:
    """Patches ``(h, w)`` of a frame."""
    network = _vit(teacher)
    return network.grid_size if hasattr(network, 'grid_size') else network.patch_embed.dynamic_feat_size(
        teacher.input_size)


def _record_class_token(network: nn.Module, rows: list[Tensor], stack: ExitStack) -> None:
    """Of timm's last attention; its fused kernel never holds the weights."""
    name = [name for name, _ in network.named_modules() if name.endswith('attn_drop')][-1]
    attention = network.get_submodule(name.rpartition('.')[0])
    stack.callback(setattr, attention, 'fused_attn', getattr(attention, 'fused_attn', False))
    attention.fused_attn = False
    stack.enter_context(attention.attn_drop.register_forward_hook(lambda _, __, weights: rows.append(weights[:, :, 0])))


def _record_multihead(attention: nn.MultiheadAttention, rows: list[Tensor], stack: ExitStack) -> None:
    """Of open_clip's own ViT, whose blocks ask torch for no weights."""
    ask = lambda _, args, options: (args, dict(options, need_weights=True, average_attn_weights=False))
    stack.enter_context(attention.register_forward_pre_hook(ask, with_kwargs=True))
    stack.enter_context(attention.register_forward_hook(lambda _, __, output: rows.append(output[1][:, :, 0])))


def _record_pooling(pooling: AttentionPoolLatent, rows: list[Tensor], stack: ExitStack) -> None:
    """Of timm's attention pooling, which has no place for its weights; queries and keys pass through its norms."""
    queries = []

    def mix(_: Any, __: Any, keys: Tensor) -> None:
        logits = queries.pop()[:, :, :1] * pooling.scale @ keys.transpose(-2, -1)  # (B, heads, 1, L)
        rows.append(logits.softmax(-1)[:, :, 0])

    stack.enter_context(pooling.q_norm.register_forward_hook(lambda _, __, query: queries.append(query)))
    stack.enter_context(pooling.k_norm.register_forward_hook(mix))
