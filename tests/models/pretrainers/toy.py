"""The four methods of the large-scale study and clips for them, small enough for many steps in a second.

With ``norm='gn'`` nothing mixes samples, so results do not depend on how a batch is split.
"""

import copy

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

import iboot_mm  # noqa: F401  (processes of a test may import nothing else)

WIDTH, DIM = 8, 6
METHODS = dict(
    byol=dict(type='VideoBYOL', projector=dict(hidden_dim=10, out_dim=DIM), predictor=dict(hidden_dim=10),
              momentum=dict(base=.8)),
    moco=dict(type='VideoMoCo', projector=dict(hidden_dim=10, out_dim=DIM), momentum=dict(base=.8), queue_size=20),
    simclr=dict(type='VideoSimCLR', projector=dict(hidden_dim=10, out_dim=DIM)),
    swav=dict(type='VideoSwAV', projector=dict(hidden_dim=10, out_dim=DIM), num_prototypes=9))
PLAIN = dict(color_prob=0., gray_prob=0., blur_prob=0.)


@MODELS.register_module(force=True)
class ToyBackbone(nn.Sequential):
    """Clips ``(N, 3, T, H, W)`` to maps ``(N, 8, T, H / 2, W / 2)``; ``norm`` is gn or bn."""

    def __init__(self, norm: str = 'gn') -> None:
        super().__init__(nn.Conv3d(3, WIDTH, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
                         nn.GroupNorm(2, WIDTH) if norm == 'gn' else nn.BatchNorm3d(WIDTH), nn.ReLU(),
                         nn.Conv3d(WIDTH, WIDTH, (3, 1, 1), padding=(1, 0, 0)))


def method_config(method: str, norm: str = 'gn', **options) -> dict:
    """Config of a method; with ``gn`` there is no BN in projector and predictor either."""
    config = {**copy.deepcopy(METHODS[method]), 'backbone': dict(type='ToyBackbone', norm=norm),
              'feature_dim': WIDTH, 'data_preprocessor': PLAIN, **options}
    if norm == 'gn':
        for head in ('projector', 'predictor'):
            if head in config:
                config[head]['norm'] = False
    return config


def build(method: str, norm: str = 'gn', **options) -> nn.Module:
    """A method with weights that are equal in all calls, its momentum copy driven."""
    torch.manual_seed(0)
    model = MODELS.build(method_config(method, norm, **options))
    if hasattr(model, 'momentum'):
        model.momentum.attached = True
        with torch.no_grad():  # apart from the online network, or targets would say little
            for p in model.momentum.network.parameters():
                p.add_(.1 * torch.randn_like(p))
    return model.train()


def batch(step: int = 0, videos: int = 4, rho: int = 2) -> dict:
    """What a data loader gives: uint8 ``(N, V, 3, 2, 6, 6)``, the clips of a video alike."""
    generator = torch.Generator().manual_seed(step)
    video = torch.randint(40, 215, (videos, 1, 3, 2, 6, 6), generator=generator)
    clips = video + torch.randint(-40, 40, (videos, rho, 3, 2, 6, 6), generator=generator)
    return dict(inputs=clips.to(torch.uint8), data_samples=None)


def views(model: nn.Module, **options) -> Tensor:
    """The same as the model sees it, in [0, 1]."""
    return model.data_preprocessor(batch(**options))['inputs']


def step(model: nn.Module, data: dict, optim_wrapper: OptimWrapper, progress: float, network: nn.Module | None = None):
    """One iteration as the runner makes it with ``MomentumUpdateHook``; returns what is logged."""
    log = (model if network is None else network).train_step(data, optim_wrapper)
    if hasattr(model, 'momentum') and optim_wrapper.should_update():
        model.momentum.update(model.online, progress)
    return log


@DATASETS.register_module(force=True)
class ToyClips(Dataset):
    """Videos as ``PackViews`` leaves them."""

    def __init__(self, length: int = 12, rho: int = 2) -> None:
        self.length, self.rho = length, rho

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=batch(index, videos=1, rho=self.rho)['inputs'][0])
