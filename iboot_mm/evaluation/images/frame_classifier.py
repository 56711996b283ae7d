"""A network as a classifier of single frames: encoder and linear head, saved and loaded as a recognizer is."""

import hashlib
import io
import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import center_crop, pil_to_tensor, resize

from ...checkpoints.description import CheckpointInfo, describe_checkpoint
from ...datasets.decoders.base import first_line
from ...datasets.images.tasks import to_square
from ...models.encoders.video import VideoEncoder
from ...models.modules.features import frame_features
from ...stores.atomic_files import AtomicLocalBackend
from ...stores.identity import digest_weights
from ...weights.state_dicts import read_file

OWN_HEAD = 'cls_head.fc_cls'  # MMAction2's recognizers have it, too
HEADS = (OWN_HEAD, 'classifier')  # the other is co-trained VIVI's


class FrameEncoder(nn.Module):
    """One feature per image: the backbone on a clip of one frame, or on the image itself where it is a 2D network.

    Args:
        encoder: The network.
        size: Side of the images, pixels; tried out at once.

    Attributes:
        width: Width D of the features.

    Raises:
        ValueError: the backbone takes neither.
    """

    def __init__(self, encoder: VideoEncoder, size: int) -> None:
        super().__init__()
        self.encoder = encoder.eval()
        self.flat = False
        images = torch.zeros(2, 3, size, size, dtype=torch.uint8)  # an unbatched 3D convolution would take a single one
        try:
            self.width = self._try(images)
        except Exception as of_clip:  # each backbone has its own way to fail
            self.flat = True
            try:
                self.width = self._try(images)
            except Exception as of_image:
                raise ValueError(f'the backbone {type(encoder.backbone).__name__} takes no single frame of {size} x '
                                 f'{size} pixels (as a clip: {first_line(of_clip)}; as an image: '
                                 f'{first_line(of_image)}): only encoders of frames know images') from None

    @torch.no_grad()
    def _try(self, images: Tensor) -> int:
        return self(images).shape[1]

    @property
    def identity(self) -> str:
        """SHA-256 of weights, architecture and input normalisation."""
        encoder = self.encoder
        about = (digest_weights(encoder.backbone.state_dict()), repr(encoder.backbone), self.flat,
                 encoder.backbone_mean.flatten().tolist(), encoder.backbone_std.flatten().tolist())
        return hashlib.sha256(repr(about).encode()).hexdigest()

    def forward(self, images: Tensor) -> Tensor:
        """Features ``(N, D)`` of uint8 images ``(N, 3, H, W)``."""
        clips = self.encoder.normalize(images.unsqueeze(2) / 255)
        output = self.encoder.backbone(clips.squeeze(2) if self.flat else clips)
        if self.flat:
            output = output[-1] if isinstance(output, (list, tuple)) else output
            return output.mean(dim=(2, 3)) if output.ndim == 4 else frame_features(output).mean(1)
        return frame_features(output).mean(1)


class FrameClassifier(nn.Module):
    """Logits of images.

    Args:
        features: The encoder.
        head: Its linear classifier.
    """

    def __init__(self, features: FrameEncoder, head: nn.Linear) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N, C)`` of uint8 images ``(N, 3, H, W)``."""
        return self.head(self.features(images))


def save_classifier(net: FrameClassifier, info: CheckpointInfo, size: int, path: Path) -> None:
    """Writes a fine-tuned classifier with the keys of MMAction2's recognizers and its description as plain data.

    Args:
        net: The classifier.
        info: The network that it was fine-tuned from.
        size: Side of the squares that it learned from, pixels.
        path: The file.
    """
    state = {f'backbone.{key}': value.cpu() for key, value in net.features.encoder.backbone.state_dict().items()}
    state.update({f'{OWN_HEAD}.{key}': value.cpu() for key, value in net.head.state_dict().items()})
    clip = dict(info.clip, clip_len=1, size=size, short_side=size)
    meta = dict(info.description(), feature_dim=net.features.width, clip=clip, teachers=[], square=True)
    content = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=state), content)
    AtomicLocalBackend().put(content.getvalue(), path)


class ClassifierFolder:
    """Where fine-tuned classifiers of one network are kept.

    Args:
        folder: The folder.
        name: Of the network.
        info: See :func:`save_classifier`.
        size: See :func:`save_classifier`.
    """

    def __init__(self, folder: Path, name: str, info: CheckpointInfo, size: int) -> None:
        self.folder, self.name, self.info, self.size = folder, name, info, size

    def path(self, task: str, run: str) -> Path:
        """The file of a task; the run's name keeps other settings apart."""
        return self.folder / (re.sub(r'[^\w.-]+', '_', f'{self.name}_{task}') + f'-{run[:8]}.pth')

    def save(self, net: FrameClassifier, task: str, run: str) -> None:
        """Writes a classifier."""
        save_classifier(net, self.info, self.size, self.path(task, run))


class LoadedClassifier:
    """A classifier of frames from a file: what :func:`save_classifier` wrote, or any recognizer with a linear head.

    Args:
        path: See :func:`~iboot_mm.checkpoints.describe_checkpoint`.
        config: See there.

    Raises:
        FileNotFoundError: see there.
        ValueError: see there, or it has no linear head that fits, or its backbone takes no single frame.
    """

    def __init__(self, path: str | Path, config: str | Path | None = None) -> None:
        info = describe_checkpoint(path, config)
        content = read_file(info.path)
        state = content.get('state_dict', content)
        name = next((name for name in HEADS if all(torch.is_tensor(state.get(f'{name}.{part}'))
                                                   for part in ('weight', 'bias'))), None)
        if name is None:
            raise ValueError(f'{info.path} has no linear classifier ({", ".join(HEADS)}): fine-tune one with '
                             'tools/transfer.py --save')
        self.size, self.short_side = info.clip['size'], info.clip['short_side']
        meta = content.get('meta')
        self.square = isinstance(meta, dict) and bool(meta.get('square'))
        weight, bias = state[f'{name}.weight'], state[f'{name}.bias']
        features = FrameEncoder(info.build_encoder(), self.size)
        if weight.shape[1:] != (features.width, ) or bias.shape != weight.shape[:1]:
            raise ValueError(f'{name}.weight of {info.path} is {tuple(weight.shape)}, but the backbone gives features '
                             f'of width {features.width} for a single frame')
        head = nn.Linear(features.width, len(weight))
        head.load_state_dict(dict(weight=weight, bias=bias))
        self.net = FrameClassifier(features, head).eval()
        self.num_classes = len(weight)

    def prepare(self, frame: np.ndarray) -> Tensor:
        """A frame uint8 ``(H, W, 3)`` as the network knows images: uint8 ``(3, size, size)``.

        Squares without regard to shape after :func:`save_classifier`; otherwise the short side and the centre crop of
        its config.
        """
        image = Image.fromarray(frame)
        return to_square(image, self.size) if self.square else pil_to_tensor(
            center_crop(resize(image, self.short_side), self.size))
