from . import (
    backbones,
    clip_preprocessor,
    heads,
    hsv_preprocessor,
    joint_space,
    preprocessor,
    pretrainers,
    recognizers,
    teacher_encoder,
    teachers,
    token_preprocessor,
    video_encoder,
)
from .joint_space import JointSpaceEncoder
from .teacher_encoder import TeacherEncoder
from .video_encoder import VideoEncoder

__all__ = ['JointSpaceEncoder', 'TeacherEncoder', 'VideoEncoder', 'backbones', 'clip_preprocessor', 'heads',
           'hsv_preprocessor', 'joint_space', 'preprocessor', 'pretrainers', 'recognizers', 'teacher_encoder',
           'teachers', 'token_preprocessor', 'video_encoder']
