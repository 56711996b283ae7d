from .cropping import CropViews
from .decoding import DecodeViews, OpenVideo
from .packing import PackViews
from .playback_rate import PlaybackRate
from .reordering import ReorderFrames
from .sampling import SampleViews

__all__ = ['CropViews', 'DecodeViews', 'OpenVideo', 'PackViews', 'PlaybackRate', 'ReorderFrames',
           'SampleViews']
