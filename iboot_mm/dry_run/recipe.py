"""A config for a dry run: without files of weights, with the settings that are asked about."""

import copy
from dataclasses import dataclass

from mmengine.config import Config

from ..engine.batch_plan import BatchPlan, plan_batch

# What each precision changes in a config.
PRECISIONS = {
    'config': {},
    'fp32': dict(type='OptimWrapper'),
    'amp': dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic'),
    'bf16': dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=1.),
}
WEIGHTS = ('pretrained', 'checkpoint', 'init_cfg', 'pretrained2d', 'load_from')


@dataclass(frozen=True)
class Settings:
    """What a dry run changes in a config.

    Attributes:
        precision: A key of ``PRECISIONS``.
        with_cp: Whether the backbone's blocks are recomputed in the backward pass; None as the config says.
        channels_last: Memory layout of the backbone, likewise.
    """

    precision: str = 'config'
    with_cp: bool | None = None
    channels_last: bool | None = None

    def options(self) -> dict[str, object]:
        """What ``--cfg-options`` of the launcher wants for them."""
        options = {f'optim_wrapper.{key}': value for key, value in PRECISIONS[self.precision].items()
                   if (self.precision, key) != ('fp32', 'type')}
        if self.with_cp is not None:
            options['model.backbone.with_cp'] = self.with_cp
        if self.channels_last is not None:
            options['model.channels_last'] = self.channels_last
        return options


def prepared(cfg: Config, settings: Settings) -> Config:
    """A copy of a config with ``settings``, that reads no weights.

    Raises:
        ValueError: it has nothing to train.
    """
    check_trains(cfg)
    cfg = copy.deepcopy(cfg)
    if settings.precision != 'config':
        for key in ('dtype', 'loss_scale'):
            cfg.optim_wrapper.pop(key, None)
        cfg.optim_wrapper.update(PRECISIONS[settings.precision])
    if settings.with_cp is not None:
        cfg.model.backbone.with_cp = settings.with_cp
    if settings.channels_last is not None:
        cfg.model.channels_last = settings.channels_last
    cfg.model = without_weights(cfg.model)
    return cfg


def check_trains(cfg: Config) -> None:
    """Raises a ValueError if a config has nothing to train."""
    if cfg.get('train_dataloader') is None or cfg.get('model') is None or cfg.get('optim_wrapper') is None:
        raise ValueError(f'{cfg.filename} has no training: a dry run wants model, train_dataloader and optim_wrapper')


def without_weights(config: object) -> object:
    """A config of networks in which no file of weights is named."""
    if isinstance(config, (list, tuple)):
        return type(config)(without_weights(part) for part in config)
    if not isinstance(config, dict):
        return config
    is_teacher = str(config.get('type', '')).endswith('Teacher')
    result = {}
    for key, value in config.items():
        if key == 'pretrained':
            result[key] = False if is_teacher else None
        elif key == 'pretrained2d':
            result[key] = False
        elif key not in WEIGHTS:
            result[key] = without_weights(value)
    if is_teacher:
        result['pretrained'] = False
    return type(config)(result) if isinstance(config, Config) else result


def loaders(cfg: Config) -> list[dict]:
    """The configs of all loaders of a training, the main one first."""
    first = cfg.train_dataloader
    own = list(first) if isinstance(first, (list, tuple)) else [first]
    return own + list(cfg.get('train_cfg', {}).get('other_loaders', []))


def batch_of(cfg: Config, ranks: int, most: int | None = None) -> BatchPlan:
    """The batch plan of a config, as its training loop makes it.

    Args:
        cfg: The config.
        ranks: GPUs.
        most: Most videos of a GPU in place of the config's ``batch_size``.

    Raises:
        ValueError: it has nothing to train, or the batch cannot be split.
    """
    check_trains(cfg)
    most = most or loaders(cfg)[0]['batch_size']
    accumulation = cfg.optim_wrapper.get('accumulative_counts', 1)
    whole = cfg.get('train_cfg', {}).get('global_batch')
    if whole is None:
        return BatchPlan(ranks, most, accumulation)
    return plan_batch(whole, ranks, most)
