"""Makes a protocol's config fit one network, and videos of one's own."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..datasets import VideoFolder
from ..models.checkpoints import CheckpointInfo
from ..models.text import text_tower_of

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

    def labels(self) -> tuple[list[int], list[int]]:
        """The classes of both lists, line by line.

        Raises:
            ValueError: a list has none.
        """
        parts = [[entry['labels'].get('label') for entry in VideoFolder(
            root=str(self.root), ann_file=str(file), lazy_init=True).load_data_list()]
            for file in (self.train, self.test)]
        if None in parts[0] + parts[1]:
            raise ValueError(f'{self.train} and {self.test} need a class after each path: an evaluation compares with '
                             'labels')
        return parts[0], parts[1]


def adapt(cfg: Config, info: CheckpointInfo | None = None, teacher: dict | None = None, clip: dict | None = None,
          videos: LabelledVideos | None = None, epochs: int | None = None, seed: int = 0) -> None:
    """Changes a protocol's config in place.

    Args:
        cfg: The config.
        info: The checkpoint that takes the place of the config's own network.
        teacher: Config of a teacher that is evaluated by itself, in place of the model.
        clip: Clips in place of the config's own, see :class:`~iboot_mm.models.checkpoints.CheckpointInfo`; a published
            protocol keeps its own.
        videos: Videos in place of the config's own.
        epochs: Epochs of training in place of the config's own.
        seed: Of linear classifiers on stored features; a training's is an argument of its launcher.

    Raises:
        ValueError: the videos' lists have no classes, or zero-shot classification is asked of a network whose teacher
            knows no text.
    """
    if teacher is not None:
        cfg.model = ConfigDict(type='TeacherEncoder', teacher=teacher)
    if videos is not None:
        set_videos(cfg, videos)
    if info is not None:
        set_network(cfg, info)
    if clip is not None:
        set_views(cfg, clip)
    if epochs is not None:
        set_epochs(cfg, epochs)
    for metric in _metrics(cfg):
        if metric['type'] == 'LinearOnFeaturesMetric':
            metric['seed'] = seed


def datasets(cfg: Config) -> Iterator[tuple[str, ConfigDict]]:
    """Each data set of a config with the dataloader it belongs to; the parts of a ``ConcatDataset`` one by one."""
    for loader in LOADERS:
        if cfg.get(loader):
            dataset = cfg[loader].dataset
            yield from ((loader, part) for part in dataset.get('datasets', [dataset]))


def set_network(cfg: Config, info: CheckpointInfo) -> None:
    """Puts a checkpoint's network in the place of the config's own."""
    model = cfg.model
    model.backbone = ConfigDict(info.backbone)
    if 'cls_head' in model:
        model.cls_head.in_channels = info.feature_dim
    if model.type == 'JointSpaceEncoder':
        named = [metric for metric in _metrics(cfg) if 'class_names' in metric]  # others bring their classes' vectors
        target, text = text_tower_of(info.teachers) if named or not info.teachers else (0, None)
        model.update(feature_dim=info.feature_dim, width=info.teachers[target]['width'], target=target,
                     target_norm=info.target_norm, temporal_pool=info.temporal_pool)
        for metric in named:
            metric.text = ConfigDict(text)


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
    train, test = videos.labels()
    for loader, dataset in datasets(cfg):
        trains = loader == 'train_dataloader' or dataset.get('role') == 'gallery'
        dataset.root = str(videos.root.resolve())
        dataset.ann_file = str((videos.train if trains else videos.test).resolve())
        dataset.label_names = None  # one unnamed column
        for step in dataset.pipeline:
            step.pop('label', None)
    if 'cls_head' in cfg.model:
        cfg.model.cls_head.num_classes = max(train + test) + 1
        for hook in cfg.get('custom_hooks', []):
            if hook.type == 'ClassCountHook':
                hook.exact = False
    if cfg.get('train_cfg') and 'global_batch' in cfg.train_cfg:
        most = 1 << (len(train).bit_length() - 1)  # the greatest power of two that the list fills
        cfg.train_cfg.global_batch = min(cfg.train_cfg.global_batch, most)
    for metric in _metrics(cfg):
        metric.pop('label', None)
        if metric['type'] == 'ZeroShotMetric':
            if videos.class_names is None:
                raise ValueError('zero-shot classification of videos of your own needs the names of their classes: '
                                 '--class-names FILE, one a line')
            metric.pop('embeddings', None)
            metric.class_names = str(videos.class_names.resolve())


def set_epochs(cfg: Config, epochs: int) -> None:
    """Stretches training and its learning-rate schedule to a number of epochs.

    A warm-up keeps its share.
    """
    factor = epochs / cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    cfg.train_cfg.val_interval = min(cfg.train_cfg.get('val_interval', 1), epochs)
    for scheduler in cfg.param_scheduler:
        # Parts of an epoch are possible where mmengine counts iterations.
        stretched = (lambda at: at * factor) if scheduler.get('convert_to_iter_based') else (
            lambda at: round(at * factor))
        scheduler.update({name: stretched(scheduler[name]) for name in ('begin', 'end') if name in scheduler})
        if 'milestones' in scheduler:
            scheduler.milestones = [stretched(at) for at in scheduler.milestones]
    steps = count_videos(cfg)['train']['videos'] // cfg.train_cfg.global_batch
    # mmengine refuses a warm-up of less than a step.
    cfg.param_scheduler = [part for part in cfg.param_scheduler
                           if 'end' not in part or int(part.end * steps) > int(part.begin * steps)]


def count_videos(cfg: Config) -> dict[str, dict[str, int | None]]:
    """How many videos the lists of training and test hold, beside how many officially belong to them.

    Copies of Kinetics differ, so a figure says little without it. The official number is known of the lists of
    ``tools/data/prepare.py``, which leaves a ``counts.json`` beside them.

    Returns:
        ``train`` and ``test``, or ``gallery`` and ``query``: ``dict(videos, official)``.
    """
    counts = {}
    for loader, dataset in datasets(cfg):
        if loader != 'val_dataloader':
            settings = {key: value for key, value in dataset.items() if key not in ('type', 'pipeline', 'lazy_init')}
            counts[dataset.get('role') or loader.partition('_')[0]] = dict(
                videos=len(VideoFolder(**settings)), official=official_count(dataset.get('ann_file', '')))
    return counts


def digest_lists(cfg: Config) -> dict[str, str]:
    """The first digits of the SHA-256 of each list that a config reads.

    Raises:
        FileNotFoundError: a list is not there.
    """
    digests = {}
    for _, dataset in datasets(cfg):
        for file in (Path(dataset.ann_file), Path(dataset.root) / dataset.ann_file):
            if file.is_file():
                digests[dataset.ann_file] = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
                break
        else:
            raise FileNotFoundError(f'there is no list {dataset.ann_file}: tools/data/prepare.py writes those of whole '
                                    'data sets, tools/data/make_subset.py those of a part of the labels')
    return digests


def official_count(ann_file: str) -> int | None:
    """How many videos a list of ``tools/data/prepare.py`` officially has."""
    path = Path(ann_file).parent / 'counts.json'
    if not ann_file or not path.is_file():
        return None
    return json.loads(path.read_text())['lists'].get(Path(ann_file).name, {}).get('official')


def _metrics(cfg: Config) -> list[ConfigDict]:
    evaluators = [cfg.get(name) or [] for name in ('val_evaluator', 'test_evaluator')]
    return [metric for part in evaluators for metric in (part if isinstance(part, (list, tuple)) else [part])]
