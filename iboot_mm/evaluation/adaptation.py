"""Makes a protocol's config fit one network, and videos of one's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..datasets import VideoFolder

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@dataclass(frozen=True)
class LabelledVideos:
    """Videos of one's own, with lists of lines `path label`.

    Attributes:
        root: The folder that the lists' paths are relative to.
        train: List of what is trained on, or of the gallery.
        test: List of what is tested, or of the queries.
        class_names: File with a name for each class, one a line; for zero-shot classification.
    """

    root: Path
    train: Path
    test: Path
    class_names: Path | None = None

    def num_classes(self) -> int:
        """One more than the greatest label of both lists.

        Raises:
            ValueError: a list has no labels.
        """
        labels = [entry['labels'].get('label') for file in (self.train, self.test)
                  for entry in VideoFolder(root=str(self.root), ann_file=str(file), lazy_init=True).load_data_list()]
        if None in labels:
            raise ValueError(f'{self.train} and {self.test} need a class after each path: an evaluation compares with '
                             'labels')
        return max(labels) + 1


def adapt(cfg: Config, backbone: dict | None = None, feature_dim: int = 0, teacher: dict | None = None,
          clip: dict | None = None, videos: LabelledVideos | None = None, epochs: int | None = None) -> None:
    """Changes a protocol's config in place.

    Args:
        cfg: The config.
        backbone: Config of the backbone in place of the config's own, of features of width ``feature_dim``.
        feature_dim: See ``backbone``.
        teacher: Config of a teacher that is evaluated by itself, in place of the model.
        clip: Clips in place of the config's own, see :class:`~iboot_mm.models.checkpoints.CheckpointInfo`.
        videos: Videos in place of the config's own.
        epochs: Epochs of training in place of the config's own.
    """
    if teacher is not None:
        cfg.model = ConfigDict(type='TeacherEncoder', teacher=teacher)
    if backbone is not None:
        set_network(cfg, backbone, feature_dim)
    if clip is not None:
        set_views(cfg, clip)
    if videos is not None:
        set_videos(cfg, videos)
    if epochs is not None:
        set_epochs(cfg, epochs)


def datasets(cfg: Config) -> Iterator[tuple[str, ConfigDict]]:
    """Each data set of a config with the dataloader it belongs to; the parts of a ``ConcatDataset`` one by one."""
    for loader in LOADERS:
        if cfg.get(loader):
            dataset = cfg[loader].dataset
            yield from ((loader, part) for part in dataset.get('datasets', [dataset]))


def set_network(cfg: Config, backbone: dict, feature_dim: int) -> None:
    """Puts a backbone in the place of the config's own."""
    cfg.model.backbone = ConfigDict(backbone)
    if 'cls_head' in cfg.model:
        cfg.model.cls_head.in_channels = feature_dim
    if 'feature_dim' in cfg.model:
        cfg.model.feature_dim = feature_dim


def set_views(cfg: Config, clip: dict) -> None:
    """Shows the network clips as it was pre-trained on: their length, interval, size and scale.

    Args:
        cfg: The config.
        clip: See :class:`~iboot_mm.models.checkpoints.CheckpointInfo`.
    """
    for _, dataset in datasets(cfg):
        for step in dataset.pipeline:
            if step['type'] == 'SampleViews':
                step.update({name: clip[name] for name in ('clip_len', 'frame_interval', 'target_fps')})
            if step['type'] == 'CropViews':
                step['size'] = clip['size']
                if step.get('test_mode'):
                    step['short_side'] = max(clip['short_side'], clip['size'])
                    if step.get('crops', 1) > 1:  # squares of the whole short side, side by side
                        step['size'] = step['short_side']
                elif step.get('area') is None:
                    # Training crops as the paper's: the short side from 256 / 224 to 320 / 224 of the crop.
                    step['short_side'] = tuple(round(clip['size'] * share / 224) for share in (256, 320))


def set_videos(cfg: Config, videos: LabelledVideos) -> None:
    """Puts videos of one's own in the place of the config's."""
    classes = videos.num_classes()
    for loader, dataset in datasets(cfg):
        trains = loader == 'train_dataloader' or dataset.get('role') == 'gallery'
        dataset.root = str(videos.root.resolve())
        dataset.ann_file = str((videos.train if trains else videos.test).resolve())
        dataset.label_names = None
    if 'cls_head' in cfg.model:
        cfg.model.cls_head.num_classes = classes
    for metric in _metrics(cfg):
        if 'class_names' in metric and videos.class_names is not None:
            metric.class_names = str(videos.class_names.resolve())


def set_epochs(cfg: Config, epochs: int) -> None:
    """Stretches training and its learning-rate schedule to a number of epochs.

    A warm-up keeps its share.
    """
    factor = epochs / cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    for scheduler in cfg.get('param_scheduler') or []:
        for name in ('begin', 'end', 'T_max'):
            if scheduler.get(name) is not None:
                scheduler[name] = max(1, round(scheduler[name] * factor)) if scheduler[name] else 0
        if scheduler.get('milestones'):
            scheduler.milestones = [round(at * factor) for at in scheduler.milestones]


def count_videos(cfg: Config) -> dict[str, int]:
    """How many videos the lists hold: ``train``, ``test``, or ``gallery`` and ``query``; validation's are test's."""
    counts = {}
    for loader, dataset in datasets(cfg):
        if loader != 'val_dataloader':
            name = dataset.get('role') or loader.partition('_')[0]
            settings = {key: value for key, value in dataset.items() if key not in ('type', 'pipeline', 'lazy_init')}
            counts[name] = len(VideoFolder(**settings))
    return counts


def _metrics(cfg: Config) -> list[ConfigDict]:
    evaluators = [cfg.get(name) or [] for name in ('val_evaluator', 'test_evaluator')]
    return [metric for part in evaluators for metric in (part if isinstance(part, (list, tuple)) else [part])]
