"""Steps from a path to the views of a video, for the pipeline of a config."""

from .activities import PackActivities
from .auto_augment import AutoAugmentViews
from .cropping import CropViews
from .decoding import DecodeViews, OpenArray, OpenVideo
from .key_frames import CropBoxes, PackKeyFrame, SampleKeyFrame, ScaleViews
from .packing import PackViews
from .playback_rate import PlaybackRate
from .reordering import ReorderFrames
from .sampling import SampleViews
from .shots import SampleShots
from .targets import LoadTargets
from .tokens import OpenTokens, TakeTokens

__all__ = ['AutoAugmentViews', 'CropBoxes', 'CropViews', 'DecodeViews', 'LoadTargets', 'OpenArray', 'OpenTokens',
           'OpenVideo', 'PackActivities', 'PackKeyFrame', 'PackViews', 'PlaybackRate', 'ReorderFrames',
           'SampleKeyFrame', 'SampleShots', 'SampleViews', 'ScaleViews', 'TakeTokens']
