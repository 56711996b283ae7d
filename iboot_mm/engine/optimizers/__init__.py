from .constructor import OnlineNetworkConstructor
from .lars import LARS

__all__ = ['LARS', 'OnlineNetworkConstructor']
