"""The colours and shapes that AutoAugment learned on ImageNet (VIVI, section 4: the variant with AA)."""

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from torchvision.transforms import AutoAugment, AutoAugmentPolicy

from .randomness import AUGMENT_TAG, view_rng

GREY = [128., 128., 128.]  # what geometric operations let in at the border, in the authors' code


@TRANSFORMS.register_module()
class AutoAugmentViews(BaseTransform):
    """Augment each view by torchvision's `AutoAugment`, ImageNet policy; all frames of a view alike.

    Which of the 25 sub-policies, and which of its operations, is a function of the view's seed.

    Required keys: `imgs` uint8 (V, T, H, W, 3), `view_seeds` (V), hence after `CropViews`. Changed key: `imgs`.
    """

    def __init__(self) -> None:
        self.augment = _SeededAutoAugment(AutoAugmentPolicy.IMAGENET, fill=GREY)

    def transform(self, results: dict) -> dict:
        """See the class."""
        views = torch.from_numpy(results['imgs']).permute(0, 1, 4, 2, 3)  # (V, T, 3, H, W)
        augmented = []
        for view, seed in zip(views, results['view_seeds'], strict=True):
            self.augment.rng = view_rng(seed, AUGMENT_TAG)
            augmented.append(self.augment(view))
        results['imgs'] = np.ascontiguousarray(torch.stack(augmented).permute(0, 1, 3, 4, 2).numpy())
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


class _SeededAutoAugment(AutoAugment):
    """Draws from `rng` in place of torch's global generator."""

    rng: np.random.Generator

    def get_params(self, transform_num: int) -> tuple[int, torch.Tensor, torch.Tensor]:
        """Sub-policy in [0, transform_num), the draws for its two operations, and their signs (0 or 1)."""
        return (int(self.rng.integers(transform_num)), torch.from_numpy(self.rng.random(2)),
                torch.from_numpy(self.rng.integers(0, 2, 2)))
