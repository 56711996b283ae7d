from .action_detector import ActionDetector
from .linear_probe import LinearProbe

__all__ = ['ActionDetector', 'LinearProbe']
