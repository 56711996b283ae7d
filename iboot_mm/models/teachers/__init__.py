"""Frozen image models: frames in, features out, never in a checkpoint."""

from .base import FrozenTeacher
from .catalog import list_teachers, load_teacher_config
from .mmpretrain import MMPretrainTeacher
from .open_clip import OpenCLIPTeacher
from .timm import TimmTeacher

__all__ = [
    'FrozenTeacher',
    'MMPretrainTeacher',
    'OpenCLIPTeacher',
    'TimmTeacher',
    'list_teachers',
    'load_teacher_config',
]
