"""Many runs in one picture: lines with bands over seeds, or bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .curves import COLOURS
from .series import Series, in_percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXIS_NAMES = dict(epoch='epoch', step='iteration of a process', time='hours of training, without evaluations',
                  minutes='minutes of training, without evaluations', rho='clips of a video (rho)', name='')
STYLES = ('-', '--', ':', '-.')
MARKED = 40  # points up to which each has a dot
LONGEST = 44  # characters of a name in the legend


def draw_runs(panels: dict[str, Sequence[Series]], over: str, log: bool = False) -> 'Figure':
    """A panel for each metric, with one legend for all.

    Args:
        panels: Metric to its series; those of one name have one colour in all panels. Places that are names make bars.
        over: What the x axis is, see ``AXIS_NAMES``, or a key of the configs.
        log: A logarithmic x axis, to base 2.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure  # no pyplot: no global state, no display

    names = list(dict.fromkeys(series.name for panel in panels.values() for series in panel))
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(1.2 + 4.6 * columns, 3.6 * rows + .26 * -(-len(names) // columns)), layout='constrained',
                    facecolor='white')
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    in_minutes = over == 'time' and max(series.x[-1] for panel in panels.values() for series in panel) < 1
    for axis, (metric, panel) in zip(axes, panels.items()):
        factor = 100 if in_percent(metric, panel) else 1
        axis.set_title(_plain(metric) + (', %' if factor == 100 else ''), loc='left', fontsize=11)
        axis.set_xlabel(_plain(AXIS_NAMES.get('minutes' if in_minutes else over, over)), fontsize=9)
        axis.spines[['top', 'right']].set_visible(False)
        axis.tick_params(labelsize=9, colors='#555')
        axis.grid(axis='y', color='#e6e6e2', linewidth=.8)
        axis.set_axisbelow(True)
        if any(isinstance(place, str) for series in panel for place in series.x):
            _draw_bars(axis, panel, names, factor)
            continue
        for series in panel:
            _draw_line(axis, series, names.index(series.name), 60 if in_minutes else 1, factor)
        if log:
            axis.set_xscale('log', base=2)
        elif over in ('rho', 'epoch'):
            axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in axes[len(panels):]:
        axis.axis('off')
    handles = {label: handle for axis in figure.axes for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc='outside lower left', ncols=columns, frameon=False, fontsize=9)
    return figure


def _draw_line(axis: Any, series: Series, number: int, unit: float, factor: float) -> None:
    x, mean, deviation = (np.array(values, dtype=float) for values in (series.x, series.mean, series.deviation))
    x = unit * x
    colour, style = COLOURS[number % len(COLOURS)], STYLES[number // len(COLOURS) % len(STYLES)]
    axis.plot(x, factor * mean, color=colour, linestyle=style, linewidth=1.8, markersize=4,
              marker='o' if len(x) <= MARKED else '', label=_label(series))
    if np.isfinite(deviation).any():
        axis.fill_between(x, factor * (mean - deviation), factor * (mean + deviation), color=colour, alpha=.18,
                          linewidth=0)


def _draw_bars(axis: Any, panel: Sequence[Series], names: list[str], factor: float) -> None:
    places = list(dict.fromkeys(place for series in panel for place in series.x))
    width = .8 / len(panel)
    for at, series in enumerate(panel):
        x = np.array([places.index(place) for place in series.x]) + (at - (len(panel) - 1) / 2) * width
        mean, deviation = factor * np.array(series.mean), factor * np.array(series.deviation)
        bars = axis.bar(x, mean, width * .92, color=COLOURS[names.index(series.name) % len(COLOURS)],
                        yerr=np.nan_to_num(deviation) if np.isfinite(deviation).any() else None, label=_label(series),
                        error_kw=dict(ecolor='#2b2b28', capsize=3))
        axis.bar_label(bars, [f'{value:.1f}' if factor == 100 else f'{value:.3g}' for value in mean], fontsize=8,
                       padding=2)
    turned = sum(map(len, places)) > 40
    axis.set_xticks(range(len(places)), [_plain(place) for place in places], rotation=25 if turned else 0,
                    ha='right' if turned else 'center')


def _label(series: Series) -> str:
    if not series.name:
        return ''  # which is not in the legend
    most = max(series.runs)
    count = f' ({most} runs)' if most > 1 else ''
    name = series.name if len(series.name) <= LONGEST else f'{series.name[:20]}\u2026{series.name[21 - LONGEST:]}'
    return _plain(name) + count


def _plain(text: str) -> str:
    """As it is: matplotlib takes ``$`` for mathematics, and leaves a label that begins with ``_`` out of the legend."""
    text = text.replace('$', r'\$')
    return f' {text}' if text.startswith('_') else text
