from .checkpoint import AtomicCheckpointHook
from .collapse_alarm import CollapseAlarmHook
from .momentum_update import MomentumUpdateHook
from .nan_stop import NaNStopHook
from .seeding import EpochSeedHook
from .training_plan import TrainingPlanHook
from .unreadable_videos import UnreadableVideosHook

__all__ = ['AtomicCheckpointHook', 'CollapseAlarmHook', 'EpochSeedHook', 'MomentumUpdateHook', 'NaNStopHook',
           'TrainingPlanHook', 'UnreadableVideosHook']
