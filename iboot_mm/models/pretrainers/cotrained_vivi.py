"""VIVI that learns from labelled images, too (https://arxiv.org/abs/1912.02783, section 3.1 and section 4)."""

from typing import Any

import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from ..preprocessors.co_training import CoTrainingPreprocessor
from .vivi import VIVI


@MODELS.register_module()
class CoTrainedVIVI(VIVI):
    """L_SSL of videos + gamma x the cross entropy of a linear classifier on the encoder, of labelled images.

    A step's batch is a pair, videos and images, which are independent of each other; MMAction2's
    ``MultiLoaderEpochBasedTrainLoop`` gives it. Both go through one forward pass of this module, so that the
    distributed wrapper exchanges their gradients at once. BN would see the statistics of the two in turn: the paper
    has GroupNorm and weight standardisation here (``norm='gn'`` of ``FrameResNetV2``).

    Example:
        >>> images = dict(batch_size=64, sampler=dict(type='EndlessSampler'), dataset=dict(type='LabelledImages'))
        >>> train_cfg = dict(type='MultiLoaderEpochBasedTrainLoop', max_epochs=100, other_loaders=[images])
        >>> model = dict(type='CoTrainedVIVI', backbone=dict(type='FrameResNetV2', norm='gn'), feature_dim=2048,
        ...              num_shots=4, shot_loss=dict(type='ExemplarHead'), num_classes=1000)

    Args:
        backbone: Config of the frame encoder.
        feature_dim: Width D of its features.
        num_shots: Shots K of a video.
        shot_loss: Config of L_S.
        num_classes: C, of the images.
        image_weight: gamma. The text gives no value (the paper sweeps over at most four); 1 is our choice, the weight
            in the public code of the co-training that it follows (https://arxiv.org/abs/1905.03670).
        image_preprocessor: Config of the images' preprocessor; None for that of the videos.
        data_preprocessor: Config of the videos' preprocessor,
            :class:`~iboot_mm.models.preprocessors.ViewPreprocessor`.
        **kwargs: Others of :class:`~iboot_mm.models.pretrainers.VIVI`.

    Raises:
        ValueError: gamma is not above 0.
    """

    def __init__(self, backbone: dict, feature_dim: int, num_shots: int, shot_loss: dict, num_classes: int,
                 image_weight: float = 1., image_preprocessor: dict | None = None,
                 data_preprocessor: dict | None = None, **kwargs: Any) -> None:
        if image_weight <= 0:
            raise ValueError(f'CoTrainedVIVI: image_weight must be above 0, got {image_weight}: without labelled '
                             "images there is dict(type='VIVI')")
        of_videos = {'type': 'ViewPreprocessor', **(data_preprocessor or {})}
        of_images = {'type': 'ViewPreprocessor', **(image_preprocessor or of_videos)}
        super().__init__(backbone, feature_dim, num_shots, shot_loss, data_preprocessor=dict(
            type=CoTrainingPreprocessor, videos=of_videos, images=of_images, num_classes=num_classes), **kwargs)
        self.image_weight = image_weight
        self.classifier = nn.Linear(feature_dim, num_classes)

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None, mode: str = 'tensor',
                images: Tensor | None = None,
                labels: Tensor | None = None) -> dict[str, Tensor] | list[ActionDataSample] | Tensor:
        """As :meth:`VIVI.forward`; mode ``'loss'`` takes labelled images, ``'predict'`` also classifies.

        Args:
            inputs: Views ``(N, V, C, T, H, W)`` in [0, 1].
            data_samples: N data samples; in mode ``'predict'`` each also gets ``pred_score`` ``(C,)``, softmax of the
                logits of its mean feature, which MMAction2's ``AccMetric`` reads.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.
            images: ``(B, C, 1, H, W)`` in [0, 1].
            labels: int64 ``(B,)``.
        """
        if mode == 'loss':
            return {**self.loss(inputs), **self.image_loss(images, labels)}
        outputs = super().forward(inputs, data_samples, mode)
        for sample in outputs if mode == 'predict' else ():
            sample.set_pred_score(self.classifier(sample.feature).softmax(dim=-1))
        return outputs

    def image_loss(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Weighted ``loss_image`` and ``image_accuracy``, this rank's share of right classes in [0, 1]."""
        logits = self.classify(images)
        right = (logits.detach().argmax(dim=1) == labels).float().mean()
        return dict(loss_image=self.image_weight * F.cross_entropy(logits.float(), labels), image_accuracy=right)

    def classify(self, frames: Tensor) -> Tensor:
        """Logits ``(B, C)`` of frames ``(B, 3, H, W)`` or clips ``(B, 3, T, H, W)`` in [0, 1]."""
        clips = frames.unsqueeze(2) if frames.ndim == 4 else frames
        return self.classifier(self.extract_feat(clips).mean(dim=1))
