from .cropping import CropViews
from .decoding import DecodeViews, OpenVideo
from .packing import PackViews
from .playback_rate import PlaybackRate
from .reordering import ReorderFrames
from .sampling import SampleViews
from .targets import LoadTargets

__all__ = ['CropViews', 'DecodeViews', 'LoadTargets', 'OpenVideo', 'PackViews', 'PlaybackRate', 'ReorderFrames',
           'SampleViews']
