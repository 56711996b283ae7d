from .base import BasePretrainer
from .byol import VideoBYOL
from .iboot import IBoot
from .moco import VideoMoCo
from .simclr import VideoSimCLR
from .swav import VideoSwAV

__all__ = ['BasePretrainer', 'IBoot', 'VideoBYOL', 'VideoMoCo', 'VideoSimCLR', 'VideoSwAV']
