"""Compares the head with the classes of the lists and with the backbone before any time is spent."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import Dataset

from ...datasets.transforms import PlaybackRate
from ...models.backbones import ImageTMM
from ..model_wrapper import unwrap
from .seeding import find_transforms


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Stops a run whose lists have other classes than ``model.cls_head.num_classes``.

    The training list must have exactly as many (its largest label + 1: with fewer, the head or the list is a wrong
    one), those of validation and test at most. A label beyond the head would end in an assertion on the GPU that names
    neither.

    The classes of :class:`~iboot_mm.datasets.transforms.PlaybackRate` need no list: they are its rates. A head of
    another width than the map of an ``ImageTMM`` is named, too: a stock one would end in the shapes of a matrix
    product.

    Example:
        >>> custom_hooks = [dict(type='ClassCountHook')]

    Args:
        exact: Whether the training list must have videos of the head's last class; not where the head was made for
            lists of one's own, whose last class may be in the test list alone.

    Raises:
        ValueError: before training or testing, if any of these differ or a list has no labels.
    """

    def __init__(self, exact: bool = True) -> None:
        self.exact = exact

    def before_train(self, runner: Runner) -> None:
        """Checks the training list, and the validation list if there is one."""
        self._check(runner, 'train')
        if runner.val_loop is not None:
            self._check(runner, 'val')

    def before_test(self, runner: Runner) -> None:
        """Checks the test list."""
        self._check(runner, 'test')

    def _check(self, runner: Runner, split: str) -> None:
        dataset = getattr(runner, f'{split}_loop').dataloader.dataset
        model = unwrap(runner.model)
        if isinstance(model.backbone, ImageTMM) and model.cls_head.in_channels != model.backbone.out_channels:
            raise ValueError(f'model.backbone (ImageTMM) gives {model.backbone.out_channels} channels, but '
                             f'model.cls_head.in_channels is {model.cls_head.in_channels}: set it to '
                             f'{model.backbone.out_channels}')
        head = model.cls_head.num_classes
        if rates := next((step for step in find_transforms(dataset) if isinstance(step, PlaybackRate)), None):
            if rates.num_classes != head:
                raise ValueError(f'{split}_dataloader: PlaybackRate has {rates.num_classes} classes '
                                 f'({len(rates.rates)} rates{", each also backward" if rates.reverse else ""}), but '
                                 f'model.cls_head.num_classes is {head}: set it to {rates.num_classes}')
            return
        if (given := getattr(dataset, 'num_classes', None)) is not None:  # of boxes or times, which need not have all
            if given != head:
                raise ValueError(f'{split}_dataloader.dataset.num_classes is {given}, but model.cls_head.num_classes '
                                 f'is {head}: set both to the number of classes of the annotations')
            return
        found = count_classes(dataset)
        source = getattr(dataset, 'ann_file', '') or type(dataset).__name__
        if found == 0:
            raise ValueError(f"{split}_dataloader: '{source}' has no labels to learn from or to test with; give an "
                             "ann_file of lines 'path label'")
        if found > head or (split == 'train' and self.exact and found != head):
            raise ValueError(f"{split}_dataloader: '{source}' has {found} classes (its largest label is {found - 1}), "
                             f'but model.cls_head.num_classes is {head}: set it to {found}, or give the list that '
                             'belongs to it')


def count_classes(dataset: Dataset) -> int:
    """The largest label of a data set + 1; 0 without labels.

    Args:
        dataset: A ``VideoFolder`` or a data set of MMAction2.
    """
    name = next((transform.label for transform in find_transforms(dataset) if getattr(transform, 'label', None)),
                'label')
    if hasattr(dataset, 'label_column'):
        labels = dataset.label_column(name)
        return 0 if labels is None else 1 + int(labels.max())
    infos = (dataset.get_data_info(index) for index in range(len(dataset)))
    return 1 + max(int(info.get('labels', info).get(name, -1)) for info in infos)
