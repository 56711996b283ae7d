import base64
import io
import re
import shutil
import subprocess
from html import escape
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from iboot_mm.visualization import Thumbnail, build_report, draw_curves, read_thumbnail
from iboot_mm.visualization.report import _clip, read_table, render_looks, render_table
from iboot_mm.visualization.style import STYLE
from iboot_mm.visualization.thumbnails import square, to_data_uri

CURVES = {'loss': [(10, 2.), (20, 1.)], 'loss_clip': [(10, 2.), (20, 1.)], 'lr': [(10, .1), (20, .05)],
          'spread_student': [(10, .2), (20, .9)], 'digit/knn_top1': [(20, .5)]}


ROWS = [('chance', .1), ('raw pixels', .2), ('random network', .15), ('rho-BYOL', .3), ('teacher', .9), ('iBoot', .8)]


def results(labels):
    table = {row: {'digit': score} if labels else {} for row, score in ROWS}
    sample = dict(filename='/videos/a <b>.mp4', labels={'digit': 1} if labels else {}, role='query')
    near = dict(sample, labels={'digit': 0} if labels else {}, similarity=.987)
    return dict(table=table, k=20, counts=dict(gallery=4, query=2), spread=dict.fromkeys(list(table)[1:], .5),
                neighbors=[dict(query=sample, neighbors=[near])])


def page(labels=True, thumbnail=lambda path: Thumbnail('data:image/jpeg;base64,AA', 'data:image/webp;base64,AA')):
    return build_report('Title', ['Summary.'], results(labels), CURVES, 'x = "<tag>"', dict(torch='2'), thumbnail,
                        dict(digit=['zero', 'one']))


def test_nothing_outside_the_page_is_asked_for():
    html = page()
    links = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\'\s>)]+)', html)
    assert links and all(link.startswith(('data:', '#')) for link in links)
    assert '<script' not in html and '@import' not in html


def test_text_is_escaped_and_labels_are_named():
    html = page()
    assert 'x = &quot;&lt;tag&gt;&quot;' in html and 'a <b>.mp4' not in html
    assert '<span class="other">zero</span> <small>0.99</small>' in html and '<span>one</span>' in html


def test_table_in_percent():
    html = page()
    assert re.search(r'<tr class="ours"><th scope="row">iBoot</th><td>80.0</td></tr>', html)
    assert html.count('class="ours"') == 1 and '<tr><th scope="row">rho-BYOL</th><td>30.0</td></tr>' in html
    assert ('15.0 % with random weights to 80.0 % with iBoot; the teacher, which iBoot learned from, has 90.0 %, '
            'rho-BYOL 30.0 %, chance is 10.0 %') in html


def test_a_method_without_a_teacher_is_named_and_no_teacher():
    table = {row: {'label': score} for row, score in ROWS[:4]}
    assert read_table(table) == ['Accuracy goes from 15.0 % with random weights to 30.0 % with rho-BYOL; '
                                 'chance is 10.0 %.']
    assert '<tr class="ours"><th scope="row">rho-BYOL</th>' in render_table(dict(results(True), table=table))


def test_without_labels_no_accuracy():
    html = page(labels=False)
    assert 'no labels' in html and 'accuracy goes' not in html and '<td>0.500</td>' in html


def test_a_vanished_video_leaves_a_note():
    assert page(thumbnail=lambda path: None).count('not readable') == 2


def test_motion_that_the_teacher_cannot_teach_is_said():
    table = {'chance': {'motion': .125}, 'random network': {'motion': .2}, 'teacher': {'motion': .13},
             'iBoot': {'motion': .15}}
    assert 'nothing to teach' in read_table(table)[0]
    table['iBoot']['motion'] = .6
    assert 'nothing to teach' not in read_table(table)[0]


def test_curves_are_an_inline_picture():
    svg = draw_curves(CURVES, {'teacher': {'digit': .9}})
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith('svg') and 'viewBox' in root.attrib and 'width' not in root.attrib
    # Loss, k-NN with its reference line, spread and learning rate make a longer picture than an empty one.
    assert len(svg) > len(draw_curves({'lr': [(1, 1.)]}))


def test_knn_of_another_run_is_drawn_beside():
    other = {'digit/knn_top1': [(20, .3)], 'unknown/knn_top1': [(20, .3)], 'loss': [(20, 1.)]}
    svg = draw_curves(CURVES, None, {'rho-BYOL': other})
    assert '<!-- digit, rho-BYOL -->' in svg and 'unknown' not in svg and 'rho-BYOL' not in draw_curves(CURVES)


@pytest.mark.parametrize('shape', [(40, 80), (80, 40), (34, 34)])
def test_square_takes_the_centre(shape):
    frame = np.zeros((*shape, 3), np.uint8)
    height, width = shape
    frame[height // 2 - 10:height // 2 + 10, width // 2 - 10:width // 2 + 10] = 255
    image = np.asarray(square(frame, 32), int)
    assert image.shape == (32, 32, 3)
    assert image[16, 16].min() == 255 and image[0, 0].max() < 40
    assert abs(image - image[::-1, ::-1]).max() <= 40  # symmetric about the centre, up to the odd pixel


def test_data_uris_decode():
    images = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (0, 120, 240)]
    for uri, frames in ((to_data_uri(images[:1]), 1), (to_data_uri(images), 3)):
        decoded = Image.open(io.BytesIO(base64.b64decode(uri.split(',')[1])))
        assert decoded.size == (8, 8) and getattr(decoded, 'n_frames', 1) == frames


def test_thumbnail_of_a_real_video_and_of_none(shared, tmp_path):
    thumbnail = read_thumbnail(str(shared / 'data' / 'clips' / 'car-detection.mp4'), side=48)
    assert thumbnail.still.startswith('data:image/jpeg') and thumbnail.loop.startswith('data:image/webp')
    (tmp_path / 'text.mp4').write_text('no video')
    assert read_thumbnail(str(tmp_path / 'text.mp4')) is None


def test_looks_are_pictures_or_a_sentence():
    assert 'Where it looks' not in page()
    html = render_looks(['data:image/png;base64,AA', 'data:image/png;base64,BB'])
    assert html.count('<img src="data:image/png') == 2
    assert render_looks('No maps: <none>') == '<p>No maps: &lt;none&gt;</p>'


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= .04045 else ((part + .055) / 1.055) ** 2.4 for part in parts)
    return .2126 * red + .7152 * green + .0722 * blue


def test_small_print_can_be_read():
    """At 4.5 to 1 at the least, on the page and on the tile of a clip that cannot be read, by day and in the dark."""
    day, dark = STYLE.split('@media (prefers-color-scheme: dark)')
    for style, pairs in ((day, [('.caption small', 'body'), ('.gone', '.picture'), ('.other', 'body'),
                                ('.same', 'body'), ('caption', 'body'), ('.versions', 'body')]),
                         (dark, [('.gone', '.picture'), ('.other', 'body'), ('.same', 'body')])):
        for text, ground in pairs:
            front = re.search(rf'^ *{re.escape(text)} {{[^}}]*\bcolor: (#\w{{6}})', style, re.M)[1]
            back = re.search(rf'^ *{re.escape(ground)} {{[^}}]*background: (#\w{{6}})', style, re.M)[1]
            low, high = sorted(map(luminance, (front, back)))
            assert (high + .05) / (low + .05) >= 4.5, (text, front, back)


def test_a_screen_reader_finds_its_way():
    html = page()
    assert re.findall('<th>', html) == [] and html.count('scope="row"') >= 5
    levels = [int(level) for level in re.findall(r'<h([1-6])', html)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    assert all('alt=' in image for image in re.findall('<img[^>]*>', html)) and html.count('<main') == 1


def test_a_clip_without_a_label_has_no_other_clip_s():
    sample = dict(filename='a.mp4', labels={'label': -1})
    assert '<span>-1</span>' in _clip(sample, None, lambda file: None, {'label': ['zero', 'one']})


@pytest.mark.skipif(shutil.which('chromium') is None, reason='no chromium here')
def test_the_page_fits_any_screen(tmp_path):
    """Nothing of it is wider than a phone, a tablet or a window between them: there is no horizontal scroll."""
    widths = [360, 500, 601, 680, 721, 1024]
    (tmp_path / 'page.html').write_text(f'''<iframe id="screen" height="800" srcdoc="{escape(page())}"></iframe>
<output id="found"></output><script>onload = () => {{ found.textContent = {widths}.map(width => {{
    screen_ = document.getElementById('screen'); screen_.width = width;
    const root = screen_.contentDocument.documentElement; return root.scrollWidth - root.clientWidth; }}).join(); }}
</script>''')
    told = subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom',
                           f'--user-data-dir={tmp_path / "user"}', f'file://{tmp_path / "page.html"}'], text=True,
                          check=True, capture_output=True, timeout=60).stdout
    assert re.search('<output id="found">(.*?)</output>', told)[1] == ','.join('0' for _ in widths)
