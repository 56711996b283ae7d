"""Says what a training starts from, and stops it if that is not what the checkpoint seems to promise."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn

from ...weights.state_dicts import misfits
from ..model_wrapper import unwrap


@HOOKS.register_module()
class StartingWeightsHook(Hook):
    """Logs the weights that a recognizer starts from: those of a checkpoint, or random ones.

    mmengine loads what fits of ``load_from`` and logs the rest, so a checkpoint of another depth leaves a network that
    is random in part. Here the backbone loads completely or training does not begin. The head may be new: one of which
    not all fits, such as that of another task, is new as a whole, and so is one that learned another label, such as
    AdViSe's playback rates, whatever its number of classes.

    Log lines: ``Starting weights: from FILE, 318 of 318 tensors of the backbone; new: cls_head.fc_cls.weight, ...`` or
    ``Starting weights: random (from scratch)``.

    Example:
        >>> custom_hooks = [dict(type='StartingWeightsHook')]

    Raises:
        ValueError: a weight of the backbone is missing from the checkpoint or has another shape in it; before a test
            also one of the head.
    """

    def __init__(self) -> None:
        self.source: str | None = None
        self.new: list[str] = []  # weights that no checkpoint filled and no training has changed

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compares the checkpoint with the network, before the network is filled."""
        model = unwrap(runner.model)
        weights = checkpoint.get('state_dict', checkpoint)
        saved = {key.removeprefix('module.'): value for key, value in weights.items() if isinstance(value, Tensor)}
        file = runner._load_from or runner.work_dir
        own = model.state_dict()
        backbone = {key: value for key, value in own.items() if key.startswith('backbone.')}
        if backbone and not any(key in saved for key in backbone):  # ImageTMM without a module has none
            raise ValueError(f'{file} holds no weights named backbone.* to start from: give a training checkpoint or '
                             'the published file that has W; the file of the backbone alone goes into '
                             'model.backbone.pretrained (with pretrained2d=False)')
        if problem := next(misfits(backbone, saved, 'backbone.'), None):
            raise ValueError(f'{file} does not fit the backbone of the config ({problem}): it is of another depth, '
                             'width or kind; set model.backbone to what it was trained with')
        head = {key: value for key, value in own.items() if key not in backbone}
        self.new = list(head) if any(misfits(head, saved)) or _learned_another_label(runner, checkpoint) else []
        for name in [name for name in weights if name.removeprefix('module.') in self.new]:
            del weights[name]
        self.source = (f'from {file}, {sum(key in saved for key in backbone)} of {len(backbone)} tensors of the '
                       'backbone' + (f'; new: {", ".join(self.new)}' if self.new else ''))

    def before_train(self, runner: Runner) -> None:
        """Logs the line."""
        model = unwrap(runner.model)
        source = self.source or _initialisation(model.backbone) or 'random (from scratch)'
        if runner.iter:
            source = f'of the interrupted run, after epoch {runner.epoch}'
        runner.logger.info(f'Starting weights: {source}')
        self.new = []

    def before_test(self, runner: Runner) -> None:
        """A head that nobody trained is no classifier."""
        if self.new:
            raise ValueError(f'{runner._load_from} has no {self.new[0]} of the right shape, so the classifier is '
                             'untrained: train with this config first (load_from), then test what that wrote')


def _learned_another_label(runner: Runner, checkpoint: dict) -> bool:
    """Whether a training begins with a checkpoint of one on another label of the videos, as far as it says."""
    if not isinstance(runner._train_loop, BaseLoop):  # a test may name the same label otherwise
        return False
    there = checkpoint.get('meta', {}).get('dataset_meta') or {}
    here = getattr(runner.train_dataloader.dataset, 'metainfo', {})
    return 'gt_label' in there and 'gt_label' in here and there['gt_label'] != here['gt_label']


def _initialisation(backbone: nn.Module) -> str | None:
    """The file that the backbone's own config names; it has been loaded, or there was an error."""
    init_cfg = getattr(backbone, 'init_cfg', None)
    file = init_cfg.get('checkpoint') if isinstance(init_cfg, dict) else None
    file = file or getattr(backbone, 'pretrained', None)
    return f'from {file}, named by model.backbone' if file else None
