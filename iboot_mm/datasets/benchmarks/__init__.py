"""Public data sets' own lists: what is there, beside the official counts."""

from .prepare import BENCHMARKS, prepare

__all__ = ['BENCHMARKS', 'prepare']
