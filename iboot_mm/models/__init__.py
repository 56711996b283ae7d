from . import backbones, joint_space, preprocessor, pretrainers, recognizers, teacher_encoder, teachers, video_encoder
from .joint_space import JointSpaceEncoder
from .teacher_encoder import TeacherEncoder
from .video_encoder import VideoEncoder

__all__ = ['JointSpaceEncoder', 'TeacherEncoder', 'VideoEncoder', 'backbones', 'joint_space', 'preprocessor',
           'pretrainers', 'recognizers', 'teacher_encoder', 'teachers', 'video_encoder']
