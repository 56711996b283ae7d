"""Figures of many runs as series with means and deviations: what a plot of runs is made of."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .scalars import Curve

SHARES = re.compile(r'(knn_top\d|acc/top\d|/top\d|top\d_acc|R@\d+|mAP|mean_average_precision|accuracy)')


@dataclass(frozen=True)
class Series:
    """A line of a plot, or its bars: the runs of one name.

    Attributes:
        name: In the legend.
        x: Ascending places, or names of places ``(P,)``.
        mean: Of the runs' values ``(P,)``.
        deviation: Their sample standard deviation ``(P,)``; NaN where there is one run.
        runs: How many runs each place has ``(P,)``.
    """

    name: str
    x: list[float] | list[str]
    mean: list[float]
    deviation: list[float]
    runs: list[int]

    def rows(self, metric: str, over: str) -> list[dict]:
        """The points as rows of a table."""
        return [dict(metric=metric, name=self.name, over=over, x=x, mean=mean, deviation=deviation, runs=runs)
                for x, mean, deviation, runs in zip(self.x, self.mean, self.deviation, self.runs)]


def average_curves(name: str, curves: Sequence[Curve]) -> Series:
    """Curves of runs that differ in their seeds: mean and deviation wherever all of them are.

    Between its points a curve is a straight line, so runs that were logged at other places can be averaged.

    Args:
        name: Of the series.
        curves: One or more, none of them empty.

    Raises:
        ValueError: one ends before another begins.
    """
    first, last = max(curve[0][0] for curve in curves), min(curve[-1][0] for curve in curves)
    if first > last:
        raise ValueError(f'of the runs of {name} one ends before another begins, so they have no mean: give them names '
                         'of their own (NAME=RUN), or --each')
    x = sorted({place for curve in curves for place, _ in curve if first <= place <= last})
    values = np.array([np.interp(x, *zip(*curve)) for curve in curves])
    return _series(name, x, list(values.T))


def gather_points(name: str, points: Sequence[tuple[float | str, float]]) -> Series:
    """Single figures of runs, put together by their places; names of places keep the order in which they come."""
    x = list(dict.fromkeys(place for place, _ in points))
    x = x if any(isinstance(place, str) for place in x) else sorted(x)
    return _series(name, x, [[value for place, value in points if place == at] for at in x])


def _series(name: str, x: list, values: list[Sequence[float]]) -> Series:
    finite = [np.where(np.isfinite(v), v, np.nan) for v in values]  # a gap in the line
    return Series(name, x, [float(np.mean(v)) for v in finite],
                  [float(np.std(v, ddof=1)) if len(v) > 1 else float('nan') for v in finite], [len(v) for v in finite])


def in_percent(metric: str, series: Sequence[Series]) -> bool:
    """Whether a figure is an accuracy or a precision in [0, 1], which is shown in %; others are shown as they are."""
    values = [value for line in series for value in line.mean if value == value]
    return bool(SHARES.search(metric)) and all(0 <= value <= 1 for value in values)


def short_names(folders: Sequence[Path]) -> list[str]:
    """The last parts of paths, as few as tell them apart."""
    parts = [Path(folder).parts or Path(os.path.abspath(folder)).parts for folder in folders]
    for count in range(1, max(map(len, parts)) + 1):
        names = ['/'.join(part[-count:]) for part in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names


def common_name(names: Sequence[str]) -> str:
    """What names of runs share, without a seed's number: ``byol_seed0`` and ``byol_seed1`` are ``byol``."""
    if len(set(names)) == 1:
        return names[0]
    stems = {re.sub(r'([\s_\-./]+(seed|s))?[\s_\-./=]*\d+$', '', name, flags=re.I) for name in names}
    shared = stems.pop() if len(stems) == 1 else os.path.commonprefix(list(names)).rstrip('_-./ ')
    return shared or f'{names[0]} and others'
