from .base import BasePretrainer
from .byol import VideoBYOL
from .cached_iboot import CachedIBoot
from .iboot import IBoot
from .moco import VideoMoCo
from .simclr import VideoSimCLR
from .swav import VideoSwAV
from .vivi import VIVI

__all__ = ['BasePretrainer', 'CachedIBoot', 'IBoot', 'VIVI', 'VideoBYOL', 'VideoMoCo', 'VideoSimCLR', 'VideoSwAV']
