"""Classifiers on top of a backbone, for MMAction2's recognizers."""

from .box_actions import BoxActionHead
from .exemplar import ExemplarHead
from .mlp import MLPHead
from .multi_label import MultiLabelHead
from .rotation import RotationHead
from .shot_order import ShotOrderHead
from .shot_prediction import ShotPairHead, ShotSequenceHead

__all__ = ['BoxActionHead', 'ExemplarHead', 'MLPHead', 'MultiLabelHead', 'RotationHead', 'ShotOrderHead',
           'ShotPairHead', 'ShotSequenceHead']
