"""The page of evidence: which methods, data and protocols it compares, and what its runs have found."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmaction.registry import METRICS
from mmengine.config import Config

from ...stores.features import FeatureStore
from ..metrics.intervals import accuracy_interval, paired_difference


@dataclass(frozen=True)
class Method:
    """A row of the page.

    Attributes:
        title: Its name in print.
        recipe: What ``tools/make_config.py --method`` calls its pre-training; None where there is none.
        options: ``tools/train.py --cfg-options`` beside that recipe.
        digits: The config below ``configs/mini`` that stands for recipe and options on the moving digits; None: there,
            too, the recipe's own with the options.
        frozen: Whether no protocol may train it.
    """

    title: str
    recipe: str | None = None
    options: tuple[str, ...] = ()
    digits: str | None = None
    frozen: bool = False


METHODS = dict(
    untrained=Method('untrained network'),
    iboot_published=Method('iBoot as published (mini size)', 'iboot', (
        'model.target_norm=none', 'model.contrast=None', 'model.head=None', 'model.motion=None')),
    iboot=Method('iBoot of this project', 'iboot', ('model.motion=None', )),
    # Where only the last stages mix time, no motion is learned: docs/motion_target.md.
    iboot_motion=Method('iBoot with a motion target', 'iboot', (
        'model.motion.shown=correspondences', 'model.backbone.inflate=(1,1,1,1)',
        'model.backbone.conv1_kernel=(3,7,7)'), 'iboot_motion_r18_digits.py'),
    byol=Method('rho-BYOL', 'byol'),
    moco=Method('rho-MoCo', 'moco'),
    simclr=Method('rho-SimCLR', 'simclr'),
    swav=Method('rho-SwAV', 'swav'),
    advise=Method('AdViSe', 'advise'),
    teacher=Method('image model of iBoot', frozen=True),
    supervised=Method('supervised from scratch'),
)
OURS = ('iboot', 'iboot_motion')


@dataclass(frozen=True)
class Column:
    """A protocol of the page: what ``tools/evaluate.py`` calls it, and which of its figures stands here."""

    title: str
    protocol: str
    figure: str
    trains: bool = False


COLUMNS = dict(
    knn=Column('k-NN', 'knn', 'knn_top1'),
    retrieval=Column('retrieval R@1', 'retrieval', 'retrieval/R@1'),
    linear=Column('linear', 'linear_fast', 'linear/top1'),
    finetune=Column('fine-tuning', 'finetune', 'acc/top1', trains=True),
    finetune_10pct=Column('fine-tuning, 10 %', 'semi_10pct', 'acc/top1', trains=True),
)


@dataclass(frozen=True)
class Cell:
    """One figure of one run.

    Attributes:
        data: Name of the data set.
        label: Which of its labels; ``'label'`` where there is one.
        method: A key of ``METHODS``.
        protocol: A key of ``COLUMNS``.
        seed: Of the run.
        value: Accuracy in [0, 1].
        videos: How many videos it was tested on.
        split: Which pair of lists, from 0.
        right: Of k-NN, whether each video was right, in the order of the list; else None.
    """

    data: str
    label: str
    method: str
    protocol: str
    seed: int
    value: float
    videos: int
    split: int
    right: tuple[bool, ...] | None = None


def read_cells(folder: Path, data: str, method: str, seed: int, split: int) -> list[Cell]:
    """The cells of one evaluation, a folder that ``tools/evaluate.py`` wrote; those that are not whole are left out."""
    cells = []
    for name, column in COLUMNS.items():
        place = folder / f'{column.protocol}_{seed}'
        if not (place / 'record.json').is_file():
            continue
        record = json.loads((place / 'record.json').read_text())
        counts = record['counts'].get('query') or record['counts']['test']
        right = knn_verdicts(folder / 'features', place) if name == 'knn' else {}
        for key, value in record['figures'].items():
            if key == column.figure or key.endswith(f'/{column.figure}'):
                label = key.removesuffix(column.figure).rstrip('/') or 'label'
                verdicts = tuple(right[label]) if label in right else None
                cells.append(Cell(data, label, method, name, seed, value, counts['videos'], split, verdicts))
    return cells


def knn_verdicts(features: Path, protocol: Path) -> dict[str, list[bool]]:
    """Whether the k-NN of an evaluation is right about each query, from its stored features; none where none are."""
    stores = [path.parent for path in sorted(features.glob('*/store.json'))]
    samples = [sample for store in stores for sample in FeatureStore(store).samples() if not sample['replaced']]
    if not samples:
        return {}
    metric = METRICS.build(Config.fromfile(protocol / 'recipe' / 'config.py').test_evaluator)
    return {name: right.tolist() for name, right in metric.verdicts(samples).items()}


def select(cells: Iterable[Cell], **about: object) -> list[Cell]:
    """The cells with these attributes, by seed."""
    return sorted((cell for cell in cells if all(getattr(cell, key) == value for key, value in about.items())),
                  key=lambda cell: cell.seed)


def interval_of(cells: Sequence[Cell]) -> tuple[float, float]:
    """95 % for the mean of one figure's runs: each video counts once, however many seeds were tested on it."""
    videos = {cell.split: cell.videos for cell in cells}
    return accuracy_interval(float(np.mean([cell.value for cell in cells])), sum(videos.values()))


def evidence_tables(cells: Sequence[Cell]) -> list[dict]:
    """A table for each label of each data set, as :func:`~iboot_mm.visualization.evidence.evidence_page` takes it."""
    tables = []
    for data, label in dict.fromkeys((cell.data, cell.label) for cell in cells):
        part = select(cells, data=data, label=label)
        rows = {method: {name: _summary(select(part, method=method, protocol=name)) for name in COLUMNS}
                for method in METHODS}
        pairs = [compare(part, ours, method) for i, ours in enumerate(OURS) for method in METHODS
                 if method not in OURS[:i + 1]]
        tables.append(dict(data=data, label=label, rows=rows, pairs=[pair for pair in pairs if pair],
                           videos=max(cell.videos for cell in part), splits=len({cell.split for cell in part})))
    return tables


def _summary(cells: Sequence[Cell]) -> dict | None:
    return dict(values=[cell.value for cell in cells], seeds=[cell.seed for cell in cells],
                interval=interval_of(cells)) if cells else None


def compare(cells: Sequence[Cell], ours: str, theirs: str) -> dict | None:
    """The paired difference of two methods' k-NN on one label of one data set; None where no run is common.

    Args:
        cells: k-NN's cells of that label.
        ours: A key of ``METHODS``.
        theirs: Another.

    Returns:
        ``ours``, ``theirs``, ``difference``, ``low`` and ``high`` in [-1, 1], and ``seeds``, those that both have.
    """
    runs = {method: {cell.seed: cell for cell in select(cells, method=method) if cell.right is not None}
            for method in (ours, theirs)}
    seeds = sorted(runs[ours].keys() & runs[theirs].keys())
    if not seeds:
        return None
    pairs = [[np.array(runs[method][seed].right) for seed in seeds] for method in (ours, theirs)]
    same = len({runs[ours][seed].split for seed in seeds}) == 1
    difference, low, high = paired_difference(*pairs, same_videos=same)
    return dict(ours=ours, theirs=theirs, difference=difference, low=low, high=high, seeds=seeds)
