"""Methods of pre-training, one a file."""

from .base import BasePretrainer
from .byol import VideoBYOL
from .cached_iboot import CachedIBoot
from .cotrained_vivi import CoTrainedVIVI
from .iboot import IBoot
from .moco import VideoMoCo
from .simclr import VideoSimCLR
from .swav import VideoSwAV
from .vivi import VIVI

__all__ = ['BasePretrainer', 'CachedIBoot', 'CoTrainedVIVI', 'IBoot', 'VIVI', 'VideoBYOL', 'VideoMoCo', 'VideoSimCLR',
           'VideoSwAV']
