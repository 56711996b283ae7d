from .base import BasePretrainer
from .byol import VideoBYOL
from .cached_iboot import CachedIBoot
from .iboot import IBoot
from .moco import VideoMoCo
from .simclr import VideoSimCLR
from .swav import VideoSwAV

__all__ = ['BasePretrainer', 'CachedIBoot', 'IBoot', 'VideoBYOL', 'VideoMoCo', 'VideoSimCLR', 'VideoSwAV']
