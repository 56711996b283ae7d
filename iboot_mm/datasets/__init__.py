"""Videos, their views and their transforms: a file is decoded once for all views."""

from . import transforms
from .activities import ActivityVideos
from .decoders import UnreadableVideo, open_video
from .images.labelled import LabelledImages
from .key_frames import KeyFrames
from .shot_folder import ShotFolder
from .video_folder import NoReadableVideo, VideoFolder

__all__ = ['ActivityVideos', 'KeyFrames', 'LabelledImages', 'NoReadableVideo', 'ShotFolder', 'UnreadableVideo',
           'VideoFolder', 'open_video', 'transforms']
