"""Videos of a run with what its network makes of their places, for the report."""

import base64
import io
from collections.abc import Sequence
from contextlib import suppress

from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose

from ..checkpoints.clip_recipe import clip_pipeline
from ..checkpoints.description import CheckpointInfo
from ..datasets import UnreadableVideo
from .agreement import build_agreement
from .attention import attention_maps
from .layers import Layer, draw_strip


def draw_looks(info: CheckpointInfo, files: Sequence[str]) -> list[str]:
    """A strip of each video: its frames, the teacher's mean attention where it is a ViT, and the network's agreement.

    Args:
        info: The checkpoint.
        files: Videos; those that cannot be read any more are left out.

    Returns:
        PNG pictures as data URIs.

    Raises:
        ValueError: the network gives no map over time and space.
        ConnectionError: the teacher's weights are not here and the hub is out of reach.
    """
    agreement = build_agreement(info)
    pipeline, pictures = Compose([TRANSFORMS.build(step) for step in clip_pipeline(info.clip)]), []
    for number, file in enumerate(files):
        try:
            views = pipeline(dict(filename=file, sample_idx=number))['inputs']  # uint8 (1, C, T, H, W)
        except UnreadableVideo:
            continue
        clips = views.float() / 255
        layers = [Layer('network', agreement(clips)[0].numpy(), 'cosine')]
        if agreement.teacher is not None:
            with suppress(ValueError):  # no ViT
                attention = attention_maps(agreement.teacher, clips)[0]  # (T, heads, h, w)
                layers.insert(0, Layer('image model', attention.mean(1).numpy(), 'attention'))
        draw_strip(views[0].permute(1, 2, 3, 0).numpy(), layers).savefig(buffer := io.BytesIO(), format='png', dpi=110)
        pictures.append(f'data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}')
    return pictures
