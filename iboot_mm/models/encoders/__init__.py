from .joint_space import JointSpaceEncoder
from .teacher import TeacherEncoder
from .video import VideoEncoder

__all__ = ['JointSpaceEncoder', 'TeacherEncoder', 'VideoEncoder']
