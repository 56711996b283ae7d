"""Networks: methods of pre-training, teachers, backbones, heads and losses."""

from . import backbones, encoders, heads, preprocessors, pretrainers, recognizers, teachers
from .encoders import JointSpaceEncoder, TeacherEncoder, VideoEncoder

__all__ = ['JointSpaceEncoder', 'TeacherEncoder', 'VideoEncoder', 'backbones', 'encoders', 'heads', 'preprocessors',
           'pretrainers', 'recognizers', 'teachers']
