"""From batches of videos and of labelled images to what a co-trained model learns from."""

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor


class CoTrainingPreprocessor(BaseDataPreprocessor):
    """Prepares the pair of batches that MMAction2's ``MultiLoaderEpochBasedTrainLoop`` gives, each with its colours.

    A single batch, as validation and test have it, is prepared as videos are there: without augmentation, so that
    it may hold either.

    Args:
        videos: Config of the videos' preprocessor, :class:`~iboot_mm.models.preprocessors.ViewPreprocessor`.
        images: Config of the images' preprocessor.
        num_classes: Classes of the images.
    """

    def __init__(self, videos: dict, images: dict, num_classes: int) -> None:
        super().__init__()
        self.videos = MODELS.build(videos)
        self.images = MODELS.build(images)
        self.num_classes = num_classes

    def forward(self, data: tuple[dict, dict] | dict, training: bool = False) -> dict:
        """Prepares batches of the data loaders.

        Args:
            data: Videos and images, or one batch for evaluation; each as ``PackViews`` leaves it.
            training: Whether to augment.

        Returns:
            The videos' ``inputs`` ``(N, V, C, T, H, W)`` in [0, 1] and ``data_samples``; with a pair also ``images``
            ``(B, C, 1, H, W)`` in [0, 1] and their ``labels``, int64 ``(B,)``, on the device.

        Raises:
            ValueError: training without images, or images that are no labelled single frames.
        """
        if isinstance(data, dict):
            if training:
                raise ValueError('a co-trained model learns from videos and labelled images at once, and got one of '
                                 "them: set train_cfg=dict(type='MultiLoaderEpochBasedTrainLoop', other_loaders=[...])"
                                 ', with the loader of the images')
            return self.videos(data, training)
        videos, images = data
        labels = self._labels(images)  # before they are on the device, where a look at them would wait for it
        images = self.images(images, training)['inputs']
        if images.shape[1] != 1 or images.shape[3] != 1:
            raise ValueError(f'a co-trained model wants single labelled images from train_cfg.other_loaders, got '
                             f"{images.shape[1]} views of {images.shape[3]} frames: use dict(type='LabelledImages'), "
                             "with dict(type='SampleViews', num_views=1, clip_len=1)")
        return {**self.videos(videos, training), 'images': images[:, 0],
                'labels': labels.to(images.device, non_blocking=True)}

    def _labels(self, images: dict) -> Tensor:
        samples = images.get('data_samples') or []
        without = next((sample for sample in samples if 'gt_label' not in sample), None)
        if without is not None or not samples:
            raise ValueError('a co-trained model wants labelled images from train_cfg.other_loaders, but '
                             f"'{without.get('filename') if samples else 'a batch'}' has no label: use "
                             "dict(type='LabelledImages') there, and put the videos into train_dataloader")
        labels = torch.cat([sample.gt_label.reshape(-1) for sample in samples])
        if labels.max() >= self.num_classes:
            worst = int(labels.argmax())
            raise ValueError(f"'{samples[worst].get('filename')}' has the label {labels[worst]}, but model.num_classes="
                             f'{self.num_classes} allows 0 to {self.num_classes - 1}')
        return labels
