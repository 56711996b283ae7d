from .slow import SlowResNet
from .torchvision_video import TorchvisionVideoBackbone

__all__ = ['SlowResNet', 'TorchvisionVideoBackbone']
