"""The curves of a run as one picture: loss, k-NN, spread of the features, learning rate."""

import io
import re
from typing import Any

from .scalars import Curve

COLOURS = ('#0b6e99', '#d9730d', '#0f7b6c', '#ad1a72', '#6940a5', '#64473a')
GRAY = '#8a8a86'


def draw_curves(curves: dict[str, Curve], references: dict[str, dict[str, float]] | None = None,
                others: dict[str, dict[str, Curve]] | None = None) -> str:
    """Draws the four panels as SVG that fits into a page (no prolog, no fixed size).

    Args:
        curves: See :func:`~iboot_mm.visualization.scalars.read_scalars`.
        references: Rows of the k-NN table to draw as dashed lines, such as ``{'teacher': {'digit': .98}}``.
        others: Curves of other runs by name, of which the k-NN is drawn as dotted lines.

    Returns:
        ``<svg ...>...</svg>``.
    """
    from matplotlib.figure import Figure  # no pyplot: no global state, no display

    figure = Figure(figsize=(10, 6.2), layout='constrained')
    axes = figure.subplots(2, 2)
    _panel(axes[0, 0], 'Loss', {_short(n, 'loss_'): c for n, c in curves.items() if _is_loss(n, curves)})
    _knn_panel(axes[0, 1], curves, references, others or {})
    _panel(axes[1, 0], 'Spread of the features (0: collapsed)',
           {_short(n, 'spread_'): c for n, c in curves.items() if n.startswith('spread_')}, bottom=0)
    _panel(axes[1, 1], 'Learning rate', {n: c for n, c in curves.items() if n == 'lr'}, bottom=0)
    for axis in axes[1]:
        axis.set_xlabel('iteration')
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', transparent=True, metadata={'Date': None})
    svg = buffer.getvalue()
    svg = svg[svg.index('<svg'):]
    return re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r'<svg \1role="img"', svg, count=1)


def _is_loss(name: str, curves: dict[str, Curve]) -> bool:
    """The single terms, or the sum when there is none."""
    terms = [n for n in curves if n.startswith('loss_')]
    return name in terms if terms else name == 'loss'


def _knn_panel(axis: Any, curves: dict[str, Curve], references: dict[str, dict[str, float]] | None,
               others: dict[str, dict[str, Curve]]) -> None:
    own = _knn_curves(curves)
    _panel(axis, 'k-NN top-1, %', own, marker='o', references=references)
    for run, other in others.items():
        for label, curve in _knn_curves(other).items():
            if label in own:
                colour = COLOURS[list(own).index(label) % len(COLOURS)]
                axis.plot(*zip(*curve), color=colour, marker='o', markersize=3, linestyle=':', label=f'{label}, {run}')
                axis.legend(frameon=False, fontsize=9)


def _knn_curves(curves: dict[str, Curve]) -> dict[str, Curve]:
    """Accuracy in % by label."""
    found = {name: curve for name, curve in curves.items() if name.endswith('knn_top1')}
    return {name.rpartition('/')[0] or 'label': [(x, 100 * y) for x, y in curve] for name, curve in found.items()}


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(prefix)


def _panel(axis: Any, title: str, curves: dict[str, Curve], marker: str = '', bottom: float | None = None,
           references: dict[str, dict[str, float]] | None = None) -> None:
    axis.set_title(title, loc='left', fontsize=11)
    axis.spines[['top', 'right']].set_visible(False)
    axis.tick_params(labelsize=9, colors='#555')
    axis.grid(axis='y', color='#e6e6e2', linewidth=.8)
    if not curves:
        axis.text(.5, .5, 'not logged in this run', ha='center', va='center', color=GRAY, transform=axis.transAxes)
        axis.set_xticks([])
        axis.set_yticks([])
        return
    end = max(curve[-1][0] for curve in curves.values())
    written = []
    for (name, curve), colour in zip(curves.items(), COLOURS * len(curves)):
        axis.plot(*zip(*curve), color=colour, marker=marker, markersize=4, linewidth=1.8, label=name)
        for row, scores in (references or {}).items():
            if name in scores:
                level = 100 * scores[name]
                axis.axhline(level, color=colour, linestyle=(0, (4, 3)), linewidth=1, alpha=.7)
                if all(abs(level - other) > 5 for other in written):  # lines that nearly coincide share one name
                    axis.annotate(row, (end, level), xytext=(0, 2), textcoords='offset points', ha='right',
                                  fontsize=8, color=colour)
                written.append(level)
    if bottom is not None:
        axis.set_ylim(bottom=bottom)
    if references:
        axis.set_ylim(0, 104)
    if len(curves) > 1 or marker:
        axis.legend(frameon=False, fontsize=9)
