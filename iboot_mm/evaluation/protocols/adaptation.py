"""Makes a protocol's config fit one network, and videos of one's own."""

from collections.abc import Sequence

import torch
from mmengine.config import Config, ConfigDict

from ...checkpoints.description import CheckpointInfo
from ...models.teachers.text import text_tower_of
from ..metrics.knn import count_classes
from .lists import LabelledVideos, datasets, read_list_of

OF_NO_DISTANCE = ('ImageTMM', 'FrameResNetV2')  # backbones that no clip's distance of frames has shaped


def adapt(cfg: Config, info: CheckpointInfo | None = None, teacher: dict | None = None, clip: dict | None = None,
          videos: LabelledVideos | None = None, epochs: int | None = None, seed: int = 0) -> None:
    """Changes a protocol's config in place.

    Args:
        cfg: The config.
        info: The checkpoint that takes the place of the config's own network.
        teacher: Config of a teacher that is evaluated by itself, in place of the model.
        clip: Clips in place of the config's own, see :class:`~iboot_mm.checkpoints.CheckpointInfo`; of a published
            protocol :func:`set_duration` changes no more than their length and interval.
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


def set_network(cfg: Config, info: CheckpointInfo) -> None:
    """Puts a checkpoint's network in the place of the config's own."""
    model = cfg.model
    model.backbone = ConfigDict(info.backbone)
    if 'cls_head' in model:
        model.cls_head.in_channels = info.feature_dim
    if info.normalization is not None:
        set_normalization(model, **info.normalization)
    if model.type == 'JointSpaceEncoder':
        named = [metric for metric in _metrics(cfg) if 'class_names' in metric]  # others bring their classes' vectors
        target, text = text_tower_of(info.teachers) if named or not info.teachers else (0, None)
        model.update(feature_dim=info.feature_dim, width=info.teachers[target]['width'], target=target,
                     target_norm=info.target_norm, temporal_pool=info.temporal_pool)
        for metric in named:
            metric.text = ConfigDict(text)


def set_normalization(model: ConfigDict, mean: Sequence[float], std: Sequence[float]) -> None:
    """Feeds a network as it was trained.

    Args:
        model: Config of a ``VideoEncoder`` or of a recognizer.
        mean: Of R, G and B on the [0, 1] scale.
        std: As ``mean``.
    """
    if 'cls_head' in model:  # MMAction2's preprocessor normalises what is still in [0, 255]
        model.data_preprocessor.update(mean=[255 * value for value in mean], std=[255 * value for value in std])
    else:
        model.normalization = dict(mean=mean, std=std)


def set_views(cfg: Config, clip: dict) -> None:
    """Shows the network clips as it was pre-trained on: their length, interval, size and scale.

    Args:
        cfg: The config.
        clip: See :class:`~iboot_mm.checkpoints.CheckpointInfo`.
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


def set_duration(cfg: Config, clip: dict) -> str:
    """Shows the network clips of as many frames, as far apart, as it was pre-trained on, in the protocol's own views.

    Longer clips come in smaller batches (a training accumulates the rest). Protocols that take a frame of each part
    of a video keep their number of parts, which the paper varies by itself (SSv2, 8x8 and 16x8). Networks that were
    trained at many rates or on single frames (AdViSe, VIVI) have no distance of their own, and keep the protocol's.

    Args:
        cfg: The config.
        clip: See :class:`~iboot_mm.checkpoints.CheckpointInfo`.

    Returns:
        What is shown instead of the config's own, such as ``16x4``; empty if that is the same.
    """
    changed = set()
    if cfg.model.get('backbone', {}).get('type') in OF_NO_DISTANCE:
        return ''
    for loader, dataset in datasets(cfg):
        for step in dataset.pipeline:
            if step['type'] != 'SampleViews' or 'segments' in (step.get('sampling'), clip.get('sampling')):
                continue
            length, interval = step.get('clip_len', 8), step.get('frame_interval', 8)
            if (length, interval) != (clip['clip_len'], clip['frame_interval']):
                step.update({name: clip[name] for name in ('clip_len', 'frame_interval', 'target_fps')})
                changed.add((loader, length))
    for loader, length in changed:
        cfg[loader].batch_size = max(1, cfg[loader].batch_size * length // max(length, clip['clip_len']))
    return f"{clip['clip_len']}x{clip['frame_interval']:g}" if changed else ''


def set_videos(cfg: Config, videos: LabelledVideos) -> None:
    """Puts videos of one's own in the place of the config's."""
    train, test = videos.labels()
    for loader, dataset in datasets(cfg):
        if dataset.get('type', 'VideoFolder') != 'VideoFolder':
            raise ValueError(f"{dataset.type} reads boxes or times of activities, which lists of lines 'path label' do "
                             'not have: leave --videos out, or name another protocol')
        trains = loader == 'train_dataloader' or dataset.get('role') == 'gallery'
        dataset.root = str(videos.root.resolve())
        dataset.ann_file = str((videos.train if trains else videos.test).resolve())
        dataset.label_names = None  # one unnamed column
        for step in dataset.pipeline:
            step.pop('label', None)
    if 'cls_head' in cfg.model:
        cfg.model.cls_head.num_classes = count_classes(torch.tensor(train + test))
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
        scheduler.update({name: stretched(scheduler[name]) for name in ('begin', 'end', 'warmup') if name in scheduler})
        if 'milestones' in scheduler:
            scheduler.milestones = [stretched(at) for at in scheduler.milestones]
    steps = len(read_list_of(cfg.train_dataloader.dataset)) // cfg.train_cfg.global_batch
    # mmengine refuses a warm-up of less than a step.
    cfg.param_scheduler = [part for part in cfg.param_scheduler
                           if 'end' not in part or int(part.end * steps) > int(part.get('begin', 0) * steps)]


def _metrics(cfg: Config) -> list[ConfigDict]:
    evaluators = [cfg.get(name) or [] for name in ('val_evaluator', 'test_evaluator')]
    return [metric for part in evaluators for metric in (part if isinstance(part, (list, tuple)) else [part])]
