import io

import av
import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from iboot_mm.visualization.layers import PALETTES, TINT, Layer, draw_strip, encode_video, render_tiles

FRAMES = np.random.default_rng(0).integers(0, 255, (4, 24, 32, 3), dtype=np.uint8)
EVEN = np.full((4, 3, 4), 1 / 12)


def test_attention_counts_in_even_shares():
    layer = Layer('head 1', EVEN.copy(), 'attention')
    assert np.allclose(layer.maps, 1) and (layer.low, layer.high) == (0, pytest.approx(1))


def test_cosines_start_at_their_least():
    maps = np.linspace(-.5, .5, 48).reshape(4, 3, 4)
    layer = Layer('student', maps, 'cosine')
    assert layer.low == -.5 and layer.high == pytest.approx(np.quantile(maps, .995))


def test_colours_are_the_scale_s_and_the_frame_shows_through():
    maps = np.zeros((2, 1, 1))
    maps[1] = 1
    layer = Layer('head 1', maps, 'attention')
    black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    for at, value in ((0, 0.), (.49, 0.), (.5, 1.), (.99, 1.)):  # the map of its part of the clip
        colour = 255 * TINT * np.array(colormaps[PALETTES['attention']](value)[:3])
        assert np.abs(layer.over(black, at) - colour).max() <= 1
        assert np.abs(layer.over(white, at) - colour - 255 * (1 - TINT)).max() <= 1


def test_a_scale_says_that_there_is_more_than_its_end():
    maps = np.zeros((1, 1, 1000))
    maps[..., :100] = .01
    bright = maps.copy()
    bright[..., 0] = 1.
    for values, end in ((maps, '10\u00d7'), (bright, '\u226510\u00d7')):
        scale = draw_strip(FRAMES[:1], [Layer('head 1', values, 'attention')]).axes[-1]
        assert [label.get_text() for label in scale.get_yticklabels()] == ['0', end]


def test_a_constant_map_is_drawn():
    assert np.isfinite(Layer('student', np.full((1, 2, 2), .3), 'cosine').over(FRAMES[0], 0).astype(float)).all()


@pytest.mark.parametrize('layers', [1, 5])
def test_strip_has_a_row_for_each_layer(layers):
    figure = draw_strip(FRAMES, [Layer(f'head {i}', EVEN.copy(), 'attention') for i in range(layers)])
    pictures = [axis for axis in figure.axes if axis.images and axis.images[0].get_array().shape[:2] == (24, 32)]
    assert len(pictures) == 4 * (layers + 1)
    texts = [text.get_text() for text in figure.texts]
    assert texts[:2] == ['frames', 'head 0'] and 'even share' in texts[-1] and 'cosine' not in texts[-1]
    assert texts[-1].endswith('scales end at the 99.5th percentile')
    figure.savefig(buffer := io.BytesIO(), format='png')
    width, height = Image.open(buffer).size
    assert width > 4 * height / (layers + 2)


def test_a_video_of_tiles():
    layers = [Layer('mean of 2 heads', EVEN.copy(), 'attention'), Layer('student', EVEN.copy(), 'cosine')]
    pictures = list(render_tiles(FRAMES, layers, side=1., columns=2))
    assert len(pictures) == 4 and all(side % 2 == 0 for side in pictures[0].shape[:2])
    assert (pictures[0] != pictures[1]).any()
    with av.open(io.BytesIO(encode_video(iter(pictures), 2.5))) as container:
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
        assert len(frames) == 4 and float(container.streams.video[0].average_rate) == 2.5
    assert np.abs(frames[2].astype(int) - pictures[2]).mean() < 12
