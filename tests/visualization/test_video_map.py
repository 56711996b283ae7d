"""The map of videos: its numbers against a singular value decomposition, its words, and a browser's view of it."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from iboot_mm.visualization import Thumbnail, build_report
from iboot_mm.visualization.plane import map_points, principal_plane
from iboot_mm.visualization.thumbnails import to_data_uri
from iboot_mm.visualization.video_map import COLOURS, HEIGHT, WIDTH, fit_to_drawing, render_map, spread_out

BAD = '<img src=x onerror="alert(1)">.mp4'
RED = to_data_uri([Image.new('RGB', (16, 16), (255, 0, 0))])


def found(count=30, labels=('digit',), limit=5000):
    features = torch.randn(count, 8, generator=torch.Generator().manual_seed(0))
    samples = [dict(role='query', filename=f'/videos/{at} {BAD}', labels={name: at % 3 for name in labels})
               for at in range(count)]
    return map_points(features, samples, limit)


def drawing(html):
    return ElementTree.fromstring(re.search('<svg.*</svg>', html)[0])


def red(path):
    return Thumbnail(RED, RED)


@pytest.mark.parametrize('shape', [(40, 6), (5, 20)])
def test_places_are_those_of_a_singular_value_decomposition(shape):
    features = np.random.default_rng(1).normal(size=shape) * np.linspace(3, 1, shape[1])
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    u, s, vt = np.linalg.svd(unit - unit.mean(0), full_matrices=False)
    signs = np.sign(vt[np.arange(2), abs(vt[:2]).argmax(1)])
    places, shares = principal_plane(torch.from_numpy(features).float())
    np.testing.assert_allclose(places.numpy(), (u * s)[:, :2] * signs, atol=1e-5)
    np.testing.assert_allclose(shares, (s ** 2 / (s ** 2).sum())[:2], atol=1e-6)


def test_videos_that_are_all_alike_and_features_of_one_number():
    places, shares = principal_plane(torch.ones(4, 3))
    assert places.abs().max() < 1e-6 and all(0 <= share <= 1 for share in shares)
    assert principal_plane(torch.tensor([[1.], [-1.], [2.]]))[0].shape == (3, 2)
    assert np.isfinite(fit_to_drawing(places.tolist())).all()


def test_the_drawing_keeps_proportions_and_its_frame():
    places = fit_to_drawing([[0, 0], [4, 0], [0, 1]])
    across, up = places[1] - places[0], places[2] - places[0]
    assert across[1] == up[0] == 0 and across[0] == pytest.approx(-4 * up[1])
    assert (places >= 0).all() and (places <= (WIDTH, HEIGHT)).all()


def test_pictures_are_far_from_one_another():
    line = np.stack([np.arange(11.), np.zeros(11)], 1)
    assert spread_out(line, 3) == [0, 5, 10] and spread_out(line, 20) == list(range(11)) and spread_out(line, 0) == []


def test_a_point_for_each_video_and_pictures_up_to_the_limit():
    root = drawing(render_map(found(), red, max_pictures=7))
    circles = [part for part in root.iter() if part.tag.endswith('circle')]
    assert len(circles) == 30 and sum('tabindex' in circle.attrib for circle in circles) == 7
    assert sum(part.tag.endswith('image') for part in root.iter()) == 7
    assert 'Drawn are 10 of them' in (html := render_map(found(limit=10), red)) and html.count('<circle') == 10


def test_names_are_words_and_never_markup():
    html = render_map(found(labels=('<b>',)), red, {'<b>': ['zero', '"><script>']})
    assert '<img' not in html and '<script' not in html and '<b>' not in html and html.count('onerror="') == 0
    titles = [part.text for part in drawing(html).iter() if part.tag.endswith('title')]
    assert f'<b> zero, 0 {BAD}' in titles and len(titles) == 31


def test_colours_are_of_classes_and_beyond_them_gray():
    points = found(count=60)
    for at, point in enumerate(points['points']):
        point['labels']['digit'] = min(at, len(COLOURS) + 2)  # the last class is the most frequent
    html = render_map(points, red)
    assert html.count('<li>') == len(COLOURS) + 1
    assert '<span class="swatch"></span>3 rarer classes' in html and html.count('class="m0-x"') == 3


def test_without_labels_and_without_videos_it_is_drawn():
    html = render_map(found(labels=()), lambda path: None)
    assert 'none of the videos can be read' in html and html.count('<circle') == 30 and 'type="radio"' not in html


@pytest.mark.skipif(shutil.which('chromium') is None, reason='no chromium here')
@pytest.mark.parametrize('at, pictures', [('', 0), ('#dot0', 1)])
def test_a_browser_draws_the_points_and_the_picture_of_the_one_that_is_gone_to(tmp_path, at, pictures):
    """By its address, which gives it the focus; pointer and tap are in the same rule. All of the picture is red."""
    results = dict(table={row: {} for row in ('chance', 'random network', 'iBoot')}, spread=dict(iBoot=.5), k=1,
                   counts=dict(gallery=1, query=1), neighbors=[], map=found())
    (tmp_path / 'page.html').write_text(build_report('Title', [], results, {}, '', {}, red))
    picture = tmp_path / 'page.png'
    subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu',
                    f'--user-data-dir={tmp_path / "user"}', f'--screenshot={picture}',
                    '--window-size=800,2400', f'file://{tmp_path / "page.html"}{at}'],
                   check=True, capture_output=True, timeout=60)
    pixels = np.asarray(Image.open(picture).convert('RGB'), int)
    colour = np.array([int(COLOURS[0][at:at + 2], 16) for at in (1, 3, 5)])
    assert (abs(pixels - colour).max(-1) < 8).sum() > 30
    red_pixels = (abs(pixels - (254, 0, 0)).max(-1) < 8).sum()
    assert pictures * 10_000 <= red_pixels <= pictures * 40_000  # 180 of 1000 units of the drawing's width
