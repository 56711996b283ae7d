"""What runs a training: loops, samplers, hooks, optimizers and schedules."""

from . import hooks, optimizers, schedulers
from .batch_plan import BatchPlan, plan_batch
from .feature_loop import FeatureLoop
from .loops import GlobalBatchTrainLoop
from .model_wrapper import DistributedPretrainer
from .samplers import EndlessSampler, EpochSampler
from .share_sampler import ShareSampler
from .target_loop import TargetLoop

__all__ = ['BatchPlan', 'DistributedPretrainer', 'EndlessSampler', 'EpochSampler', 'FeatureLoop',
           'GlobalBatchTrainLoop', 'ShareSampler', 'TargetLoop', 'hooks', 'optimizers', 'plan_batch', 'schedulers']
