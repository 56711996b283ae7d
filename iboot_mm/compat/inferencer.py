"""Faults of MMAction2's inferencers."""

from collections.abc import Callable
from typing import Any

from .replacing import replace


def apply() -> None:
    """Mends what is below, each only where it is present."""
    keep_decoding_of_other_packages()


def keep_decoding_of_other_packages() -> None:
    """mmaction2 1.2.0: ``MMAction2Inferencer`` puts a decoder of its own in the place of each step named "Decode".

    Ours, ``DecodeViews``, gives other keys than MMAction2's, so that the next step fails with a KeyError. Test
    pipelines that begin with our ``OpenVideo`` stay whole here, with all clips and crops of the test, where MMAction2
    keeps one clip of its own; videos, folders of pictures and arrays (uint8 ``(T, H, W, 3)``, RGB) are opened by our
    decoders. Goes when MMAction2 replaces its own steps only.
    """
    from mmaction.apis.inferencers import ActionRecogInferencer
    from mmaction.utils import get_str_type
    from mmengine.dataset import Compose

    def make(original: Callable) -> Callable:
        def init_pipeline(self: Any, cfg: Any) -> Any:
            dataset = cfg.test_dataloader.dataset
            if 'datasets' in dataset:
                raise ValueError(f"An inferencer wants a classifier's config, but this one compares a {dataset.type} "
                                 'by features: iboot_mm.load(CKPT) gives those of single videos')
            first, *rest = dataset.pipeline
            if get_str_type(first['type']) != 'OpenVideo':
                return original(self, cfg)
            kind = 'array' if self.input_format == 'array' else 'video'  # a folder of pictures is a path, too
            openers = dict(array=dict(type='OpenArray'), rawframes=dict(type='OpenVideo', decoder='frames'))
            return Compose([dict(type='InferencerPackInput', input_format=kind, **self.pack_cfg),
                            openers.get(self.input_format, first), *rest])
        return init_pipeline

    replace(ActionRecogInferencer, '_init_pipeline', make)
