"""Whether stored token maps are those of the image model that the network is said to stand on."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...datasets.transforms.tokens import describe_teachers


@HOOKS.register_module()
class TokenCheckHook(Hook):
    """Refuses to run on token maps of another image model than ``model.backbone.teacher``.

    :class:`~iboot_mm.datasets.transforms.OpenTokens` compares its ``teacher`` with the store. What is trained on these
    maps is evaluated on clips, where ``model.backbone.teacher`` makes them, so the two have to be one. Configs without
    ``OpenTokens`` pass.

    Example:
        >>> custom_hooks = [dict(type='TokenCheckHook')]

    Raises:
        ValueError: before the first step; says what differs.
    """

    def before_run(self, runner: Runner) -> None:
        """Compares the pipelines of all loaders with the model."""
        backbone = runner.cfg.model.get('backbone', {})
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            dataset = (runner.cfg.get(loader) or {}).get('dataset') or {}
            for part in dataset.get('datasets', [dataset]):
                for step in part.get('pipeline', []):
                    if step['type'] == 'OpenTokens':
                        self._compare(loader, step['teacher'], backbone.get('teacher'))

    @staticmethod
    def _compare(loader: str, stored: dict | list, network: dict | list | None) -> None:
        there, here = describe_teachers(stored), describe_teachers(network or [])
        if there != here:
            raise ValueError(f'{loader} reads token maps of {there}, but model.backbone.teacher is {here}: set both to '
                             'the image model that wrote the maps, such as `teacher=_base_.teacher`')
