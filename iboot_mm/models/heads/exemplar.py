"""Frames of one shot as one class (VIVI, https://arxiv.org/abs/1912.02783, section 3.2)."""

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.dist import get_rank
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ranges import at_least
from ..losses.shots import semi_hard_triplets
from ..modules.distributed import gather_with_gradient


@MODELS.register_module()
class ExemplarHead(BaseModule):
    """Tells, by a triplet loss, the frames of a shot from those of all other shots of the batch.

    The frames are unit vectors after a linear map, as in S4L (https://arxiv.org/abs/1905.03670). Negatives are the
    frames of all ranks' other shots, by default those of the same video among them (figure 1). With one frame a video,
    augmented several times, it is the frames-only baseline.

    Args:
        in_channels: Width of the features.
        embed_dim: Width of the embeddings. The paper says nothing of it; 1000 and the margin are those of the public
            code (google/revisiting-self-supervised, ``config/exemplar/imagenet.sh``) of the work whose protocol it
            follows for its baselines: our choice. That code normalises each component over the batch.
        margin: Of the triplet loss, in squared distances of unit vectors; our choice, see ``embed_dim``.
        same_video: Whether shots of the anchor's video are negatives. The video loss joins what they push apart; with
            few videos in a batch, that is many of the nearest negatives.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(self, in_channels: int, embed_dim: int = 1000, margin: float = .5, same_video: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        at_least(0, 'ExemplarHead', margin=margin)
        at_least(1, 'ExemplarHead', embed_dim=embed_dim)
        self.embed = nn.Linear(in_channels, embed_dim)
        self.margin = margin
        self.same_video = same_video

    def copies(self, frames: Tensor) -> Tensor:
        """The frames ``(B, C, T, H, W)`` that the encoder sees: ``(1, B, C, T, H, W)``."""
        return frames.unsqueeze(0)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Features ``(1, N, K, L, D)`` to ``loss``, ``accuracy`` (share of fulfilled triplets) and ``chance``.

        Raises:
            ValueError: shots of one frame, or a batch of one shot.
        """
        with torch.autocast(features.device.type, enabled=False):
            frames = F.normalize(self.embed(features[0].float()), dim=-1).flatten(0, 1)  # (N K, L, E)
            shots = gather_with_gradient(frames)
            if frames.shape[1] < 2:
                raise ValueError('ExemplarHead compares frames of a shot, and got one: set shot_len of SampleShots (or '
                                 'num_views of SampleViews for frames alone) to at least 2 frames a shot')
            joined = 1 if self.same_video else features.shape[2]
            if len(shots) < 2 * joined:
                what = 'shots' if self.same_video else 'shots of different videos'
                raise ValueError(f'ExemplarHead compares {what}, and the batch of all processes has one: set '
                                 'train_dataloader.batch_size to at least 2')
            losses, shares = semi_hard_triplets(frames, shots, get_rank() * len(frames), self.margin, joined)
            return dict(loss=losses.mean(), accuracy=shares.mean(), chance=losses.new_full((), .5))
