"""What an evaluation found: as a table in a terminal, as the page of a model card, and as a picture."""

import io
from statistics import mean, stdev

GRAY, OURS = '#b9b9b3', '#0b6e99'

# One row of results: dict(name, title, figures={metric: [a value in [0, 1] per run]}, paper=None or %, source, counts,
# config, commands, seconds).
Row = dict


def spread_of(values: list[float], metric: str = '') -> str:
    """Mean and, of several runs, their sample standard deviation: ``42.0 ± 1.3``.

    Accuracies in [0, 1] are shown in percent; cosine distances, the metrics called ``change_*``, as they are.
    """
    factor, digits = (1, 4) if _is_distance(metric) else (100, 1)
    text = f'{factor * mean(values):.{digits}f}'
    return text if len(values) < 2 else f'{text} ± {factor * stdev(values):.{digits}f}'


def _is_distance(metric: str) -> bool:
    return '/change_' in metric


def format_table(rows: list[Row]) -> str:
    """The rows as text: each protocol's first figure, named, beside the paper's, and further figures below it."""
    lines = [('', 'ours, %', "paper's, %")]
    for row in rows:
        for i, (metric, values) in enumerate(row['figures'].items()):
            name = f'{metric}, a cosine distance' if _is_distance(metric) else metric
            title = f"{row['title']} ({name})" if i == 0 else f'  {name}'
            lines.append((title, spread_of(values, metric), _paper(row) if i == 0 else ''))
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    return '\n'.join(f'{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}'.rstrip() for a, b, c in lines)


def model_card_page(results: dict) -> str:
    """The results as the Markdown page of a model card.

    Args:
        results: What ``tools/evaluate.py`` writes as ``results.json``.
    """
    networks = '<br>'.join(f"`{c['name']}`, sha256 {c['sha256'][:16]}" if c.get('sha256') else f"`{c['name']}`"
                           for c in results['checkpoints'])
    seeds = ', '.join(str(c['seed']) for c in results['checkpoints'])
    of_paper = (" The paper's figures are those of iBoot (Saleh et al., 2022) for Slow R50, not ours."
                if any(row['paper'] is not None for row in results['rows']) else '')
    lines = [f"# {results['title']}", '', '| | |', '|---|---|', f'| network | {networks} |',
             f"| backbone | `{results['backbone']}` |", *map(_teacher, results['teachers']), f'| seeds | {seeds} |',
             f"| hardware | {results['hardware']} |",
             f"| versions | {', '.join(f'{name} {v}' for name, v in results['versions'].items())} |",
             f"| date | {results['date']} |", '', '## Measured by us', '',
             'In percent, cosine distances (`change`) as they are'
             + ('; mean and sample standard deviation over the runs' if len(results['checkpoints']) > 1 else '')
             + '.' + of_paper, '', "| protocol | figure | ours | paper's | videos as found | config | time |",
             '|---|---|---|---|---|---|---|']
    for row in results['rows']:
        for i, (metric, values) in enumerate(row['figures'].items()):
            about = [_paper(row) or 'none', _counts(row['counts']), f"`{row['config']}`", _minutes(row['seconds'])]
            lines.append('| ' + ' | '.join([row['title'] if i == 0 else '', f'`{metric}`', spread_of(values, metric),
                                            *(about if i == 0 else [''] * 4)]) + ' |')
    lines += ['', '## Commands', '', '```bash', results['command'], '```', '', 'which ran, for each checkpoint:', '',
              '```bash', *(command for row in results['rows'] for command in row['commands']), '```', '']
    return '\n'.join(lines)


def draw_results(rows: list[Row]) -> str:
    """Each protocol's first figure as a bar with its spread, the paper's as a mark: SVG."""
    from matplotlib.figure import Figure  # no pyplot: no global state, no display

    figure = Figure(figsize=(9, .8 + .42 * len(rows)), layout='constrained')
    axis = figure.subplots()
    for at, row in enumerate(reversed(rows)):
        values = [100 * v for v in next(iter(row['figures'].values()))]
        axis.barh(at, mean(values), height=.6, color=OURS, label='ours')
        if len(values) > 1:
            axis.errorbar(mean(values), at, xerr=stdev(values), color='#2b2b28', capsize=3)
        if row['paper'] is not None:
            axis.plot([row['paper']] * 2, [at - .38, at + .38], color='#d9730d', linewidth=3, label="paper's")
        axis.text(1, at, f'{mean(values):.1f}', va='center', color='white', fontsize=9)
    axis.set_yticks(range(len(rows)), [row['title'] for row in reversed(rows)], fontsize=9)
    axis.set_xlim(0, 100)
    axis.set_xlabel('%')
    axis.spines[['top', 'right']].set_visible(False)
    handles = dict(zip(*reversed(axis.get_legend_handles_labels())))
    axis.legend(handles.values(), handles.keys(), frameon=False, fontsize=9, loc='lower right')
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', metadata={'Date': None})
    return buffer.getvalue()


def _teacher(teacher: dict) -> str:
    licence = f", licence of its weights: {teacher['licence']}" if 'licence' in teacher else ''
    return (f"| pre-trained towards | {teacher.get('model', teacher['type'])}, {teacher.get('output', 'embedding')} of "
            f"width {teacher['width']}{licence} |")


def _paper(row: Row) -> str:
    return '' if row['paper'] is None else f"{row['paper']:.1f} ({row['source']})"


def _counts(counts: dict[str, dict[str, int | None]]) -> str:
    return ', '.join(f"{count['videos']} {name}" + (f" (official {count['official']})" if count['official'] else '')
                     for name, count in counts.items())


def _minutes(seconds: list[float]) -> str:
    return f'{sum(seconds) / 60:.1f} min'
