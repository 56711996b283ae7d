"""Fixtures that many tests share."""

import ast
import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import config
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import init_default_scope

import iboot_mm  # noqa: F401  (registers the components)

init_default_scope('mmaction')  # as every config says
# mmengine formats the config for each checkpoint that it goes into, which takes longer than a toy run's training. That
# its text can be parsed is all that tests need.
config.FormatCode = lambda text, **style: (text, bool(ast.parse(text)))

SHARED = Path(__file__).resolve().parents[2] / 'shared'


def pytest_collection_finish() -> None:
    """Exempts what has been imported by now from garbage collection.

    mmengine collects whenever it builds a data set: a quarter of a second each time among 460,000 imported objects.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def forget_earlier_runs() -> None:
    """Each test starts without the logger and the figures of another's run.

    What a run leaves behind stays mmengine's current logger, whose file is closed; `init_weights` writes to it.
    """
    for kind in (MMLogger, MessageHub):
        kind._instance_dict.clear()


@pytest.fixture(autouse=True)
def listens_to_interrupts() -> Iterator[None]:
    """What a run that ended here told this process to do at Ctrl-C is no rule for later tests and their commands."""
    kept = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, kept)


@pytest.fixture(scope='session')
def shared() -> Path:
    """Folder of golden files and real videos beside the checkout; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip('no ../shared beside this checkout')
    return SHARED


@MODELS.register_module()
class PatchMeanTeacher:
    """A teacher in closed form: each frame's colour means on a 2 x 2 grid, through a fixed random map."""

    def __init__(self, width: int = 8, name: str = 'patch_mean', seed: int = 0) -> None:
        self.width, self.name, self.licence, self.output = width, name, 'none', 'embedding'
        self.map = torch.randn(12, width, generator=torch.Generator().manual_seed(seed))

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        frames = clips.detach().transpose(1, 2)  # (N, T, C, H, W)
        grid = torch.nn.functional.adaptive_avg_pool2d(frames.flatten(0, 1), 2).flatten(1)
        return (grid @ self.map).unflatten(0, frames.shape[:2])  # (N, T, D)

    def identity(self) -> dict:
        return dict(type='PatchMeanTeacher', output=self.output, width=self.width, licence=self.licence)


@pytest.fixture
def slow_backbone() -> dict:
    """A Slow ResNet-18 narrow enough for a test; features of width 64."""
    return dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False, zero_init_residual=False,
                norm_cfg=dict(type='BN3d'), with_cp=False)
