from .slow import SlowResNet

__all__ = ['SlowResNet']
