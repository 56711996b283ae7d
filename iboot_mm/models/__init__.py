from . import backbones, preprocessor, pretrainers, teachers

__all__ = ['backbones', 'preprocessor', 'pretrainers', 'teachers']
