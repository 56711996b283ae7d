"""Runs to be compared: their logs, and what their configs say of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, Field

from ..checkpoints.printed_config import printed_settings
from ..stores.plain_data import read_json
from .scalars import Curve, RunLog, read_log, scalar_files

SEEDED = ('randomness', 'work_dir', 'experiment_name', 'launcher', 'timestamp', 'resume')  # what seeds may differ in
RANDOM = re.compile(r'random_\d+\.pth$')  # weights of `random`, which tools/evaluate.py writes for each seed


class _Row(BaseModel):
    name: str
    figures: dict[str, list[float]]


class _Checkpoint(BaseModel):
    name: str


class Evaluation(BaseModel):
    """As much of ``results.json`` of ``tools/evaluate.py`` as is read here."""

    checkpoints: list[_Checkpoint] = Field(min_length=1)
    rows: list[_Row]


@dataclass
class Run:
    """A training with its log, or a checkpoint with the figures of an evaluation.

    Attributes:
        folder: Where it lies; of an evaluation of several checkpoints the checkpoint.
        name: What it is called, if somebody named it.
        settings: Of its config, see :func:`~iboot_mm.checkpoints.printed_config.printed_settings`; of an evaluation
            that of the checkpoint's training. Empty if there is none that can be read.
        log: Of a training.
        figures: Of an evaluation.
    """

    folder: Path
    name: str | None = None
    settings: dict = field(default_factory=dict)
    log: RunLog | None = None
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def metrics(self) -> list[str]:
        """The names of its figures."""
        return list(self.figures if self.log is None else self.log.curves)

    @property
    def model(self) -> str:
        """The type of its model; empty if unknown."""
        return str(self.settings.get('model.type', ''))

    @property
    def recipe(self) -> tuple | None:
        """Its settings but for what seeds differ in; None if they are unknown."""
        return tuple(sorted((key, repr(value)) for key, value in self.settings.items()
                            if key.split('.')[0] not in SEEDED)) or None

    def curve(self, metric: str, axis: str) -> Curve:
        """See :meth:`~iboot_mm.visualization.scalars.RunLog.over`.

        Raises:
            ValueError: it has no such axis; names the run.
        """
        try:
            return self.log.over(metric, axis)
        except ValueError as error:
            raise ValueError(f'{self.folder} {error} with --over') from None

    def last(self, metric: str) -> float:
        """The figure at the end."""
        return self.figures[metric] if self.log is None else self.log.curves[metric][-1][1]

    def setting(self, key: str) -> float | str:
        """A number of its config, or a word; ``'rho'`` is the number of clips of a video.

        Raises:
            ValueError: the config does not say it.
        """
        value = self._clips() if key == 'rho' else self.settings.get(key)
        if value is None and key not in self.settings:
            what = 'no number of clips (num_views)' if key == 'rho' else f'no {key}'
            raise ValueError(f'{self.folder}: ' + (f'its config has {what}' if self.settings else
                             'no config beside it can be read, so what it says is unknown: take --over name'))
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)

    def _clips(self) -> int | None:
        sampling = {key.rpartition('.')[2]: value for key, value in self.settings.items()
                    if key.startswith('train_dataloader.') and '.pipeline.' in key}
        return 1 if sampling.get('same_clip') else sampling.get('num_views')  # of one clip two crops: rho is 1


def unlike_seeds(runs: Sequence[Run], key: str) -> list[str]:
    """A sentence for each place at which runs that nobody named come together, though they are no seeds.

    Args:
        runs: Of which those of one model are to be joined.
        key: What the places are, see :meth:`Run.setting`.
    """
    together: dict[tuple, list[Run]] = {}
    for run in (run for run in runs if not run.name and run.model):
        together.setdefault((run.model, run.setting(key)), []).append(run)
    sentences = []
    for (model, place), group in together.items():
        recipes = [set(run.recipe or ()) for run in group]
        if keys := sorted({name for name, _ in set.union(*recipes) - set.intersection(*recipes)}):
            which = ', '.join(keys[:3]) + (f' and {len(keys) - 3} more' if len(keys) > 3 else '')
            sentences.append(f'{model} at {place} is the mean of {len(group)} runs whose configs differ in {which}: '
                             'give them names (NAME=RUN) to tell them apart')
    return sentences


def load_runs(path: Path, name: str | None = None) -> list[Run]:
    """The run of a work dir, of the folder of one of its starts or of a ``scalars.json``; or the checkpoints evaluated.

    Args:
        path: File or folder.
        name: What to call them.

    Raises:
        FileNotFoundError: there is nothing there, or no log.
        ValueError: a log or the results of an evaluation can't be read.
    """
    files = _logs(path)
    if files:
        folder = path if path.is_dir() else path.parent
        return [Run(folder, name, _settings(files[-1].parent, folder), read_log(files))]
    if (path / 'results.json').is_file():
        return _evaluated(path, name)
    if not path.exists():
        raise FileNotFoundError(f'there is no run at {path}')
    inside = sorted({file.parents[2] for file in path.glob('*/*/vis_data/scalars.json')})
    raise FileNotFoundError(f'{path} holds no vis_data/scalars.json, which a training with mmengine writes'
                            + (f': name runs in it, such as {inside[0]}' if inside else ', and no results.json of '
                               'tools/evaluate.py'))


def _logs(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    own = [path / place for place in ('vis_data/scalars.json', 'scalars.json') if (path / place).is_file()]
    return own[:1] or scalar_files(path)


def _evaluated(folder: Path, name: str | None) -> list[Run]:
    results = read_json(folder / 'results.json', Evaluation, 'name the folder of a finished tools/evaluate.py')
    networks = [RANDOM.sub('random', checkpoint.name) for checkpoint in results.checkpoints]
    runs = []
    for number, checkpoint in enumerate(results.checkpoints):
        weights = Path(checkpoint.name)
        beside = weights if weights.is_dir() else weights.parent
        settings = {} if beside == Path('.') else _settings(*[beside] * 2)
        figures = {metric if metric.startswith(f'{row.name}/') else f'{row.name}/{metric}': values[number]
                   for row in results.rows for metric, values in row.figures.items() if number < len(values)}
        place = Path(networks[number]) if len(set(networks)) > 1 else folder
        runs.append(Run(place, name, settings, None, figures))
    return runs


def _settings(start: Path, folder: Path) -> dict:
    """Of the config that mmengine left beside a log, else the newest in the work dir or its starts."""
    beside = [file for file in (start / 'config.py', ) if file.is_file()]
    others = [*folder.glob('*.py'), *folder.glob('*/vis_data/config.py')]
    found = beside or sorted(others, key=lambda file: file.stat().st_mtime)[-1:]
    return printed_settings(found[0].read_text(errors='replace')) if found else {}
