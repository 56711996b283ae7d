from . import transforms
from .decoders import UnreadableVideo, open_video
from .video_folder import NoReadableVideo, VideoFolder

__all__ = ['NoReadableVideo', 'UnreadableVideo', 'VideoFolder', 'open_video', 'transforms']
