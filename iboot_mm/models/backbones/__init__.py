from .frame_resnet import FrameResNetV2
from .image_tmm import ImageTMM
from .slow import SlowResNet
from .torchvision_video import TorchvisionVideoBackbone

__all__ = ['FrameResNetV2', 'ImageTMM', 'SlowResNet', 'TorchvisionVideoBackbone']
