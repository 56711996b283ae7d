"""The page of evidence: tables, a plot and what they show and do not show, all made from the figures of the runs."""

import io
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from .results import GRAY, OURS, spread_of

NOT_RUN = 'not run'
LABELS = dict(digit='the digit', motion='its motion')
ABOUT = """
Every method trains the same small network on the same videos, without their labels, for as many steps of as many videos
(`supervised from scratch` with them; AdViSe a module on the image model's own features), on the first list of a data
set. Every figure is of the second list, which no training saw. Recipes and lengths are those of
[configs/mini](../configs/mini); no method's learning rate was searched here, and none is its paper's recipe.

Top-1 in percent: mean ± sample standard deviation of the runs; in brackets the 95 % interval of Clopper and Pearson for
that mean, in which a video counts once however many seeds were tested on it. Where people or sequences are left out,
each run has another split, so that each video is tested once and the deviation is that of seed and split together.
"""
READING_NOTE = """
Differences are of k-NN, on the same videos, with the 95 % interval of a bootstrap over runs and videos (pairs stay
pairs). An interval that holds 0 shows no difference. {number} comparisons are made at 95 % each, so one in twenty would
stand apart by chance alone.
"""


def evidence_page(tables: Sequence[dict], costs: Mapping[str, dict], about: dict, titles: Mapping[str, str],
                  columns: Mapping[str, str], asked: Sequence[str], name: str) -> str:
    """The page as Markdown.

    Args:
        tables: Of each label of each data set ``data``, ``label``, ``videos`` and ``splits`` (numbers), ``rows``
            (method to protocol to ``dict(values, seeds, interval)`` or None) and ``pairs`` (``ours``, ``theirs``,
            ``difference``, ``low``, ``high``, ``seeds``).
        costs: ``wall`` and ``cpu`` (seconds) and ``mib`` of trainings, by ``DATA/METHOD/...``.
        about: ``hardware``, ``versions``, ``date`` and ``command``.
        titles: Of methods, in the order of their rows.
        columns: Titles of protocols, in their order.
        asked: Names of all data sets, with those of which nothing was run.
        name: Of the page's file, for its plot.
    """
    lines = ['# Evidence', '', 'Written by `tools/analysis/evidence.py`, whose next call writes it anew.',
             *ABOUT.split('\n')]
    if tables:
        lines += [f'![k-NN of every method on every data set]({name}.svg)', '']
    for table in tables:
        lines += [f'## {title_of(table)}', '', *_table(table, titles, columns), '']
    lines += ['## What it shows', '', *reading(tables, titles), '',
              '## What it does not show', '', *_missing(tables, titles, columns, asked), '',
              '## Time and memory', '', *_costs(costs, titles), '',
              '## How it was made', '', '```bash', about['command'], '```', '',
              f"{about['hardware']}; {', '.join(f'{key} {value}' for key, value in about['versions'].items())}; "
              f"{about['date']}.", '']
    return '\n'.join(lines)


def title_of(table: dict) -> str:
    """A data set and its label in words."""
    what = table['data'].replace('_', ' ')
    return what if table['label'] == 'label' else f"{what}: {LABELS.get(table['label'], table['label'])}"


def _table(table: dict, titles: Mapping[str, str], columns: Mapping[str, str]) -> Iterator[str]:
    splits = f", in {table['splits']} splits" if table['splits'] > 1 else ''
    yield f"{table['videos']} videos are tested in a run{splits}."
    yield ''
    yield '| | ' + ' | '.join(columns.values()) + ' |'
    yield '|---' * (len(columns) + 1) + '|'
    for method, title in titles.items():
        yield f'| {title} | ' + ' | '.join(_cell(table['rows'][method][column]) for column in columns) + ' |'


def _cell(cell: dict | None) -> str:
    if cell is None:
        return NOT_RUN
    low, high = (100 * end for end in cell['interval'])
    runs = len(cell['values'])
    return (spread_of(cell['values']) + f' [{low:.0f}, {high:.0f}]'
            + (f' ({runs} run{"s" if runs > 1 else ""})' if runs != 3 else ''))


def reading(tables: Sequence[dict], titles: Mapping[str, str]) -> Iterator[str]:
    """What the differences say, one sentence for each data set and kind of verdict."""
    pairs = [pair for table in tables for pair in table['pairs']]
    if not pairs:
        yield 'Nothing of iBoot yet: none of its rows has k-NN of a run that another method has.'
        return
    yield from READING_NOTE.format(number=len(pairs)).strip().split('\n')
    yield ''
    for table in tables:
        for ours in dict.fromkeys(pair['ours'] for pair in table['pairs']):
            yield f'- **{title_of(table)}**: {titles[ours]} {_verdicts(table, ours, titles)}.'


def _verdicts(table: dict, ours: str, titles: Mapping[str, str]) -> str:
    verdicts: dict[str, list[str]] = dict(ahead=[], behind=[], open=[])
    for pair in (pair for pair in table['pairs'] if pair['ours'] == ours):
        verdict = 'ahead' if pair['low'] > 0 else 'behind' if pair['high'] < 0 else 'open'
        gap = '{:+.1f} [{:+.1f}, {:+.1f}]'.format(*(100 * pair[key] for key in ('difference', 'low', 'high')))
        runs = '' if len(pair['seeds']) == 3 else f", {len(pair['seeds'])} of 3 seeds"
        verdicts[verdict].append(f"{titles[pair['theirs']]} ({gap}{runs})")
    words = dict(ahead='is ahead of', behind='is **behind**', open='is not told apart from')
    return ', '.join(f'{words[verdict]} {"; ".join(found)}' for verdict, found in verdicts.items() if found)


def _missing(tables: Sequence[dict], titles: Mapping[str, str], columns: Mapping[str, str],
             asked: Sequence[str]) -> Iterator[str]:
    for name in asked:
        if name not in {table['data'] for table in tables}:
            yield f'- {name.replace("_", " ")}: nothing was run.'
    for table in tables:
        gone = {title: [columns[name] for name, cell in table['rows'][method].items() if cell is None]
                for method, title in titles.items()}
        few = [f'{title} ({columns[name]})' for method, title in titles.items()
               for name, cell in table['rows'][method].items() if cell is not None and len(cell['values']) < 3]
        whole = [title for title, names in gone.items() if len(names) == len(columns)]
        some = [f'{title} ({", ".join(names)})' for title, names in gone.items() if names and title not in whole]
        kinds = {'nothing was run of': whole, 'not run': some, 'fewer than 3 seeds': few}
        sentences = [f'{kind} {", ".join(found)}' for kind, found in kinds.items() if found]
        yield f'- {title_of(table)}: {"; ".join(sentences) or "every cell was run with 3 seeds"}.'
    yield ('- Intervals and differences take videos for independent draws. Several clips of one recording, person or '
           'object are not, and there they are too narrow.')
    yield ('- Small networks on small videos, some hundred steps, batches of 32, one learning rate for all: which '
           'method is best at full size does not follow. The intervals know of seeds and videos, not of other recipes.')


def _costs(costs: Mapping[str, dict], titles: Mapping[str, str]) -> Iterator[str]:
    if not costs:
        yield 'No training was measured.'
        return
    yield ('Mean of the pre-trainings; minutes of a core say more than minutes on a machine that does other things, '
           'too, and memory is that of the largest process.')
    yield ''
    yield '| data | method | minutes | minutes of a core | MiB |'
    yield '|---|---|---|---|---|'
    groups: dict[tuple[str, str], list[dict]] = {}
    for place, cost in costs.items():
        data, method = place.split('/')[:2]
        groups.setdefault((data, method), []).append(cost)
    for (data, method), found in groups.items():
        wall, cpu, memory = (mean(cost[key] for cost in found) for key in ('wall', 'cpu', 'mib'))
        yield f'| {data} | {titles.get(method, method)} | {wall / 60:.1f} | {cpu / 60:.1f} | {memory:.0f} |'
    hours = sum(cost['wall'] for cost in costs.values()) / 3600
    yield ''
    yield f'All pre-trainings that are shown took {hours:.1f} hours.'


def draw_evidence(tables: Sequence[dict], titles: Mapping[str, str], ours: Sequence[str], protocol: str = 'knn') -> str:
    """A panel for each label of each data set, a dot for each method with its interval: SVG."""
    from matplotlib.figure import Figure  # no pyplot: no global state, no display

    figure = Figure(figsize=(2 + 2.6 * len(tables), .9 + .32 * len(titles)), layout='constrained')
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    places = {method: -at for at, method in enumerate(titles)}
    for panel, table in zip(panels, tables, strict=True):
        for method, at in places.items():
            cell = table['rows'][method][protocol]
            if cell is None:
                panel.text(0, at, NOT_RUN, va='center', color=GRAY, fontsize=8)
                continue
            value, (low, high) = 100 * mean(cell['values']), (100 * end for end in cell['interval'])
            colour = OURS if method in ours else '#55554f'
            panel.plot([low, high], [at, at], color=colour, alpha=.4, linewidth=4, solid_capstyle='butt')
            panel.plot([100 * run for run in cell['values']], [at] * len(cell['values']), '|', color=colour)
            panel.plot(value, at, 'o', color=colour)
            panel.text(103, at, f'{value:.0f}', va='center', color=colour, fontsize=8)  # beside the panel
        panel.set_title(title_of(table), fontsize=10)
        panel.set_xlim(0, 100)
        panel.spines[['top', 'right', 'left']].set_visible(False)
        panel.tick_params(left=False)
        panel.grid(axis='x', color='#ecece8')
        panel.set_xlabel('k-NN, %', fontsize=9)
    panels[0].set_yticks(list(places.values()), list(titles.values()), fontsize=9)
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', metadata={'Date': None})
    return buffer.getvalue()
