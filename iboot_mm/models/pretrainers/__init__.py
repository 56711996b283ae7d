from .base import BasePretrainer
from .iboot import IBoot

__all__ = ['BasePretrainer', 'IBoot']
