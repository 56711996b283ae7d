"""Draw the figures of many runs into one picture, from their logs.

    python tools/analysis/plot_runs.py work_dirs/byol work_dirs/moco --metric knn_top1 --out knn.png
    python tools/analysis/plot_runs.py work_dirs/*rho* --over rho --metric loss --out rho.svg
    python tools/analysis/plot_runs.py "BYOL: T S C=work_dirs/a" "BYOL: S C=work_dirs/b" --over name --out bars.png

A run is a work dir, however often it was resumed, one of its folders of a start, or a scalars.json of mmengine, of any
project; for an axis of single figures also the folder of a tools/evaluate.py, in which each checkpoint is a run, with
figures called PROTOCOL/METRIC (linear/acc/top1, ava/mAP). NAME=RUN names it. Runs of one name, or of the same config,
are seeds of one another: drawn are their mean, as far as all of them have come, and a band of one sample standard
deviation on each side (--each: each for itself).

--over epoch, step (iterations) or time draws curves. All else draws each run's last figure: `rho`, the number of clips
in its config; any key of its config, such as train_cfg.max_epochs; or `name`, as bars, those named "SERIES: PLACE" side
by side. Lines join runs of one NAME, without names those of one model; if there are several at a place, their mean is
drawn, too, and what else their configs differ in is told. Configs are read, never run.

Beside the picture lie its points, as .json and .csv, as they were logged; only the picture shows shares in %.
"""

import argparse
import csv
import io
import json
import math
import sys
from pathlib import Path

import iboot_mm  # noqa: F401

from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.visualization.run_plot import draw_runs
from iboot_mm.visualization.runs import Run, load_runs, unlike_seeds
from iboot_mm.visualization.scalars import AXES
from iboot_mm.visualization.series import Series, average_curves, common_name, gather_points, in_percent, short_names

BEGINNINGS = {'.json': b'{\n "runs":', '.csv': b'metric,name,over,x,'}  # of the files of points
PICTURES = ('.png', '.svg', '.pdf')
METRICS = ('knn_top1', 'linear/top1', 'acc/top1', 'mAP', 'mean_average_precision', 'top1', 'loss')  # the first found


def split_name(argument: str) -> tuple[str | None, Path]:
    """Name and path of ``[NAME=]RUN``; a path that is there may have any signs in it."""
    if not Path(argument).exists():
        for place, sign in enumerate(argument):
            if sign == '=' and Path(argument[place + 1:]).exists() and argument[place + 1:]:
                return argument[:place].strip(), Path(argument[place + 1:])
    return None, Path(argument)


def choose_metrics(runs: list[Run], wanted: list[str] | None) -> list[str]:
    """The logged names that are meant: of ``knn_top1`` also ``digit/knn_top1``.

    Raises:
        ValueError: there is none.
    """
    logged = list(dict.fromkeys(name for run in runs for name in run.metrics))
    if not logged:
        raise ValueError(f'{runs[0].folder} has logged nothing yet: a line comes every `default_hooks.logger.interval` '
                         'iterations')
    if wanted is None:
        common = [name for name in logged if all(name in run.metrics for run in runs)]
        wanted = [next((m for names in (common, logged) for m in METRICS if _meant(m, names)), None)]
    chosen = []
    for metric in wanted:
        if metric is None or not (found := _meant(metric, logged)):
            raise ValueError(f'no run logged {metric or "an accuracy or a loss"}: choose with --metric of '
                             f'{", ".join(logged)}')
        chosen += found
    return list(dict.fromkeys(chosen))


def _meant(metric: str, names: list[str]) -> list[str]:
    return [name for name in names if name == metric or name.endswith(f'/{metric}')]


def seeds_together(runs: list[Run], each: bool) -> dict[str, list[Run]]:
    """Runs by the name of their series: one name, or one config but for its seed."""
    names = dict(zip(map(id, runs), short_names([run.folder for run in runs])))
    groups: dict[object, list[Run]] = {}
    for number, run in enumerate(runs):
        key = number if each else run.name or run.recipe or number
        groups.setdefault(key, []).append(run)
    together: dict[str, list[Run]] = {}
    for group in groups.values():
        name = group[0].name or common_name([names[id(run)] for run in group])
        if each and group[0].name:
            name = f'{group[0].name}, {names[id(group[0])]}'
        while name in together:  # two groups whose folders begin alike
            name = f'{name}, {names[id(group[0])]}'
        together[name] = group
    return together


def curves_of(runs: list[Run], metric: str, over: str, each: bool) -> list[Series]:
    """A series for each group of runs that logged a metric.

    Raises:
        ValueError: one has no such axis.
    """
    with_it = [run for run in runs if metric in run.metrics]
    return [average_curves(name, [run.curve(metric, over) for run in group])
            for name, group in seeds_together(with_it, each).items()]


def points_of(runs: list[Run], metric: str, over: str) -> list[Series]:
    """The last figures of runs over a setting, joined by name or model; over ``'name'`` by what is before the colon.

    Raises:
        ValueError: a run's config does not tell the setting, or some tell a number and others a word.
    """
    points: dict[str, list[tuple[float | str, float]]] = {}
    names = dict(zip(map(id, runs), short_names([run.folder for run in runs])))
    for run in (run for run in runs if metric in run.metrics):
        if over == 'name':
            series, _, place = (run.name or names[id(run)]).rpartition(': ')
        else:
            series, place = run.name or run.model or names[id(run)], run.setting(over)
        points.setdefault(series, []).append((place, run.last(metric)))
    if len({isinstance(place, str) for found in points.values() for place, _ in found}) > 1:
        raise ValueError(f'--over {over} is a number in some configs and a word in others: plot them apart')
    return [gather_points(series, found) for series, found in points.items()]


def tables(rows: list[dict], runs: list[Run]) -> tuple[str, str]:
    """The points as JSON and as CSV."""
    rows = [{key: None if isinstance(value, float) and not math.isfinite(value) else value
             for key, value in row.items()} for row in rows]
    lines = io.StringIO()
    writer = csv.DictWriter(lines, rows[0], lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    folders = [dict(name=run.name, folder=str(run.folder)) for run in runs]
    return json.dumps(dict(runs=folders, points=rows), indent=1) + '\n', lines.getvalue()


def check_place(out: Path) -> None:
    """Raises a ValueError if the points would take the place of a file that is none of this tool's."""
    for suffix, beginning in BEGINNINGS.items():
        place = out.with_suffix(suffix)
        if place.is_file() and not place.read_bytes().startswith(beginning):
            raise ValueError(f'the points would take the place of {place}, which this tool did not write: choose '
                             'another --out')


def summary(metric: str, panel: list[Series]) -> list[str]:
    """A line for each series: where it ends."""
    factor = 100 if in_percent(metric, panel) else 1
    lines = []
    for series in panel:
        for at in range(len(series.x)) if isinstance(series.x[0], str) else (-1, ):
            spread = f' \u00b1 {factor * series.deviation[at]:.3g}' if series.runs[at] > 1 else ''
            place = series.x[at] if isinstance(series.x[at], str) else f'{series.x[at]:.6g}'
            value = f'{factor * series.mean[at]:.4g}{spread}' + ' %' * (factor > 1)
            lines.append(f'{metric}  {series.name}  {value} at {place}')
    return lines


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', metavar='[NAME=]RUN')
    parser.add_argument('--metric', nargs='+', help='names as logged, or their ends; a panel each; default: the first '
                        f'of {", ".join(METRICS)} that all runs have')
    parser.add_argument('--over', default='epoch', help='epoch (default), step, time, rho, name or a key of the config')
    parser.add_argument('--each', action='store_true', help='each run for itself, no means')
    parser.add_argument('--log', action='store_true', help='logarithmic x axis')
    parser.add_argument('--out', type=Path, default=Path('runs.png'), help='.png, .svg or .pdf')
    args = parser.parse_args()
    if args.out.suffix.lower() not in PICTURES:
        parser.error(f'--out ends in {", ".join(PICTURES)}, got {args.out}')
    return args


@one_line_when_stopped()
def main() -> None:
    args = parse_args()
    try:
        check_place(args.out)
        named = dict.fromkeys((name, path.resolve()) for name, path in map(split_name, args.runs))  # each once
        runs = [run for name, path in named for run in load_runs(path, name)]
        if args.over in AXES and (without := next((run for run in runs if run.log is None), None)):
            raise ValueError(f'of {without.folder} there are the figures of an evaluation, and no log: draw them '
                             '--over rho, name or a key of the config')
        panels = {metric: curves_of(runs, metric, args.over, args.each) if args.over in AXES
                  else points_of(runs, metric, args.over) for metric in choose_metrics(runs, args.metric)}
        figure = draw_runs(panels, args.over, args.log)
    except (OSError, ValueError) as error:
        sys.exit(f'plot_runs: {error}')
    for run in runs:
        if lacking := [metric for metric in panels if metric not in run.metrics]:
            print(f'{run.folder} logged no {", ".join(lacking)} and is left out there', file=sys.stderr)
    if args.over not in (*AXES, 'name'):
        for sentence in unlike_seeds(runs, args.over):
            print(sentence, file=sys.stderr)
    figure.savefig(picture := io.BytesIO(), format=args.out.suffix[1:].lower(), dpi=150)
    texts = tables([row for metric, panel in panels.items() for series in panel
                    for row in series.rows(metric, args.over)], runs)
    try:
        backend = AtomicLocalBackend()
        backend.put(picture.getvalue(), args.out)
        for suffix, text in zip(BEGINNINGS, texts):
            backend.put_text(text, args.out.with_suffix(suffix))
    except OSError as error:
        sys.exit(f'plot_runs: {error}: choose another --out')
    print('\n'.join(line for metric, panel in panels.items() for line in summary(metric, panel)))
    print(f'{args.out}, and its points: {args.out.with_suffix(".json").name}, {args.out.with_suffix(".csv").name}')


if __name__ == '__main__':
    main()
