"""What a run logged, as curves: mmengine's ``vis_data/scalars.json`` of all of its starts, put together."""

import json
import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Curve = list[tuple[float, float]]  # (place, value), ascending
AXES = ('epoch', 'step', 'time')
PLACES = ('iter', 'step', 'epoch')  # of a record, which are no figures
OF_TRAINING = ('time', 'data_time')  # seconds of an iteration; validations log their own under the same names
EPOCH_LENGTH = re.compile(r'Epoch\(train\)\s*\[\s*\d+\]\[\s*\d+/(\d+)\]')  # in the log for people


@dataclass
class RunLog:
    """The figures of a run, whatever it went through.

    A place is where a figure was logged: epochs done, with fractions, or iterations where the loop counts no epochs.

    Attributes:
        curves: Name to ``(place, value)``.
        hours: ``(place, hours)`` spent in training iterations until then; empty if the run logged no times.
        length: Iterations of an epoch in the run's last start; None where the loop counts no epochs.
    """

    curves: dict[str, Curve] = field(default_factory=dict)
    hours: Curve = field(default_factory=list)
    length: float | None = None

    def over(self, name: str, axis: str) -> Curve:
        """A curve over ``'epoch'``, ``'step'`` (iterations of a process, as long as in the last start) or ``'time'``.

        Raises:
            ValueError: the run counts no epochs, or logged no times.
        """
        curve = self.curves[name]
        if axis == 'step':
            return [(round(place * (self.length or 1), 6), value) for place, value in curve]
        if axis == 'epoch':
            if self.length is None:
                raise ValueError("counts iterations, not epochs: take 'step' or 'time'")
            return curve
        if not self.hours:
            raise ValueError("logged no 'time' of its iterations: take 'epoch' or 'step'")
        return [(self._hours_at(place), value) for place, value in curve]

    def _hours_at(self, place: float) -> float:
        at = bisect_left(self.hours, (place, ))
        if at == len(self.hours):
            return self.hours[-1][1]
        (left, before), (right, after) = self.hours[at - 1] if at else (0., 0.), self.hours[at]
        return before + (after - before) * (place - left) / (right - left) if right > left else after


def scalar_files(work_dir: str | Path) -> list[Path]:
    """The ``scalars.json`` of every start of a run (mmengine begins a new one at each resume), oldest first."""
    return sorted(Path(work_dir).glob('*/vis_data/scalars.json'))


def read_scalars(files: list[Path]) -> dict[str, Curve]:
    """Curves by name over iterations, see :func:`read_log`."""
    log = read_log(files)
    return {name: log.over(name, 'step') for name in log.curves}


def read_log(files: list[Path]) -> RunLog:
    """Puts the starts of a run together.

    Where a start repeats what an earlier one had done, the later one counts. Starts may differ in the length of an
    epoch (other processes, another batch): they are put together by epochs. Evaluation results are at the end of the
    epoch that mmengine logs with them; without epochs, at the last iteration before them.

    Args:
        files: ``scalars.json`` files, oldest first.

    Raises:
        FileNotFoundError: there is no file.
        ValueError: a line is no record (a run that was killed may end in half a line, which is skipped).
    """
    if not files:
        raise FileNotFoundError('no vis_data/scalars.json in the work directory: has the run trained at all?')
    points: dict[str, dict[float, float]] = {}
    hours: Curve = []
    length: float | None = 1.
    for file in files:
        records = list(read_records(file))
        trained = [record for record in records if 'iter' in record]
        length = _epoch_length(file, trained) if trained else length
        begin = _begin(trained, length) + 1e-9 if trained else float('inf')
        hours = [point for point in hours if point[0] <= begin]
        for name, curve in points.items():
            points[name] = {place: value for place, value in curve.items() if place <= begin}
        hours += _hours(trained, length or 1, *(hours[-1] if hours else (0., 0.)))
        place = 0.
        for record in records:
            if 'iter' in record:
                place = record['iter'] / (length or 1)
            elif length is not None or not trained:
                place = float(record['step'])
            for name, value in record.items():
                is_figure = isinstance(value, (int, float)) and not isinstance(value, bool) and name not in PLACES
                if is_figure and not ('iter' not in record and name in OF_TRAINING):
                    points.setdefault(name, {})[place] = float(value)
    return RunLog({name: sorted(curve.items()) for name, curve in points.items() if curve}, hours, length)


def read_records(file: Path) -> Iterator[dict]:
    """The lines of a ``scalars.json``: of training with ``iter``, of evaluation with ``step``.

    Raises:
        ValueError: a line is no such record; names the file and the line.
    """
    try:
        lines = [line for line in file.read_text().splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise ValueError(f'{file} is no text: name a scalars.json of mmengine') from None
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line, parse_int=float)  # of any length
        except (json.JSONDecodeError, RecursionError) as error:
            if number == len(lines):
                continue
            raise ValueError(f'{file}, line {number} is no JSON: {error}') from None
        place = (record.get('iter', record.get('step')) if isinstance(record, dict) else None)
        if not isinstance(place, (int, float)):
            raise ValueError(f"{file}, line {number} has neither 'iter' nor 'step': it is no scalars.json of mmengine")
        for name in (*PLACES, *OF_TRAINING):
            value = record.get(name, 0)
            if not isinstance(value, (int, float)) or name in PLACES and not math.isfinite(value):
                raise ValueError(f'{file}, line {number} has {value!r} for {name!r}: it is no scalars.json of mmengine')
        yield record


def _epoch_length(file: Path, trained: list[dict]) -> float | None:
    """Iterations of an epoch, as the log beside it says, else the least that fits the records."""
    if not any(record.get('epoch', 0) >= 1 for record in trained):
        return None
    for log in sorted(file.parent.parent.glob('*.log')):
        with log.open(errors='replace') as lines:
            if found := next(filter(None, map(EPOCH_LENGTH.search, lines)), None):
                return float(found[1])
    return max(record['iter'] / record['epoch'] for record in trained if record.get('epoch', 0) >= 1)


def _begin(trained: list[dict], length: float | None) -> float:
    """The place at which a start went on, to one interval of logging: that of its first line less an interval."""
    first = trained[0]['iter']
    inside = first if length is None else first - (trained[0].get('epoch', 1) - 1) * length  # of its epoch
    interval = max((after['iter'] - before['iter'] for before, after in zip(trained, trained[1:])), default=inside)
    return max(first - min(inside, interval), 0) / (length or 1)


def _hours(trained: list[dict], length: float, place: float, hours: float) -> Iterator[tuple[float, float]]:
    """Places and hours of a start that goes on from a place, as far as its records have times."""
    for record in trained:
        if 'time' not in record:
            continue
        here = record['iter'] / length
        hours += max(here - place, 0.) * length * record['time'] / 3600
        place = here
        yield place, hours
