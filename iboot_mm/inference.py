"""A trained network in one line of Python: ``iboot_mm.load('work_dirs/run')('videos/')``."""

import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.utils import track_iter_progress
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .checkpoints.clip_recipe import clip_pipeline
from .checkpoints.description import DESCRIPTION, WEIGHTS, CheckpointInfo, describe_checkpoint
from .datasets.decoders import UnreadableVideo
from .datasets.listing import VIDEO_EXTENSIONS, scan_folder
from .datasets.sources import source_exists
from .weights.downloads import fetch_folder

HUB_ID = re.compile(r'[\w.-]+/[\w.-]+')
Videos = str | Path | Sequence[str | Path]


class FeatureExtractor:
    """Videos in, one feature per video out, cut into clips as the network was evaluated.

    A call keeps all features in memory and starts over when it is stopped; for large collections see
    :class:`~iboot_mm.engine.feature_loop.FeatureLoop`, which stores them as they come.

    Example:
        >>> extract = iboot_mm.load('work_dirs/iboot_r50_clip_k400')
        >>> features = extract('videos/')                  # (n_videos, D)
        >>> by_file = dict(zip(extract.files('videos/'), features))

    Args:
        info: The checkpoint.
        num_clips: Clips per video, spread evenly over it; their features are averaged.
        batch_size: Videos at once.
        num_workers: Processes that read videos; 0 reads them here.
        device: Such as ``'cuda:1'``; ``'auto'`` takes a GPU if there is one.

    Attributes:
        info (CheckpointInfo): What the network is.
        model (VideoEncoder): The network itself, on the device.
    """

    def __init__(self, info: CheckpointInfo, num_clips: int = 1, batch_size: int = 8, num_workers: int = 0,
                 device: str = 'auto') -> None:
        self.info = info
        self.model = info.build_encoder().to(get_device() if device == 'auto' else device)
        # Built here: Compose looks names up in mmengine's own registry unless a Runner has set MMAction2's scope.
        self.pipeline = Compose([TRANSFORMS.build(step) for step in clip_pipeline(info.clip, num_clips)])
        self.batch_size, self.num_workers = batch_size, num_workers

    @staticmethod
    def files(videos: Videos) -> list[str]:
        """The files that a call with the same argument reads, one per row of its result.

        Args:
            videos: A file (in a shard or behind an address, too), a folder (every video below it, sorted), or a list
                of such (in its order).

        Raises:
            FileNotFoundError: one of them does not exist, or a folder holds no video.
        """
        found = []
        for entry in [videos] if isinstance(videos, (str, Path)) else videos:
            path = os.path.expanduser(entry)
            if not source_exists(path):
                raise FileNotFoundError(f'There is no file or folder {path}: name a video, a folder of videos, or a '
                                        'list of them.')
            found += scan_folder(path, VIDEO_EXTENSIONS) if os.path.isdir(path) else [path]
        return found

    @torch.no_grad()
    def __call__(self, videos: Videos) -> Tensor:
        """Features of videos.

        Args:
            videos: See :meth:`files`.

        Returns:
            float32 ``(n_videos, D)`` on the CPU, row by row as :meth:`files` lists them. The row of a video that can't
            be read is NaN, and a warning names it: rows and files always match.

        Raises:
            FileNotFoundError: see :meth:`files`.
            ValueError: the features are not as wide as the config says.
        """
        files = self.files(videos)
        features = torch.full((len(files), self.info.feature_dim), torch.nan)
        loader = DataLoader(_Clips(files, self.pipeline), self.batch_size, num_workers=self.num_workers,
                            collate_fn=list)
        for batch in track_iter_progress((loader, len(loader)), file=sys.stderr) if len(loader) > 1 else loader:
            for _, _, reason in batch:
                if reason:
                    warnings.warn(f'{reason}; its features are NaN', stacklevel=3)
            readable = [(row, views) for row, views, reason in batch if not reason]
            if readable:
                rows, views = zip(*readable)
                features[list(rows)] = self._encode(list(views)).cpu()
        return features

    def _encode(self, views: list[Tensor]) -> Tensor:
        """N times uint8 ``(V, C, T, H, W)`` to float32 ``(N, D)``."""
        inputs = self.model.data_preprocessor(dict(inputs=views))['inputs']
        features = self.model(inputs).float().mean(dim=(1, 2))  # of (N, V, T', D)
        if features.shape[-1] != self.info.feature_dim:
            raise ValueError(f'the backbone of {self.info.path} gives features of width {features.shape[-1]}, but '
                             f'{self.info.config} says {self.info.feature_dim}')
        return features


class _Clips(Dataset):
    """``(row, views uint8 (V, C, T, H, W), '')``, or ``(row, None, reason)`` for a video that can't be read."""

    def __init__(self, files: list[str], pipeline: Compose) -> None:
        self.files, self.pipeline = files, pipeline

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> tuple[int, Tensor | None, str]:
        try:
            return row, self.pipeline(dict(filename=self.files[row], sample_idx=row))['inputs'], ''
        except UnreadableVideo as error:
            return row, None, str(error)


def load(source: str | Path, config: str | Path | None = None, **options: Any) -> FeatureExtractor:
    """A trained network, ready to call on videos.

    Args:
        source: A work dir, a training checkpoint, a published file, an exported folder, or the name of a Hugging Face
            repository (``user/name``) that holds such a folder; what is in the hub's local cache is not looked up
            again. A work dir's config is code and is run: load only your own.
        config: The config of a training checkpoint that has none beside it, or of a stock MMAction2 recognizer.
        options: ``num_clips``, ``batch_size``, ``num_workers`` and ``device`` of :class:`FeatureExtractor`.

    Raises:
        FileNotFoundError: there is no such file, folder or config.
        ConnectionError: nothing here has that name, and the hub can not be reached or has none such either.
        ValueError: see :func:`~iboot_mm.checkpoints.describe_checkpoint`.
    """
    path = Path(source).expanduser()
    if not path.exists():
        if not HUB_ID.fullmatch(str(source)):
            raise FileNotFoundError(f'There is no checkpoint or folder {source}.')
        try:
            path = fetch_folder(str(source), [DESCRIPTION, WEIGHTS])
        except ConnectionError as error:
            raise ConnectionError(f'There is no file or folder {source} here, and as a repository: {error}') from None
    return FeatureExtractor(describe_checkpoint(path, config), **options)
