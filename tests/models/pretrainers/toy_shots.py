"""VIVI in its forms and shots for it, small enough for many steps in a second; the backbone is that of ``toy``."""

import copy

import torch
from mmaction.registry import DATASETS, MODELS
from torch import Tensor, nn
from torch.utils.data import Dataset

from .toy import PLAIN, WIDTH

EXEMPLAR, ROTATION = dict(type='ExemplarHead', embed_dim=6), dict(type='RotationHead')
FORMS = dict(
    frames=dict(num_shots=1, shot_loss=EXEMPLAR),
    shots=dict(num_shots=2, shot_loss=EXEMPLAR),
    ex_2=dict(num_shots=2, shot_loss=EXEMPLAR, video_loss=dict(type='ShotPairHead', hidden=7), shot_pool='attention'),
    ex_4=dict(num_shots=4, shot_loss=EXEMPLAR, video_loss=dict(type='ShotSequenceHead', hidden=7), video_weight=.5),
    rot_4=dict(num_shots=4, shot_loss=ROTATION, video_loss=dict(type='ShotSequenceHead', hidden=7)),
    order=dict(num_shots=2, shot_loss=EXEMPLAR, video_loss=dict(type='ShotOrderHead', hidden=7)))


def form_config(form: str, norm: str = 'gn', **options) -> dict:
    """Config of a form; with ``gn`` nothing mixes samples, so results do not depend on how a batch is split."""
    return {**copy.deepcopy(FORMS[form]), 'type': 'VIVI', 'backbone': dict(type='ToyBackbone', norm=norm),
            'feature_dim': WIDTH, 'data_preprocessor': PLAIN, **options}


def build(form: str, norm: str = 'gn', **options) -> nn.Module:
    """A model with weights that are equal in all calls; the attention apart from the average."""
    torch.manual_seed(0)
    model = MODELS.build(form_config(form, norm, **options))
    if form == 'ex_2':
        nn.init.normal_(model.pool.score.weight)
    return model.train()


def batch(step: int = 0, videos: int = 4, num_shots: int = 2, length: int = 3, size: int = 6) -> dict:
    """What a data loader gives: uint8 ``(N, K L, 3, 1, 6, 6)``, the shots of a video and the frames of a shot alike."""
    generator = torch.Generator().manual_seed(step)
    shape = (3, 1, size, size)
    video = torch.randint(80, 175, (videos, 1, 1, *shape), generator=generator)
    shots = video + torch.randint(-40, 40, (videos, num_shots, 1, *shape), generator=generator)
    frames = shots + torch.randint(-40, 40, (videos, num_shots, length, *shape), generator=generator)
    return dict(inputs=frames.flatten(1, 2).to(torch.uint8), data_samples=None)


def views(model: nn.Module, **options) -> Tensor:
    """The same as the model sees it, in [0, 1]."""
    return model.data_preprocessor(batch(num_shots=model.num_shots, **options))['inputs']


@DATASETS.register_module(force=True)
class ToyShots(Dataset):
    """Videos as ``PackViews`` leaves them."""

    def __init__(self, num_shots: int, length: int = 12) -> None:
        self.num_shots, self.length = num_shots, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=batch(index, videos=1, num_shots=self.num_shots)['inputs'][0])
