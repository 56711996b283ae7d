"""MMAction2's recognizers as the evaluations need them."""

from .action_detector import ActionDetector
from .linear_probe import LinearProbe

__all__ = ['ActionDetector', 'LinearProbe']
