from . import pretrainers

__all__ = ['pretrainers']
