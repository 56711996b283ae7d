"""Pictures and pages: curves, attention, t-SNE, reports."""

from .activations import activation_layers
from .agreement import build_agreement
from .attention import attention_maps, attention_rows
from .curves import draw_curves
from .layers import Layer, draw_strip, encode_video, render_tiles
from .report import build_report
from .scalars import read_scalars
from .thumbnails import Thumbnail, read_thumbnail
from .tsne import draw_tsne

__all__ = [
    'Layer',
    'Thumbnail',
    'activation_layers',
    'attention_maps',
    'attention_rows',
    'build_agreement',
    'build_report',
    'draw_curves',
    'draw_strip',
    'draw_tsne',
    'encode_video',
    'read_scalars',
    'read_thumbnail',
    'render_tiles',
]
