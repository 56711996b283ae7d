"""A network sees a folder of videos, each of them once: the next time it finds their features stored."""

import sys
import time
from pathlib import Path

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from iboot_mm.checkpoints.clip_recipe import clip_pipeline
from iboot_mm.checkpoints.description import CheckpointInfo
from iboot_mm.evaluation.metrics.feature_metric import FeatureMetric


class Progress(Hook):
    """One line on the terminal while videos are read."""

    def before_test(self, runner: Runner) -> None:
        self.start = time.monotonic()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                        outputs: list | None = None) -> None:
        total = len(runner.test_loop.dataloader)
        left = (time.monotonic() - self.start) / (batch_idx + 1) * (total - batch_idx - 1)
        end = '\n' if batch_idx + 1 == total else ''
        print(f'\rreading videos: batch {batch_idx + 1} of {total}, {left:.0f} s left ', end=end, file=sys.stderr,
              flush=True)


def judge_folder(model: nn.Module, config: dict, info: CheckpointInfo, folder: str, metric: FeatureMetric,
                 store: str | Path, num_clips: int = 4, batch_size: int = 8, num_workers: int = 0) -> None:
    """Gives a metric the features of a folder's videos.

    Args:
        model: A network that gives `view_features`.
        config: Its config, by which stored features are known.
        info: The checkpoint that it comes from, which says how clips are cut.
        folder: Videos, nested.
        metric: What takes the features.
        store: Folder for the features.
        num_clips: Clips per video, spread evenly over it.
        batch_size: Videos at once.
        num_workers: Processes that read videos.

    Raises:
        FileNotFoundError: there is no such folder, or no video in it.
    """
    videos = dict(type='VideoFolder', root=folder, test_mode=True, pipeline=clip_pipeline(info.clip, num_clips))
    Runner(
        model=model, cfg=Config(dict(model=config)), work_dir=str(Path(store) / 'logs'), log_level='WARNING',
        test_dataloader=dict(batch_size=batch_size, num_workers=num_workers, dataset=videos, sampler=None),
        test_cfg=dict(type='FeatureLoop', store=str(store)), test_evaluator=[metric], custom_hooks=[Progress()],
        default_scope='mmaction').test()
