"""A test run that writes what a teacher makes of the videos of a training set, once for all epochs."""

import shutil
from typing import Any

import numpy as np
from mmaction.registry import LOOPS
from mmengine.dist import barrier, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner

from ..datasets.identity import data_identity
from ..datasets.transforms import SampleViews
from ..models.encoders import motion_teacher
from ..stores.features import FeatureStore
from ..stores.identity import network_identity, teacher_identity
from .feature_loop import FeatureLoop
from .hooks.seeding import find_transforms
from .model_wrapper import unwrap

REFERENCE_SEED = 2**32  # above those of training runs, whose views are to be independent of the reference clips


@LOOPS.register_module()
class TargetLoop(FeatureLoop):
    """Stores the teacher's features of K reference clips of each video, for training without the teacher in memory.

    The data set is that of the training, with K views instead of the training's, and the model a
    :class:`~iboot_mm.models.TeacherEncoder`, with ``augment=True`` where training augments and ``motion`` where it has
    a motion target. The clips are drawn from
    one seed of their own, so a stopped run goes on, in any number of processes, with the same ones. Everything else is
    as in :class:`FeatureLoop`, but that the one store is the folder itself.

    Example:
        >>> test_cfg = dict(type='TargetLoop', store='data/targets/clip_vit_b16_k400')
        >>> test_evaluator = []

    Args:
        runner: The runner.
        dataloader: Config of the dataloader; its sampler is not used.
        evaluator: Metrics of the features, or an empty list.
        store: Folder of the targets.
        dtype: ``'float16'``, which rounds by at most 1 in 2048, or ``'float32'``.
        **kwargs: ``shard_size`` of :class:`FeatureLoop`; its ``fp16`` is overruled by the teacher's ``precision``.

    Raises:
        ValueError: more than one data set, or a folder that holds targets of something else.
        OSError: the disk has no room for them.
    """

    def __init__(self, runner: Runner, dataloader: dict, evaluator: Evaluator | dict | list, store: str,
                 dtype: str = 'float16', **kwargs: Any) -> None:
        super().__init__(runner, dataloader, evaluator, store, **kwargs)
        self.dtype = dtype
        for transform in find_transforms(self.dataloader.dataset):
            if hasattr(transform, 'set_epoch'):
                transform.set_epoch(REFERENCE_SEED, 0)

    def open_stores(self) -> list[FeatureStore]:
        """The one store."""
        parts = list(self._parts())
        if len(parts) != 1:
            raise ValueError(f'TargetLoop writes the targets of one data set, got {len(parts)}: list all videos in one '
                             'ann_file')
        model, (dataset, config) = unwrap(self.runner.model), parts[0]
        own = self.runner.cfg.model
        network = dict(network_identity(model, own), teacher=teacher_identity(own.teacher), dtype=self.dtype)
        if own.get('motion') is not None:
            network.update(motion=teacher_identity(motion_teacher(own.teacher, own.motion)))
        identity = dict(network=network, data=data_identity(dataset, config))
        if is_main_process():
            self._announce(len(dataset) - len(FeatureStore(self.store, identity).stored()))
        barrier()
        return [FeatureStore(self.store, identity, self.shard_size, self.dtype)]

    def _announce(self, videos: int) -> None:
        """Says how much will be written, before it is.

        Raises:
            OSError: the disk has no room for it.
        """
        clips = next(t.num_views for t in find_transforms(self.dataloader.dataset) if isinstance(t, SampleViews))
        width = unwrap(self.runner.model).width
        size = videos * clips * width * np.dtype(self.dtype).itemsize
        free = shutil.disk_usage(self.store).free
        self.runner.logger.info(f'Targets: {videos} videos x {clips} clips x {width} features in {self.dtype} are '
                                f'{size / 1e6:.1f} MB to write to {self.store}; {free / 1e6:.0f} MB are free there.')
        if size > free:
            raise OSError(f"'{self.store}' has room for {free / 1e6:.0f} MB, but the targets take {size / 1e6:.0f} MB: "
                          'choose another folder, or fewer clips of each video')
