from . import backbones, heads, pretrainers, recognizers, teachers
from .encoders import joint_space
from .encoders import teacher as teacher_encoder
from .encoders import video as video_encoder
from .encoders.joint_space import JointSpaceEncoder
from .encoders.teacher import TeacherEncoder
from .encoders.video import VideoEncoder
from .preprocessors import (
    clips as clip_preprocessor,
)
from .preprocessors import (
    hsv as hsv_preprocessor,
)
from .preprocessors import (
    tokens as token_preprocessor,
)
from .preprocessors import (
    views as preprocessor,
)

__all__ = ['JointSpaceEncoder', 'TeacherEncoder', 'VideoEncoder', 'backbones', 'clip_preprocessor', 'heads',
           'hsv_preprocessor', 'joint_space', 'preprocessor', 'pretrainers', 'recognizers', 'teacher_encoder',
           'teachers', 'token_preprocessor', 'video_encoder']
