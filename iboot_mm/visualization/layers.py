"""A network's view of a clip, drawn over its frames: as a strip of frames, or as a video."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRAY, INK = '#6b6b66', '#2b2b28'
PALETTES = dict(attention='inferno', cosine='viridis', activation='viridis')  # of evenly rising lightness
TINT = .72  # share of the colour where it lies over the frame
LEGENDS = dict(attention='attention to a place: 1\u00d7 is an even share of it',
               cosine='cosine of a place with the target',
               activation='mean over channels of a place, from its least')
BRIGHTEST = .995  # quantile at which the scale ends
END = 'scales end at the 99.5th percentile'
LABEL, SCALE, GAP, FOOT = 1.3, .62, .05, .42  # inches


@dataclass
class Layer:
    """What is drawn over the frames of a clip.

    Attributes:
        name: Beside or above it.
        maps: ``(T', h, w)`` over the clip, whatever its number of frames. Attention comes as shares of 1.
        kind: ``'attention'``, shown from 0 up, or ``'cosine'`` and ``'activation'``, from their least value up.

    The scale ends at the 99.5th percentile of all places of the clip, which a single outlying patch does not move: one
    place in 200 has more, and the colour of the scale's end. Legend and scale say so.
    """

    name: str
    maps: np.ndarray
    kind: str

    def __post_init__(self) -> None:
        if self.kind == 'attention':
            self.maps = self.maps * self.maps[0].size  # a patch of an even spread has 1, whatever the grid
        self.low = 0. if self.kind == 'attention' else float(self.maps.min())
        self.high = max(float(np.quantile(self.maps, BRIGHTEST)), self.low + 1e-6)

    def over(self, frame: np.ndarray, at: float) -> np.ndarray:
        """The map at ``at`` in [0, 1) of the clip over a frame uint8 ``(H, W, 3)``: uint8 of the same shape."""
        from matplotlib import colormaps

        values = (self.maps[int(at * len(self.maps))] - self.low) / (self.high - self.low)
        smooth = Image.fromarray(values.astype(np.float32)).resize(frame.shape[1::-1], Image.Resampling.BICUBIC)
        colours = colormaps[PALETTES[self.kind]](np.clip(smooth, 0, 1))[..., :3]
        gray = frame.mean(axis=-1, keepdims=True) / 255
        return (255 * (TINT * colours + (1 - TINT) * gray)).round().astype(np.uint8)


def draw_strip(frames: np.ndarray, layers: list[Layer], side: float = 1.1) -> 'Figure':
    """A row of frames and, below it, a row for each layer with its scale.

    Args:
        frames: uint8 ``(T, H, W, 3)``.
        layers: What to draw over them.
        side: Width of a frame, in inches.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure  # no pyplot: no global state, no display

    row = side * frames.shape[1] / frames.shape[2]
    page = (LABEL + len(frames) * (side + GAP) + SCALE, (len(layers) + 1) * (row + GAP) + FOOT)
    figure = Figure(figsize=page, facecolor='white')
    for line, layer in enumerate([None, *layers]):
        bottom = page[1] - (line + 1) * (row + GAP)
        for column, frame in enumerate(frames):
            axis = _axis(figure, LABEL + column * (side + GAP), bottom, side, row)
            axis.imshow(layer.over(frame, column / len(frames)) if layer else frame)
            axis.axis('off')
        figure.text((LABEL - .1) / page[0], (bottom + row / 2) / page[1], layer.name if layer else 'frames', ha='right',
                    va='center', fontsize=9, color=INK)
        if layer:
            left = LABEL + len(frames) * (side + GAP) + .03
            _draw_scale(_axis(figure, left, bottom + .06 * row, .09, .88 * row), layer)
    _draw_legend(figure, layers, LABEL / page[0])
    return figure


def render_tiles(frames: np.ndarray, layers: list[Layer], side: float = 2., columns: int = 4,
                 dpi: int = 110) -> Iterator[np.ndarray]:
    """The pictures of a video: each frame beside all layers over it, each with its name and scale.

    Args:
        frames: uint8 ``(T, H, W, 3)``.
        layers: What to draw over them.
        side: Width of a frame, in inches.
        columns: Tiles in a row.
        dpi: Pixels in an inch.

    Yields:
        T pictures uint8 ``(H', W', 3)`` of even height and width, as H.264 wants them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    row, head = side * frames.shape[1] / frames.shape[2], .24
    columns = min(columns, len(layers) + 1)
    lines = -(-(len(layers) + 1) // columns)
    page = (columns * (side + SCALE), lines * (row + head) + FOOT)
    figure = Figure(figsize=page, dpi=dpi, facecolor='white')
    canvas, pictures = FigureCanvasAgg(figure), []
    for place, layer in enumerate([None, *layers]):
        left, bottom = place % columns * (side + SCALE) + GAP, page[1] - (place // columns + 1) * (row + head)
        axis = _axis(figure, left, bottom, side, row)
        pictures.append(axis.imshow(frames[0]))
        axis.axis('off')
        axis.set_title(layer.name if layer else 'frame', loc='left', fontsize=9, pad=3, color=INK)
        if layer:
            _draw_scale(_axis(figure, left + side + .03, bottom + .06 * row, .09, .88 * row), layer)
    _draw_legend(figure, layers, GAP / page[0])
    for number, frame in enumerate(frames):
        for layer, picture in zip([None, *layers], pictures):
            picture.set_data(layer.over(frame, number / len(frames)) if layer else frame)
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba())[..., :3]
        yield np.ascontiguousarray(drawn[:len(drawn) // 2 * 2, :drawn.shape[1] // 2 * 2])


def encode_video(pictures: Iterator[np.ndarray], fps: float) -> bytes:
    """Pictures uint8 ``(H, W, 3)`` of even height and width as an MP4 file that browsers play."""
    buffer, stream = io.BytesIO(), None
    with av.open(buffer, 'w', format='mp4') as container:
        for picture in pictures:
            if stream is None:
                stream = container.add_stream('libx264', rate=Fraction(fps).limit_denominator(1000))
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt, stream.options = 'yuv420p', dict(crf='18')
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())
    return buffer.getvalue()


def _axis(figure: Any, left: float, bottom: float, width: float, height: float) -> Any:
    """Axes at a place in inches."""
    page = figure.get_size_inches()
    return figure.add_axes((left / page[0], bottom / page[1], width / page[0], height / page[1]))


def _draw_scale(axis: Any, layer: Layer) -> None:
    ramp = np.linspace(layer.high, layer.low, 128)[:, None]
    axis.imshow(ramp, cmap=PALETTES[layer.kind], aspect='auto', extent=(0, 1, layer.low, layer.high))
    axis.set_xticks([])
    axis.yaxis.tick_right()
    cosines = [f'{value:.2f}' for value in (layer.low, layer.high)]
    low, high = ['0', f'{layer.high:.2g}\u00d7'] if layer.kind == 'attention' else cosines
    axis.set_yticks([layer.low, layer.high], [low, f'\u2265{high}' if layer.maps.max() > layer.high else high])
    axis.tick_params(length=2, labelsize=8, colors=GRAY, pad=2)
    axis.spines[:].set_visible(False)


def _draw_legend(figure: Any, layers: list[Layer], left: float) -> None:
    kinds = dict.fromkeys(layer.kind for layer in layers)
    told = '     '.join(LEGENDS[kind] for kind in kinds)
    figure.text(left, .19 / figure.get_size_inches()[1], f'{told}\n{END}', fontsize=8, color=GRAY, va='center')
