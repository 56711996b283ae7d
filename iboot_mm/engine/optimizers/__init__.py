"""LARS, and settings per parameter for models with a momentum copy."""

from .constructor import OnlineNetworkConstructor
from .lars import LARS

__all__ = ['LARS', 'OnlineNetworkConstructor']
