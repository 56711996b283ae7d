"""Batches of uint8 views to what a network takes: colours, blur, mean and deviation, on the device."""

from .clips import ClipPreprocessor
from .co_training import CoTrainingPreprocessor
from .exemplar import ExemplarPreprocessor
from .hsv import HSVPreprocessor
from .tokens import TokenPreprocessor
from .views import ViewPreprocessor

__all__ = ['ClipPreprocessor', 'CoTrainingPreprocessor', 'ExemplarPreprocessor', 'HSVPreprocessor',
           'TokenPreprocessor', 'ViewPreprocessor']
