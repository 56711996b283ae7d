"""Networks that give features of clips: trained ones, teachers, and what they are compared with."""

from .joint_space import JointSpaceEncoder
from .teacher import TeacherEncoder, motion_teacher
from .video import VideoEncoder

__all__ = ['JointSpaceEncoder', 'TeacherEncoder', 'VideoEncoder', 'motion_teacher']
