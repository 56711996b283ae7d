"""Faults of MMAction2's wheel and of its backbones."""

import contextlib
import functools
import importlib.util
import inspect
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .replacing import replace


def apply() -> None:
    """Mends what is below, each only where it is present."""
    stub_missing_localizer()
    silence_missing_ops()
    refuse_inflation_that_matches_nothing()
    return_self_from_train()
    honour_init_cfg_of_backbones()
    count_batches_once_when_recomputing()
    name_the_moviepy_that_is_wanted()


def stub_missing_localizer() -> None:
    """mmaction2 1.2.0: the wheel lacks ``models/localizers/drn`` and imports it, so no model can be built.

    Two stub modules stand in for it. Goes when a release ships the folder (mmaction2 issue 2714).
    """
    root = Path(importlib.util.find_spec('mmaction').origin).parent / 'models' / 'localizers'
    if (root / 'drn').is_dir():
        return
    package = types.ModuleType('mmaction.models.localizers.drn')
    package.__path__ = []
    module = types.ModuleType('mmaction.models.localizers.drn.drn')

    class DRN:
        """Stands in for the temporal-grounding model that mmaction2's wheel lacks."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise NotImplementedError('DRN is missing from the mmaction2 wheel: install MMAction2 from source')

    module.DRN = DRN
    sys.modules.setdefault(package.__name__, package)
    sys.modules.setdefault(module.__name__, module)


def silence_missing_ops() -> None:
    """mmcv-lite 2.x: warns at each start that an operator is missing, which nothing here uses. No date to go."""
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')


def refuse_inflation_that_matches_nothing() -> None:
    """mmaction2 1.2.0: inflating a 2D file whose names all differ only logs warnings and trains from scratch.

    It is an error here. And a prefix before torchvision's names, as in files of mmpretrain (``backbone.``) or of
    self-supervised training (``module.encoder_q.``), is taken off. No date to go.
    """
    import torch
    from mmaction.models.backbones import resnet3d, resnet3d_slowfast

    def make(original: Callable) -> Callable:
        def inflate_weights(self: Any, logger: Any) -> None:
            before = [p.detach().clone() for p in self.parameters()]
            original(self, logger)
            if all(torch.equal(old, new) for old, new in zip(before, self.parameters())):
                raise RuntimeError(f'{self.pretrained}: none of its weights fits a 2D ResNet to inflate; for the file '
                                   'of a 3D network set pretrained2d=False')
        return inflate_weights

    def load_without_prefix(original: Callable) -> Callable:
        def load(*args: Any, **kwargs: Any) -> Any:
            loaded = original(*args, **kwargs)
            weights = loaded.get('state_dict', loaded)
            stems = [key for key in weights if key.endswith('.conv1.weight') and 'layer' not in key]
            if not stems or 'conv1.weight' in weights:
                return loaded
            prefix = min(stems, key=len).removesuffix('conv1.weight')
            return {key.removeprefix(prefix): value for key, value in weights.items()}
        return load

    for owner in (resnet3d.ResNet3d, resnet3d.ResNet3dLayer, resnet3d_slowfast.ResNet3dPathway):
        replace(owner, 'inflate_weights', make)
    for module in (resnet3d, resnet3d_slowfast):
        replace(module, '_load_checkpoint', load_without_prefix)


def return_self_from_train() -> None:
    """mmaction2 1.2.0: ``train()`` of several backbones returns None, so ``net = backbone.eval()`` loses the network.

    Goes when they return self, as torch's does.
    """
    import mmaction.models  # noqa: F401  (fills the registry)
    from mmaction.registry import MODELS

    def make(original: Callable) -> Callable:
        def train(self: Any, mode: bool = True) -> Any:
            original(self, mode)
            return self
        return train

    for backbone in set(MODELS.module_dict.values()):
        if backbone.__module__.startswith('mmaction.models.backbones') and 'train' in vars(backbone):
            replace(backbone, 'train', make)


def honour_init_cfg_of_backbones() -> None:
    """mmaction2 1.2.0: ``init_cfg=dict(type='Pretrained', ...)`` of ResNet3d and its kin is never looked at.

    Their ``init_weights`` knows ``pretrained`` only and replaces the base class's, so training starts from random
    weights in silence. Goes when they call the base class.
    """
    import mmaction.models  # noqa: F401  (fills the registry)
    from mmaction.registry import MODELS
    from mmengine.model import BaseModule, initialize

    def make(original: Callable) -> Callable:
        def init_weights(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            configs = self.init_cfg if isinstance(self.init_cfg, list) else [self.init_cfg]
            if pretrained := [config for config in configs if config and config.get('type') == 'Pretrained']:
                initialize(self, pretrained)
            return result
        return init_weights

    families = tuple(f'mmaction.models.backbones.{name}' for name in ('resnet3d', 'c3d', 'x3d'))
    for backbone in set(MODELS.module_dict.values()):
        if (backbone.__module__.startswith(families) and issubclass(backbone, BaseModule)
                and 'init_weights' in vars(backbone)):
            replace(backbone, 'init_weights', make)


def count_batches_once_when_recomputing() -> None:
    """mmaction2 1.2.0, ``with_cp=True``, and timm 1.0, ``set_grad_checkpointing()``: BN takes in each batch twice.

    The second time is the recomputation in the backward pass, which leaves the running statistics alone here; torch's
    kind of checkpointing that can tell is not the one that mmaction2 takes, with a warning, when none is named. Of timm
    it is done for ResNetV2. Goes when both do so themselves.
    """
    import torch
    from mmaction.models.backbones import mobilenet_v2, resnet, resnet3d, resnet_audio, tanet, x3d
    from timm.models import resnetv2
    from torch import nn
    from torch.utils.checkpoint import checkpoint

    @contextlib.contextmanager
    def statistics_kept(block: nn.Module) -> Iterator[None]:
        kept = [(module, dict(module._buffers)) for module in block.modules()]
        for module, buffers in kept:
            module._buffers.update({name: b.clone() for name, b in buffers.items() if b is not None})
        try:
            yield
        finally:
            for module, buffers in kept:
                module._buffers.update(buffers)

    def checkpoint_block(function: Callable, *args: Any, block: nn.Module | None = None) -> Any:
        if torch.compiler.is_compiling():  # its graphs have no state to change twice, and it takes no context_fn
            return checkpoint(function, *args, use_reentrant=False)
        if block is None:
            block = inspect.getclosurevars(function).nonlocals['self']
        return checkpoint(function, *args, use_reentrant=False,
                          context_fn=lambda: (contextlib.nullcontext(), statistics_kept(block)))

    for module in (mobilenet_v2, resnet, resnet3d, resnet_audio, tanet, x3d):
        module.cp = types.SimpleNamespace(checkpoint=checkpoint_block)
    resnetv2.checkpoint_seq = lambda blocks, maps: functools.reduce(
        lambda maps, block: checkpoint_block(block, maps, block=block), blocks, maps)


def name_the_moviepy_that_is_wanted() -> None:
    """mmaction2 1.2.0: a video or GIF of predictions asks for moviepy where moviepy 2 is installed.

    It takes ``moviepy.editor``, which moviepy 2 has no more; 1.0.3 runs on numpy 2. Goes when it imports moviepy.
    """
    from mmaction.visualization import LocalVisBackend

    def make(original: Callable) -> Callable:
        def add_video(*args: Any, **kwargs: Any) -> Any:
            try:
                return original(*args, **kwargs)
            except ImportError:
                raise ImportError("a video or GIF wants moviepy of before 2.0, which has moviepy.editor: pip install "
                                  "'moviepy<2', or out_type='img'") from None
        return add_video

    replace(LocalVisBackend, 'add_video', make)
