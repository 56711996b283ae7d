from .exemplar import ExemplarHead
from .mlp import MLPHead
from .rotation import RotationHead
from .shot_order import ShotOrderHead
from .shot_prediction import ShotPairHead, ShotSequenceHead

__all__ = ['ExemplarHead', 'MLPHead', 'RotationHead', 'ShotOrderHead', 'ShotPairHead', 'ShotSequenceHead']
