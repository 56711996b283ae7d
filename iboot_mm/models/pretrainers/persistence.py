"""What the four methods of the large-scale study share (Feichtenhofer et al., 2021, https://arxiv.org/abs/2104.14558).

Their embeddings are to persist over rho clips of a video: each clip is a query once, the other clips are its positives.
The clips are ``SampleViews(num_views=rho)``; rho = 1, two crops of one instant, is ``num_views=2, same_clip=True``.
"""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from ..modules.batch_norm import separate_views
from ..modules.momentum import Embedder
from ..modules.projectors import MLP
from .base import BasePretrainer

REDUCTIONS = ('mean', 'sum')
# Settings that have another name than the part whose shape they decide on.
SETTINGS = dict(queue='queue_size', prototypes='num_prototypes')


class PersistencePretrainer(BasePretrainer):
    """A backbone with a projection head, and a loss that is reduced over the clips as queries.

    BN normalises within one clip of each of the videos, as in the study, where each clip has a forward pass of its own.

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width of the backbone's features.
        projector: Arguments of :class:`~iboot_mm.models.modules.projectors.MLP` but ``in_dim``.
        reduction: ``'mean'`` over the rho sub-losses (section 3.2) or ``'sum'``, as PySlowFast; LARS makes all but
            biases and BN blind to the difference.
        one_pass: All clips of a video in one forward and backward pass: the same up to rounding, in fewer and larger
            kernels, with SyncBN's exchanges of one clip instead of rho. It takes the memory of all clips, which MoCo
            and BYOL do not need otherwise. The pass of a momentum copy is always one.
        **kwargs: ``data_preprocessor``, ``init_cfg``, ``normalization``, ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.VideoEncoder`.

    Raises:
        ValueError: unknown reduction, or one pass with a backbone that saves memory by recomputation.
        ValueError: on loading a checkpoint in which a weight or the queue has another shape.
    """

    def __init__(self, backbone: dict, feature_dim: int, projector: dict, reduction: str = 'mean',
                 one_pass: bool = False, **kwargs: Any) -> None:
        super().__init__(backbone, **kwargs)
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction={reduction!r} is unknown: choose 'mean' (the paper) or 'sum' (PySlowFast)")
        if one_pass and any(getattr(module, 'with_cp', False) for module in self.backbone.modules()):
            raise ValueError('model.one_pass=True spends memory to save time, and model.backbone.with_cp=True the '
                             'reverse: leave one of them out')
        self.feature_dim = feature_dim
        self.one_pass = one_pass
        self.reduction = reduction
        self.projector = MLP(feature_dim, **projector)
        self.embedding_dim = projector['out_dim']

    @property
    def online(self) -> nn.Module:
        """Backbone and projector as one network, which a momentum copy follows."""
        return Embedder(self.backbone, self.projector, self.feature_dim)

    def embed(self, clips: Tensor) -> Tensor:
        """Clips ``(N, C, T, H, W)`` in [0, 1] to embeddings ``(N, D)``."""
        return self.online(self.normalize(clips))

    def embed_views(self, views: Tensor) -> Tensor:
        """Views ``(N, V, C, T, H, W)`` in [0, 1] to embeddings ``(V, N, D)``."""
        return self.each_view(lambda clips: (self.embed(clips), ), views)[0]

    def each_view(self, function: Callable[[Tensor], tuple[Tensor, ...]], views: Tensor) -> list[Tensor]:
        """What a function of clips ``(N, C, T, H, W)`` returns for each view, stacked to ``(V, ...)``."""
        if not self.one_pass:
            return [torch.stack(outputs) for outputs in zip(*map(function, views.unbind(1)), strict=True)]
        stacked = views.transpose(0, 1)
        with separate_views(self, len(stacked)):
            return [output.unflatten(0, stacked.shape[:2]) for output in function(stacked.flatten(0, 1))]

    def reduce(self, losses: Tensor) -> Tensor:
        """Sub-losses ``(V, ...)``: the mean over all, or over all but the first axis and the sum over that."""
        return losses.mean() if self.reduction == 'mean' else losses.mean() * len(losses)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        # mmengine only logs a mismatch of shapes, and training would go on with a random head or queue.
        for key, value in self.state_dict().items():
            saved, part = state_dict.get(prefix + key, value), key.split('.')[0]
            if saved.shape != value.shape:
                raise ValueError(
                    f'{key} is {tuple(saved.shape)} in the checkpoint and {tuple(value.shape)} in the config: set '
                    f'model.{SETTINGS.get(part, part)} and its like to what it was trained with, or load the backbone '
                    "alone with model.backbone.init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')")

    def check_views(self, views: Tensor) -> None:
        """Raises a ValueError if the views hold no pair of clips."""
        if views.shape[1] < 2:
            raise ValueError(f'{type(self).__name__} compares clips of a video, and got one: set num_views of '
                             'SampleViews to rho (for rho = 1: num_views=2, same_clip=True)')


class SequentialPretrainer(PersistencePretrainer):
    """A method that backpropagates one sub-loss after the other, so memory is that of one clip, whatever rho is.

    That is the study's section 3.2 for MoCo and BYOL, whose targets get no gradient. ``train_step`` does it for any
    optimizer wrapper, and :class:`~iboot_mm.engine.model_wrapper.DistributedPretrainer` with one exchange of gradients
    per step. Mode ``'loss'`` is the whole loss in one piece: the same gradient, at rho times the memory; with
    ``one_pass`` that is what a training step takes.
    """

    @abstractmethod
    def targets(self, views: Tensor) -> tuple[Tensor, ...]:
        """What all sub-losses of a step compare with, for views ``(N, V, C, T, H, W)``; without gradient."""

    @abstractmethod
    def queries(self, clips: Tensor) -> tuple[Tensor, ...]:
        """What the trained network makes of clips ``(N, C, T, H, W)``: tensors ``(N, ...)``."""

    @abstractmethod
    def compare(self, queries: tuple[Tensor, ...], view: int, targets: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Sub-loss ``loss`` of the queries of one view, and figures to log."""

    def sub_loss(self, clips: Tensor, view: int, targets: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Sub-loss ``loss`` of the clips ``(N, C, T, H, W)`` of one view as queries, and figures to log."""
        return self.compare(self.queries(clips), view, targets)

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None, mode: str = 'tensor',
                view: int = 0, targets: tuple[Tensor, ...] = ()) -> dict[str, Tensor] | list[ActionDataSample] | Tensor:
        """As :meth:`BasePretrainer.forward`; mode ``'sub_loss'`` takes the clips of one view, and the targets."""
        if mode == 'sub_loss':
            return self.sub_loss(inputs, view, targets)
        return super().forward(inputs, data_samples, mode)

    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """The reduced sub-losses, in one piece; logged figures are means over the views."""
        self.check_views(views)
        targets = self.targets(views)
        queries = self.each_view(self.queries, views)
        return self._gather([self.compare(of_view, view, targets)
                             for view, of_view in enumerate(zip(*queries, strict=True))])

    def train_step(self, data: dict | tuple | list, optim_wrapper: OptimWrapper,
                   network: nn.Module | None = None) -> dict[str, Tensor]:
        """One step: each view's forward pass is followed by its backward pass; with ``one_pass`` that of all views.

        Args:
            data: A batch of the data loader.
            optim_wrapper: Any of mmengine's.
            network: What runs the sub-losses: this model, or the distributed wrapper around it.

        Returns:
            What to log.
        """
        network = self if network is None else network
        views = self.data_preprocessor(data, True)['inputs']
        self.check_views(views)
        if self.one_pass:
            with optim_wrapper.optim_context(network):
                loss, log = self.parse_losses(network(views, mode='loss'))
            optim_wrapper.update_params(loss)
            return log
        with optim_wrapper.optim_context(network):
            targets = self.targets(views)
        num_views = views.shape[1]
        weight = 1 / num_views if self.reduction == 'mean' else 1.
        parts = []
        for view, clips in enumerate(views.unbind(1)):
            last = view == num_views - 1
            with optim_wrapper.optim_context(network), nullcontext() if last else _without_exchange(network):
                part = network(clips, mode='sub_loss', view=view, targets=targets)
            loss = weight * part['loss']
            if last:
                optim_wrapper.update_params(loss)
            else:
                _backward(optim_wrapper, loss)
            parts.append({key: value.detach() for key, value in part.items()})
        return self.parse_losses(self._gather(parts))[1]

    def _gather(self, parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        stacked = {key: torch.stack([part[key] for part in parts]) for key in parts[0]}
        return {key: self.reduce(values) if key == 'loss' else values.mean() for key, values in stacked.items()}


def unit(embeddings: Tensor) -> Tensor:
    """Unit vectors of embeddings ``(..., D)``, float32 whatever the autocast state."""
    return F.normalize(embeddings.float(), dim=-1)


def _without_exchange(network: nn.Module) -> AbstractContextManager:
    return network.no_sync() if hasattr(network, 'no_sync') else nullcontext()


def _backward(optim_wrapper: OptimWrapper, loss: Tensor) -> None:
    """Adds the gradients of a part of a step's loss; mmengine would count each backward pass as one of accumulation."""
    count = optim_wrapper._inner_count
    optim_wrapper.backward(optim_wrapper.scale_loss(loss))
    optim_wrapper._inner_count = count
