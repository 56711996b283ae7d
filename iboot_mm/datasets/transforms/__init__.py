from .cropping import CropViews
from .decoding import DecodeViews, OpenVideo
from .packing import PackViews
from .playback_rate import PlaybackRate
from .reordering import ReorderFrames
from .sampling import SampleViews
from .targets import LoadTargets
from .tokens import OpenTokens, TakeTokens

__all__ = ['CropViews', 'DecodeViews', 'LoadTargets', 'OpenTokens', 'OpenVideo', 'PackViews', 'PlaybackRate',
           'ReorderFrames', 'SampleViews', 'TakeTokens']
