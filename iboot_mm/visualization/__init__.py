from .curves import draw_curves
from .report import build_report
from .scalars import read_scalars
from .thumbnails import Thumbnail, read_thumbnail

__all__ = ['Thumbnail', 'build_report', 'draw_curves', 'read_scalars', 'read_thumbnail']
