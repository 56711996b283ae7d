"""A backbone as a video encoder: clips in, one feature per video out."""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor, nn

from ...weights.state_dicts import misfits
from ..modules.features import frame_features

# MMAction2's ActionDataPreprocessor for RGB, on the [0, 1] scale: weights handed over keep the input that they know.
# The paper's framework, PySlowFast, uses .45 and .225 for every channel.
BACKBONE_MEAN = (123.675 / 255, 116.28 / 255, 103.53 / 255)
BACKBONE_STD = (58.395 / 255, 57.12 / 255, 57.375 / 255)


@MODELS.register_module()
class VideoEncoder(BaseModel):
    """A backbone with its input normalisation; what frozen-feature evaluations run, and what pre-training extends.

    Loads the ``backbone.*`` keys of any checkpoint: of this project's methods, of a published file or of a stock
    MMAction2 recognizer.

    Example:
        >>> model = dict(type='VideoEncoder', backbone=dict(type='SlowResNet', depth=50))
        >>> model.update(channels_last=True, compile=True)  # other kernels: the same up to rounding

    Args:
        backbone: Config of any MMAction2 backbone; what is trained to be kept. Its keys in a checkpoint are
            ``backbone.*``, as in any MMAction2 recognizer.
        data_preprocessor: Config of the preprocessor, :class:`~iboot_mm.models.preprocessors.ViewPreprocessor`.
        init_cfg: mmengine's initialisation config.
        normalization: ``mean`` and ``std`` of RGB on the [0, 1] scale that the backbone knows; None for MMAction2's.
        channels_last: Lay out the weights of the backbone's convolutions, and with them its maps, with the channel as
            the innermost axis (torch's ``channels_last`` in 2D, ``channels_last_3d`` in 3D). A checkpoint says nothing
            of it.
        compile: Run the backbone through ``torch.compile``; a dict is its arguments, such as
            ``dict(mode='max-autotune')``, and so all that a method runs beside it: momentum copy, teacher. Names in
            checkpoints stay.

    Raises:
        ValueError: not three of each, or a deviation that is not positive.
        ValueError: on loading a checkpoint in which a weight of the backbone is missing or has another shape.
    """

    def __init__(self, backbone: dict, data_preprocessor: dict | None = None, init_cfg: dict | None = None,
                 normalization: dict | None = None, channels_last: bool = False,
                 compile: bool | dict = False) -> None:
        preprocessor = {'type': 'ViewPreprocessor', **(data_preprocessor or {})}
        super().__init__(MODELS.build(preprocessor), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.channels_last = channels_last
        self._lay_out(channels_last)
        self._compilation = compile
        self.compile_network(self.backbone)
        normalization = dict(mean=BACKBONE_MEAN, std=BACKBONE_STD) if normalization is None else normalization
        mean, std = (normalization.get(name, ()) for name in ('mean', 'std'))
        if not len(mean) == len(std) == 3 or min(std) <= 0:
            raise ValueError(f'{type(self).__name__}: normalization wants the mean and the positive std of R, G and B, '
                             f'got {normalization}')
        shape = (3, 1, 1, 1)
        self.register_buffer('backbone_mean', torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer('backbone_std', torch.tensor(std).view(shape), persistent=False)

    def init_weights(self) -> None:
        """As mmengine's; a seed gives the same random weights in either layout."""
        self._lay_out(channels_last=False)  # torch draws in the order of memory
        super().init_weights()
        self._lay_out(self.channels_last)

    def _lay_out(self, channels_last: bool) -> None:
        formats = {4: torch.channels_last, 5: torch.channels_last_3d} if channels_last else {}
        for weight in self.backbone.parameters():
            if weight.ndim in (4, 5):
                weight.data = weight.data.contiguous(memory_format=formats.get(weight.ndim, torch.contiguous_format))

    def compile_network(self, network: nn.Module) -> None:
        """Compiles a network, a copy of the backbone, say, if the backbone is to be compiled."""
        if self._compilation is not False:
            network.compile(**({} if self._compilation is True else self._compilation))

    def normalize(self, clips: Tensor) -> Tensor:
        """Clips ``(N, C, T, H, W)`` from [0, 1] to the backbone's own scale."""
        return (clips - self.backbone_mean) / self.backbone_std

    def extract_feat(self, clips: Tensor) -> Tensor:
        """Features of the backbone per time step.

        Args:
            clips: Clips ``(N, C, T, H, W)`` in [0, 1].

        Returns:
            Features ``(N, T', D)``; T' is up to the backbone.
        """
        return frame_features(self.backbone(self.normalize(clips)))

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None,
                mode: str = 'tensor') -> list[ActionDataSample] | Tensor:
        """The ways in which mmengine calls a model without losses.

        Args:
            inputs: Views ``(N, V, C, T, H, W)`` in [0, 1].
            data_samples: N data samples; needed in mode ``'predict'``.
            mode: ``'predict'`` writes into each data sample ``view_features`` ``(V, D)``, averaged over time, float32,
                and their mean ``feature`` ``(D,)``; ``'tensor'`` returns features ``(N, V, T', D)``.

        Raises:
            ValueError: unknown mode.
        """
        if mode not in ('predict', 'tensor'):
            raise ValueError(f"mode={mode!r} is unknown to {type(self).__name__}: choose 'predict' or 'tensor'")
        features = self.extract_feat(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])  # (N, V, T', D)
        if mode == 'tensor':
            return features
        return write_features(data_samples, features)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        # mmengine only logs what does not fit, and the evaluation would go on with random weights.
        own = {f'{prefix}backbone.{key}': value for key, value in self.backbone.state_dict().items()}
        problem = next(misfits(own, state_dict, f'{prefix}backbone.'), None)
        if problem is not None:
            raise ValueError(f'the checkpoint does not fit the backbone of the config ({problem}): it is of another '
                             'depth, width or kind; set model.backbone to what it was trained with')
        super()._load_from_state_dict(state_dict, prefix, *args)


def write_features(data_samples: list[ActionDataSample], features: Tensor) -> list[ActionDataSample]:
    """Writes features ``(N, V, T', D)``, averaged over time, into N data samples; see :meth:`VideoEncoder.forward`."""
    for sample, view_features in zip(data_samples, features.float().mean(dim=2), strict=True):
        sample.view_features = view_features.clone()  # (V, D); a part of the batch would be pickled with all of it
        sample.feature = view_features.mean(dim=0)  # (D,)
    return data_samples
