from . import backbones, preprocessor, pretrainers, teachers, video_encoder
from .video_encoder import VideoEncoder

__all__ = ['VideoEncoder', 'backbones', 'preprocessor', 'pretrainers', 'teachers', 'video_encoder']
