"""Learning rates and momenta over the training."""

from .warmup_cosine import WarmupCosineLR

__all__ = ['WarmupCosineLR']
