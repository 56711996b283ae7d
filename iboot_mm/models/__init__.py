from . import preprocessor, pretrainers

__all__ = ['preprocessor', 'pretrainers']
