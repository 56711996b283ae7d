from .image_tmm import ImageTMM
from .slow import SlowResNet
from .torchvision_video import TorchvisionVideoBackbone

__all__ = ['ImageTMM', 'SlowResNet', 'TorchvisionVideoBackbone']
