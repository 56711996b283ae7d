"""A map of videos as an inline picture: a point each, with pictures under the pointer, by keyboard and by tap."""

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from .thumbnails import Thumbnail

WIDTH, HEIGHT, MARGIN = 1000, 680, 30  # units of the drawing
PICTURE = 180  # side of a picture, in the same units
MAX_PICTURES = 120  # about 3 kB each
# Okabe and Ito's colours, which the colour-blind tell apart, without the yellow that white paper swallows; then darker.
COLOURS = ('#e69f00', '#56b4e9', '#009e73', '#d55e00', '#cc79a7', '#0072b2', '#8c6d1f', '#7f3c8d', '#7bb661', '#c4392b',
           '#3a7ca5', '#a0785a')
REST = '#9a9a95'


def render_map(found: dict, thumbnail: Callable[[str], Thumbnail | None],
               class_names: dict[str, list[str]] | None = None, max_pictures: int = MAX_PICTURES) -> str:
    """HTML of the map: buttons for the labels, the legend and the drawing; no script.

    Args:
        found: See :func:`~iboot_mm.visualization.plane.map_points`.
        thumbnail: Reads the thumbnail of a path, None if it cannot.
        class_names: Names of the classes by label.
        max_pictures: Points with a picture at most, spread over the plane.
    """
    points, names = found['points'], class_names or {}
    labels = list(dict.fromkeys(name for point in points for name in point['labels']))
    places = fit_to_drawing([point['place'] for point in points])
    pictures = {at: picture for at in spread_out(places, max_pictures)
                if (picture := thumbnail(points[at]['filename'])) is not None}
    ranks = {label: Counter(point['labels'][label] for point in points if label in point['labels']).most_common()
             for label in labels}
    colour_of = {label: {value: place for place, (value, _) in enumerate(sorted(
        ranked[:len(COLOURS)], key=lambda pair: pair[0]))} for label, ranked in ranks.items()}
    plain, shown, images, rules = [], [], [], _colour_rules(len(labels))
    for at, (point, (x, y)) in enumerate(zip(points, places)):
        words = [f'{label} {class_name(value, names.get(label, []))}' for label, value in point['labels'].items()]
        short = [class_name(value, names.get(label, [])) for label, value in point['labels'].items()]
        title = f'<title>{escape(", ".join([*words, Path(point["filename"]).name]))}</title>'
        classes = ' '.join(f'm{number}-{colour_of[label].get(point["labels"].get(label), "x")}'
                           for number, label in enumerate(labels))
        dot = f'class="{classes}" cx="{x:.0f}" cy="{y:.0f}"'
        if at not in pictures:
            plain.append(f'<circle {dot} r="5">{title}</circle>')
            continue
        shown.append(f'<circle id="dot{at}" tabindex="0" role="img" {dot} r="9">{title}</circle>')
        images.append(_picture(at, x, y, pictures[at].still, ', '.join(short) or Path(point['filename']).stem))
        rules.append(f'#dot{at}:hover~.shots #shot{at},#dot{at}:focus~.shots #shot{at}{{visibility:visible}}')
    about = (f'{len(points)} videos as points; {len(shown)} larger ones have a picture, which appears under the '
             'pointer, on keyboard focus and on tap.')
    return (f'<p>{escape(_sentence(found, len(shown)))}</p><style>{"".join(rules)}</style><div class="map">'
            '<a class="skip" href="#after-map">Skip the map</a>'
            + ''.join(_button(number, label) for number, label in enumerate(labels))
            + ''.join(_legend(number, ranks[label], colour_of[label], names.get(label, []))
                      for number, label in enumerate(labels))
            + f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-labelledby="map-title map-about">'
            f'<title id="map-title">Map of the videos</title><desc id="map-about">{about}</desc>{"".join(plain)}'
            f'{"".join(shown)}<g class="shots" aria-hidden="true">{"".join(images)}</g></svg></div>'
            '<span id="after-map"></span>')


def fit_to_drawing(places: Sequence[Sequence[float]]) -> np.ndarray:
    """Places ``(N, 2)`` as x and y of the drawing, one scale for both axes, y upwards, the middle in the middle."""
    values = np.asarray(places, float).reshape(-1, 2)
    if not len(values):
        return values
    low, high = values.min(0), values.max(0)
    room = np.array([WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN])
    scale = (room / np.maximum(high - low, 1e-12)).min()
    return np.array([WIDTH, HEIGHT]) / 2 + (values - (low + high) / 2) * scale * (1, -1)


def spread_out(places: np.ndarray, count: int) -> list[int]:
    """Numbers of points far from one another: each is the farthest from those before it; the first is the first."""
    if not len(places) or count < 1:
        return []
    chosen, distance = [0], np.full(len(places), np.inf)
    while len(chosen) < min(count, len(places)):
        distance = np.minimum(distance, ((places - places[chosen[-1]]) ** 2).sum(1))
        distance[chosen] = -1
        chosen.append(int(distance.argmax()))
    return sorted(chosen)


def _sentence(found: dict, pictures: int) -> str:
    first, second = found['shares']
    text = (f'All {found["videos"]} evaluated videos by the features of the last row, on their first two principal '
            f'components ({100 * first:.0f} and {100 * second:.0f} % of the variance): neighbours here need not be '
            'neighbours in all dimensions.')
    if len(found['points']) < found['videos']:
        text += f' Drawn are {len(found["points"])} of them, evenly from the list.'
    return text + (f' {pictures} larger points show their video: point at one, tap it, or go there with Tab.'
                   if pictures else ' No pictures: none of the videos can be read any more.')


def _colour_rules(labels: int) -> list[str]:
    """CSS: the colours of a label's classes hold while its button is on."""
    return [f'#by{number}:checked~svg .m{number}-{place},.legend .m{number}-{place}'
            f'{{fill:{colour};background:{colour}}}' for number in range(labels)
            for place, colour in enumerate(COLOURS)] + [
        f'#by{number}:checked~#legend{number}{{display:flex}}' for number in range(labels)]


def _button(number: int, label: str) -> str:
    checked = ' checked' if number == 0 else ''
    return (f'<input type="radio" name="map-label" id="by{number}"{checked}>'
            f'<label for="by{number}">by {escape(label)}</label>')


def _legend(number: int, ranked: list[tuple[int, int]], colours: dict[int, int], names: list[str]) -> str:
    """The classes with their colours; those beyond the colours are one grey entry, with their number."""
    items = [f'<li><span class="swatch m{number}-{place}"></span>{escape(class_name(value, names))}</li>'
             for value, place in colours.items()]
    if rest := len(ranked) - len(colours):
        items.append(f'<li><span class="swatch"></span>{rest} rarer classes</li>')
    return f'<ul class="legend" id="legend{number}">{"".join(items)}</ul>'


def _picture(at: int, x: float, y: float, image: str, caption: str) -> str:
    """A picture beside its point, towards the middle of the drawing, so that it stays inside."""
    left = 14 if x < WIDTH / 2 else -14 - PICTURE
    top = 0 if y < HEIGHT / 2 else -PICTURE - 30
    short = caption if len(caption) <= 19 else caption[:18] + '…'
    return (f'<g transform="translate({x:.0f} {y:.0f})"><g class="shot" id="shot{at}">'
            f'<rect x="{left - 4}" y="{top - 4}" width="{PICTURE + 8}" height="{PICTURE + 36}" rx="6"/>'
            f'<image href="{image}" x="{left}" y="{top}" width="{PICTURE}" height="{PICTURE}"/>'
            f'<text x="{left + 2}" y="{top + PICTURE + 22}">{escape(short)}</text></g></g>')


def class_name(value: int | str, names: Sequence[str]) -> str:
    """The name of a label, or the label itself where it has none."""
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else str(value)
