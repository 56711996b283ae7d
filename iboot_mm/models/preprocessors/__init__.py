from .clips import ClipPreprocessor
from .co_training import CoTrainingPreprocessor
from .exemplar import ExemplarPreprocessor
from .hsv import HSVPreprocessor
from .tokens import TokenPreprocessor
from .views import ViewPreprocessor

__all__ = ['ClipPreprocessor', 'CoTrainingPreprocessor', 'ExemplarPreprocessor', 'HSVPreprocessor',
           'TokenPreprocessor', 'ViewPreprocessor']
