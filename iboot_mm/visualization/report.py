"""One self-contained HTML page on a run: no script, no file beside it, no request to the network."""

from collections.abc import Callable
from html import escape
from pathlib import Path

from .curves import draw_curves
from .dry_run import render_dry_run
from .scalars import Curve
from .style import STYLE
from .thumbnails import Thumbnail
from .video_map import class_name, render_map

LOOK = 'Frames of a clip, and below them where the network looks'  # for who does not see it


def build_report(title: str, summary: list[str], results: dict, curves: dict[str, Curve], config: str,
                 versions: dict[str, str], thumbnail: Callable[[str], Thumbnail | None],
                 class_names: dict[str, list[str]] | None = None,
                 others: dict[str, dict[str, Curve]] | None = None, looks: list[str] | str | None = None,
                 dry_run: dict | None = None,
                 map_thumbnail: Callable[[str], Thumbnail | None] | None = None) -> str:
    """Puts the page together.

    Args:
        title: Of the page.
        summary: Sentences under it.
        results: ``knn_table.json`` of tools/analysis/knn_table.py.
        curves: See :func:`~iboot_mm.visualization.scalars.read_scalars`.
        config: Text of the run's config.
        versions: Library to version.
        thumbnail: Reads the thumbnail of a path, None if it cannot.
        class_names: Names of the classes by label, for the captions.
        others: Curves of other runs, as ``curves``, by the name of their row in the table.
        looks: Pictures of :func:`~iboot_mm.visualization.looks.draw_looks`, or why there are none.
        dry_run: ``dry_run.json`` of tools/analysis/dry_run.py.
        map_thumbnail: As ``thumbnail``, for the many pictures of the map, of which only the still is used.

    Returns:
        HTML.
    """
    table = results['table']
    method = list(table)[-1]
    references = {row: table[row] for row in table if row == 'random network' or row.startswith('teacher')}
    parts = [
        f'<h1>{escape(title)}</h1>', *(f'<p>{escape(line)}</p>' for line in summary),
        '<h2>k-NN on frozen features</h2>', render_table(results), *(f'<p>{escape(s)}</p>' for s in read_table(table)),
        '<h2>Training</h2>', f'<figure>{draw_curves(curves, references, others)}</figure>',
        '<h2>Nearest neighbours</h2>', render_neighbors(results['neighbors'], thumbnail, class_names or {}, method),
        *([] if 'map' not in results else ['<h2>Map of the videos</h2>', render_map(
            results['map'], map_thumbnail or thumbnail, class_names)]),
        *([] if looks is None else ['<h2>Where it looks</h2>', render_looks(looks)]),
        *([] if dry_run is None else ['<h2>On GPUs</h2>', render_dry_run(dry_run)]),
        '<h2>Config and versions</h2>', render_versions(versions),
        f'<details><summary>The whole config</summary><pre>{escape(config)}</pre></details>']
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>'
            f'</head><body><main>\n' + '\n'.join(parts) + '\n</main></body></html>\n')


def render_table(results: dict) -> str:
    """The k-NN table, the trained network's row, the last, set off."""
    table = results['table']
    ours = list(table)[-1]
    names = list(table['chance'])
    if not names:
        rows = ''.join(f'<tr{_row_class(row, ours)}><th scope="row">{escape(row)}</th><td>{value:.3f}</td></tr>'
                       for row, value in results['spread'].items())
        return ('<p>These videos have no labels, so there is no accuracy to print; the spread of the features says '
                'whether they tell videos apart at all (0: all alike).</p>'
                f'<table><tr><td></td><th scope="col">spread</th></tr>{rows}</table>')
    head = ''.join(f'<th scope="col">{escape("accuracy" if n == "label" else n)}</th>' for n in names)
    rows = ''.join(f'<tr{_row_class(row, ours)}><th scope="row">{escape(row)}</th>' +
                   ''.join(f'<td>{100 * scores[n]:.1f}</td>' for n in names) + '</tr>' for row, scores in table.items())
    counts = results['counts']
    return (f'<table><caption>Weighted k-NN, k = {results["k"]}: top-1 in % of {counts["query"]} query videos in a '
            f'gallery of {counts["gallery"]}, one clip each</caption><tr><td></td>{head}</tr>{rows}</table>')


def _row_class(row: str, ours: str) -> str:
    return ' class="ours"' if row == ours else ''


def read_table(table: dict[str, dict[str, float]]) -> list[str]:
    """What the table says, one sentence per label."""
    ours = list(table)[-1]
    teachers = [row for row in table if row.startswith('teacher')]
    others = [row for row in table if row not in ('chance', 'raw pixels', 'random network', ours, *teachers)]
    sentences = []
    for name, score in table[ours].items():
        start, chance = table['random network'][name], table['chance'][name]
        what = 'Accuracy' if name == 'label' else f'On {name}, accuracy'
        text = f'{what} goes from {100 * start:.1f} % with random weights to {100 * score:.1f} % with {ours}; '
        if teachers:
            top = max(table[teacher][name] for teacher in teachers)
            text += f'the teacher, which {ours} learned from, has {100 * top:.1f} %, '
        text += ''.join(f'{other} {100 * table[other][name]:.1f} %, ' for other in others)
        text += f'chance is {100 * chance:.1f} %.'
        if teachers and top < 2 * chance and score <= start + .1:
            text += ' A teacher that sees single frames, averaged over time, has nothing to teach here.'
        sentences.append(text)
    return sentences


def render_neighbors(neighbors: list[dict], thumbnail: Callable[[str], Thumbnail | None],
                     class_names: dict[str, list[str]], method: str) -> str:
    """One line per query: the query, then its neighbours, the nearest first."""
    lines = []
    for entry in neighbors:
        query = entry['query']
        cells = [_clip(query, None, thumbnail, class_names)]
        cells += [_clip(n, query['labels'], thumbnail, class_names) for n in entry['neighbors']]
        lines.append(f'<div class="line">{"".join(cells)}</div>')
    hint = (f"Left: the query. Then its nearest gallery videos by {escape(method)}'s features, the nearest first, with "
            'the cosine. Point at a picture, tap it or go there with Tab to play it.')
    if any(entry['query']['labels'] for entry in neighbors):
        hint += " A label that agrees with the query's is green, one that does not is red."
    return f'<p>{hint}</p><div class="neighbors">{"".join(lines)}</div>'


def _clip(sample: dict, query_labels: dict[str, int] | None, thumbnail: Callable[[str], Thumbnail | None],
          class_names: dict[str, list[str]]) -> str:
    picture = thumbnail(sample['filename'])
    image = '<span class="gone">not readable</span>' if picture is None else (
        f'<img src="{picture.still}" alt=""><img class="loop" src="{picture.loop}" alt="">')
    captions = []
    for name, value in sample['labels'].items():
        names = class_names.get(name, [])
        text = escape(class_name(value, names))
        kind = '' if query_labels is None else ' class="same"' if query_labels.get(name) == value else ' class="other"'
        captions.append(f'<span{kind}>{text}</span>')
    if not captions:
        captions.append(f'<span>{escape(Path(sample["filename"]).stem)}</span>')
    cosine = f'<small>{sample["similarity"]:.2f}</small>' if 'similarity' in sample else '<small>query</small>'
    role = ' query' if query_labels is None else ''
    return (f'<div class="clip{role}" tabindex="0" title="{escape(sample["filename"])}">'
            f'<div class="picture">{image}</div><div class="caption">{" ".join(captions)} {cosine}</div></div>')


def render_looks(looks: list[str] | str) -> str:
    """Strips of frames below one another, or the sentence that says why there are none."""
    if isinstance(looks, str):
        return f'<p>{escape(looks)}</p>'
    hint = ("How far the network's features at each place agree with the clip's target: the image model's feature, or "
            'their own average where there is no image model. Of a ViT also what its class token attends to. Each '
            'scale ends at the 99.5th percentile of its video.')
    return f'<p>{hint}</p>' + ''.join(
        f'<figure class="look"><img src="{look}" alt="{LOOK}"></figure>' for look in looks)


def render_versions(versions: dict[str, str]) -> str:
    """Versions in one line."""
    return '<p class="versions">' + ', '.join(f'{escape(n)} {escape(v)}' for n, v in versions.items()) + '</p>'
