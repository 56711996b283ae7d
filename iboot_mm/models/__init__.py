from . import backbones, joint_space, preprocessor, pretrainers, teachers, video_encoder
from .joint_space import JointSpaceEncoder
from .video_encoder import VideoEncoder

__all__ = ['JointSpaceEncoder', 'VideoEncoder', 'backbones', 'joint_space', 'preprocessor', 'pretrainers', 'teachers',
           'video_encoder']
