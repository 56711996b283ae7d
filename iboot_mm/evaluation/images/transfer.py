"""Few-label transfer to image classification: VTAB's lightweight protocol, as VIVI uses it (section 4).

For each task 1000 labelled images; a sweep over 2 learning rates and 2 schedules, trained on 800 of them and judged on
the other 200; one setting for all tasks, that of the best mean accuracy; then training anew on all 1000, three times;
the median test accuracy of each task, and its mean over groups and over all tasks.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import mean, median

import torch
from mmengine.device import get_device
from torch import Tensor

from ...datasets.images.tasks import ImageTask
from ...datasets.parallel import show_progress
from ...models.encoders.video import VideoEncoder
from ..metrics.knn import count_classes
from .few_label_training import TOGETHER, Setting, accuracy_of_batches, apply, fine_tune, train_head
from .frame_classifier import ClassifierFolder, FrameClassifier, FrameEncoder
from .run_store import RunStore

# Of VTAB (Zhai et al., arXiv:1910.04867), from memory; 2500 steps of .01 in batches of 512 are in its code's README.
LIGHTWEIGHT = tuple(Setting(rate, steps) for rate in (.1, .01) for steps in (2500, 10000))
VALIDATION = .2  # share of the labelled images: 200 of 1000
# Test images of at most so many bytes are kept between runs: Diabetic Retinopathy's have 6.4 GB at 224 pixels.
KEPT = 2 ** 31


@dataclass(frozen=True)
class TransferProtocol:
    """How a network is transferred.

    Attributes:
        settings: What to sweep over; a single one is used as it is.
        runs: Trainings on all labelled images, which differ in the head's start and the order of images.
        batch_size: Images per step.
        size: Side of the images, pixels.
        frozen: Train the head alone, on features in evaluation mode, each channel standardised. Not the paper's.
    """

    settings: tuple[Setting, ...] = LIGHTWEIGHT
    runs: int = 3
    batch_size: int = 512
    size: int = 224
    frozen: bool = False


def choose_setting(validation: Mapping[str, Mapping[Setting, float]]) -> Setting:
    """The setting of the best accuracy averaged over tasks; of equal ones, the first."""
    settings = next(iter(validation.values()))
    return max(settings, key=lambda setting: mean(scores[setting] for scores in validation.values()))


def summarise(accuracies: Mapping[str, Sequence[float]], groups: Mapping[str, str]) -> dict:
    """Median of the runs by ``tasks``, the mean of those by ``groups``, and the ``mean`` over all tasks.

    Args:
        accuracies: Test accuracies of the runs, by task.
        groups: The group of each task.
    """
    medians = {name: median(runs) for name, runs in accuracies.items()}
    means = {group: mean(medians[name] for name in medians if groups[name] == group)
             for group in dict.fromkeys(groups[name] for name in medians)}
    return dict(tasks=medians, groups=means, mean=mean(medians.values()))


class Transfer:
    """The protocol on some tasks, for one network after another.

    Example:
        >>> tasks = [open_task('natural:torchvision.CIFAR100=data/cifar100'), open_task('natural:data/pets')]
        >>> transfer = Transfer(tasks, TransferProtocol(size=96), RunStore(Path('work_dirs/transfer/runs')))
        >>> transfer(describe_checkpoint('work_dirs/vivi').build_encoder())['mean']

    Args:
        tasks: Different names each.
        protocol: How networks are transferred.
        store: Keeps finished runs.
        device: Such as ``'cuda:1'``; ``'auto'`` takes a GPU if there is one.
        say: Gets a line after each run.

    Raises:
        ValueError: two tasks have one name.
    """

    def __init__(self, tasks: Sequence[ImageTask], protocol: TransferProtocol = TransferProtocol(),
                 store: RunStore | None = None, device: str = 'auto', say: Callable[[str], None] = print) -> None:
        names = [task.name for task in tasks]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f'two tasks are called {twice}: name one of them, as in NAME=FOLDER')
        self.tasks, self.protocol, self.say = tasks, protocol, say
        self.store = store or RunStore()
        self.device = torch.device(get_device() if device == 'auto' else device)

    def __call__(self, encoder: VideoEncoder, keep: ClassifierFolder | None = None) -> dict:
        """Transfers a network to all tasks.

        Args:
            encoder: The network; its weights stay as they are.
            keep: Gets the classifier of each task's first run, which is not chosen by its accuracy.

        Returns:
            ``setting`` (the chosen one), ``validation`` (accuracies by task and setting; empty for a single setting),
            ``accuracies`` (on the test images, a list by task), and :func:`summarise` of these.

        Raises:
            ValueError: the network takes no single image.
        """
        features = FrameEncoder(encoder, self.protocol.size).to(self.device)
        network, settings = features.identity, self.protocol.settings
        validation: dict[str, dict[Setting, float]] = {task.name: {} for task in self.tasks}
        if len(settings) > 1:
            for data, setting in self._plan(features, settings, 'runs of the sweep'):
                validation[data.task.name][setting] = self._run(network, data, setting, 'validation')
        setting = choose_setting(validation) if len(settings) > 1 else settings[0]
        accuracies: dict[str, list[float]] = {task.name: [] for task in self.tasks}
        for data, seed in self._plan(features, range(self.protocol.runs), 'runs of the test'):
            accuracies[data.task.name].append(
                self._run(network, data, setting, 'test', seed, keep if seed == 0 else None))
        return dict(setting=str(setting), accuracies=accuracies,
                    validation={name: {str(s): score for s, score in by.items()} for name, by in validation.items()},
                    **summarise(accuracies, {task.name: task.group for task in self.tasks}))

    def _plan(self, features: FrameEncoder, changes: Sequence, unit: str) -> Iterator[tuple['TaskData', object]]:
        """Every task with every change; a task's images are let go before the next one's are loaded."""
        plan = ((data, change) for task in self.tasks for data in [TaskData(task, features, self.protocol)]
                for change in changes)
        return show_progress(plan, len(self.tasks) * len(changes), unit)

    def _run(self, network: str, data: 'TaskData', setting: Setting, part: str, seed: int = 0,
             keep: ClassifierFolder | None = None) -> float:
        """Accuracy of one training on the held-out labelled images (``'validation'``) or on those of the test."""
        about = dict(network=network, task=data.task.identity, part=part, seed=seed, **asdict(setting),
                     **{name: getattr(self.protocol, name) for name in ('batch_size', 'size', 'frozen')})
        result, place = self.store.get(about), (data.task.name, self.store.name_of(about))
        if result is None or keep is not None and not keep.path(*place).is_file():
            start = time.monotonic()
            net = data.fit(setting, part, seed)
            right = accuracy_of_batches(net, data.judged(part), data.device)
            result = dict(accuracy=right, seconds=time.monotonic() - start)
            if keep is not None:
                keep.save(net if isinstance(net, FrameClassifier) else FrameClassifier(data.features, net), *place)
            self.store.put(about, result)
            self.say(f"  {data.task.name}, {setting}, seed {seed}: {part} {100 * result['accuracy']:.1f} %, "
                     f"{result['seconds']:.0f} s")
        return result['accuracy']


class TaskData:
    """A task's images, or their features where the encoder stays frozen, loaded when they are first asked for.

    Args:
        task: The task.
        features: The encoder, on the device of the training.
        protocol: How it is transferred.
    """

    def __init__(self, task: ImageTask, features: FrameEncoder, protocol: TransferProtocol) -> None:
        self.task, self.features, self.protocol = task, features, protocol
        self.device = next(features.parameters()).device

    @cached_property
    def labelled(self) -> tuple[Tensor, Tensor]:
        """Inputs ``(N, ...)`` and labels ``(N,)`` of the labelled images, on the device."""
        images, labels = self.task.load('train', self.protocol.size)
        return self._inputs(images).to(self.device), labels.to(self.device)

    @cached_property
    def _tested(self) -> list[tuple[Tensor, Tensor]]:
        """Batches of the same of the test images, which may be too many for the device."""
        return list(self._stream())

    def tested(self) -> Iterable[tuple[Tensor, Tensor]]:
        """Test images batch by batch, or their features: kept from run to run, or read anew if they are too many."""
        size = 3 * self.protocol.size ** 2 * len(self.task.test)
        return self._tested if self.protocol.frozen or size <= KEPT else self._stream()

    def _stream(self) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in self.task.batches('test', self.protocol.size, TOGETHER):
            yield self._inputs(images), labels

    def fit(self, setting: Setting, part: str, seed: int) -> FrameClassifier | torch.nn.Linear:
        """A classifier trained on the labelled images, for the validation without those that it is judged on."""
        inputs, labels = self.labelled
        kept = slice(len(labels) - self._held if part == 'validation' else None)
        classes = count_classes(labels)  # a class of the test that none of them has can't be learned anyway
        known = (inputs[kept], labels[kept], classes, setting, self.protocol.batch_size, seed)
        return train_head(*known) if self.protocol.frozen else fine_tune(self.features, *known)

    def judged(self, part: str) -> Iterable[tuple[Tensor, Tensor]]:
        """Batches of the inputs and labels that a classifier is judged on."""
        if part == 'test':
            return self.tested()
        inputs, labels = self.labelled
        return [(inputs[-self._held:], labels[-self._held:])]

    @property
    def _held(self) -> int:
        return max(1, round(VALIDATION * len(self.task.train)))

    def _inputs(self, images: Tensor) -> Tensor:
        return apply(self.features, images, self.device) if self.protocol.frozen else images
