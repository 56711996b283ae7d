"""Video and frame networks, for this project's and any MMAction2 config."""

from .frame_resnet import FrameResNetV2
from .image_tmm import ImageTMM
from .r2plus1d import R2Plus1D18
from .s3dg import S3DG
from .slow import SlowResNet
from .torchvision_video import TorchvisionVideoBackbone

__all__ = ['FrameResNetV2', 'ImageTMM', 'R2Plus1D18', 'S3DG', 'SlowResNet', 'TorchvisionVideoBackbone']
