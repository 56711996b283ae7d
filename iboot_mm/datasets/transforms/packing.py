"""What leaves the pipeline."""

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class PackViews(BaseTransform):
    """Pack views and what is known about them.

    Required keys: `imgs`, uint8 (V, T, H, W, 3) or the float16 (V, T, h, w, D) of `TakeTokens`. Returns
    `dict(inputs, data_samples)`: `inputs` is a tensor (V, C, T, H, W) of that type, C = 3 or D; `data_samples` an
    `ActionDataSample` with the metainfo

    - `filename` (str), `sample_idx` (int): the video and its place in the data set,
    - `view_seeds` (list[int]): seeds of the V views for draws on the device,
    - `labels` (dict[str, int]): empty without labels; a single unnamed one is called 'label',
    - `role` (str | None): 'gallery' or 'query' in k-NN evaluation,
    - `unreadable` (list[tuple[str, str]]): (path, reason) of videos that could not be read in this one's place,
    - `replaced` (bool): whether this video stands in for such a one,
    - `img_shape`, `original_shape` (tuple[int, int]), `total_frames` (int), `fps` (float),

    the label that a classifier learns, if there is one, as `gt_label`, and a `target` where `LoadTargets` gave one.

    Args:
        role (str, optional): Overrides the role that the data set gave.
        label (str, optional): Which of the `labels` is `gt_label`. None: a single unnamed one.

    Raises:
        ValueError: If a sample has no label of that name.
    """

    def __init__(self, role: str | None = None, label: str | None = None) -> None:
        self.role = role
        self.label = label

    def transform(self, results: dict) -> dict:
        """See the class."""
        imgs = results['imgs']
        inputs = channels_first(imgs)
        labels = self._labels(results)
        sample = ActionDataSample()
        chosen = 'label' if self.label is None and list(labels) == ['label'] else self.label
        if chosen is not None:
            if chosen not in labels:
                raise ValueError(f"PackViews: '{results.get('filename', '')}' has no label {chosen!r} but "
                                 f'{list(labels)}: set label_names of the data set, or `label` of PackViews.')
            sample.set_gt_label(labels[chosen])
        if 'target' in results:
            sample.set_field(results['target'], 'target')
        sample.set_metainfo(dict(
            filename=str(results.get('filename', '')),
            sample_idx=int(results.get('sample_idx', -1)),
            view_seeds=list(results.get('view_seeds', [])),
            labels=labels,
            role=self.role if self.role is not None else results.get('role'),
            unreadable=list(results.get('unreadable', [])),
            replaced=bool(results.get('replaced', False)),
            img_shape=tuple(imgs.shape[2:4]),
            original_shape=tuple(results.get('original_shape', imgs.shape[2:4])),
            total_frames=int(results.get('total_frames', 0)),
            fps=float(results.get('fps', 0.))))
        return dict(inputs=inputs, data_samples=sample)

    @staticmethod
    def _labels(results: dict) -> dict[str, int]:
        """`VideoFolder` gives a dictionary; MMAction2's `VideoDataset` one number, -1 for none."""
        if 'labels' in results:
            return dict(results['labels'])
        label = results.get('label', -1)
        return {} if label is None or int(label) < 0 else {'label': int(label)}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(role={self.role!r}, label={self.label!r})'


def channels_first(imgs: np.ndarray) -> torch.Tensor:
    """(V, T, H, W, C) as a new tensor (V, C, T, H, W); pixels by planes, in a fifth of a transposed copy's time."""
    if imgs.dtype != np.uint8:  # stored tokens, which may have more channels than OpenCV knows: 512
        return torch.from_numpy(np.ascontiguousarray(imgs.transpose(0, 4, 1, 2, 3)))
    views, length, height, width, channels = imgs.shape
    planes = np.empty((views, channels, length, height, width), dtype=imgs.dtype)
    for source, target in zip(imgs, planes, strict=True):
        cv2.split(source.reshape(-1, width, channels), list(target.reshape(channels, -1, width)))
    return torch.from_numpy(planes)
