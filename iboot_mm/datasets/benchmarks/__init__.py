from .prepare import BENCHMARKS, prepare

__all__ = ['BENCHMARKS', 'prepare']
