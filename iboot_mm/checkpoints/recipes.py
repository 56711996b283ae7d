"""What a config says of its network: the backbone, its clips, its teachers."""

from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..models.encoders.video import BACKBONE_MEAN, BACKBONE_STD
from .clip_recipe import clip_recipe


def read_recipe(path: Path) -> dict:
    """Reads a pre-training config of this project's or a recognizer's config of MMAction2. Configs are code: it is run.

    Returns:
        Plain data: ``config`` (file name), ``backbone``, ``feature_dim``, ``clip``, ``teachers``, ``temporal_pool``,
        ``target_norm`` and ``normalization``, as in :class:`~iboot_mm.checkpoints.CheckpointInfo`.

    Raises:
        ValueError: it is not the config of a video network.
    """
    cfg = Config.fromfile(path)
    model = cfg.get('model') or {}
    if 'backbone' not in model:
        raise ValueError(f'{path} has no model.backbone: it is not the config of a video network')
    width = model.get('feature_dim') or (model.get('cls_head') or {}).get('in_channels')
    if width is None:
        raise ValueError(f'{path} has neither model.feature_dim nor model.cls_head.in_channels, so the width of its '
                         'features is unknown: name the config that the checkpoint was trained with')
    backbone = plain(model.backbone)
    backbone.pop('init_cfg', None)
    if 'pretrained' in backbone:  # some backbones demand it
        backbone['pretrained'] = None
    backbone.pop('stored_width', None)  # from stored tokens or not, it is evaluated on clips
    teachers = model.get('teacher') or []
    teachers = teachers if isinstance(teachers, list) else [teachers]
    teachers = [plain(teacher) for teacher in teachers]
    return dict(config=path.name, backbone=backbone, feature_dim=width, clip=clip_recipe(cfg, path), teachers=teachers,
                temporal_pool=model.get('temporal_pool', True), target_norm=model.get('target_norm', 'none'),
                normalization=_normalization(model))


def _normalization(model: ConfigDict) -> dict | None:
    """A method's own, or a recognizer's on the [0, 1] scale; None where it is VideoEncoder's."""
    if model.get('normalization'):
        return plain(model.normalization)
    own = model.get('data_preprocessor') or {}
    if 'mean' not in own or 'std' not in own:
        return None
    scale = 1 if own.get('type') == 'ClipPreprocessor' else 255
    mean, std = ([value / scale for value in own[name]] for name in ('mean', 'std'))
    same = all(abs(a - b) < 1e-3 for a, b in zip([*mean, *std], [*BACKBONE_MEAN, *BACKBONE_STD]))
    return None if same else dict(mean=mean, std=std)


def plain(value: object) -> object:
    """Containers of plain Python values only, as JSON and ``weights_only`` demand."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
