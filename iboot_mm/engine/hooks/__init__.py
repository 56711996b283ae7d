"""Hooks of the training, each with one duty."""

from .checkpoint import AtomicCheckpointHook
from .class_count import ClassCountHook
from .collapse_alarm import CollapseAlarmHook
from .deferred_info import DeferredInfoHook
from .freeze_prototypes import FreezePrototypesHook
from .missed_validation import MissedValidationHook
from .momentum_update import MomentumUpdateHook
from .nan_stop import NaNStopHook
from .seeding import EpochSeedHook
from .starting_weights import StartingWeightsHook
from .target_check import TargetCheckHook
from .token_check import TokenCheckHook
from .training_plan import TrainingPlanHook
from .unreadable_videos import UnreadableVideosHook

__all__ = ['AtomicCheckpointHook', 'ClassCountHook', 'CollapseAlarmHook', 'DeferredInfoHook', 'EpochSeedHook',
           'FreezePrototypesHook', 'MissedValidationHook', 'MomentumUpdateHook', 'NaNStopHook', 'StartingWeightsHook',
           'TargetCheckHook', 'TokenCheckHook', 'TrainingPlanHook', 'UnreadableVideosHook']
