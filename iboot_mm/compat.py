"""The one module that knows what upstream breaks.

Each entry names the fault, the versions it holds for and when it can go. :func:`apply` is idempotent and runs once,
when ``iboot_mm`` is imported.
"""

import atexit
import contextlib
import errno
import functools
import importlib.metadata
import importlib.util
import inspect
import pickle
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.version import Version

# package -> (lowest, first unsupported, why)
SUPPORTED = {
    'torch': ('2.6', None, 'older versions run code that a checkpoint carries'),
    'mmengine': ('0.10.7', None, 'older versions register an optimizer name twice on torch 2.5 and later'),
    'mmaction2': ('1.2.0', '2.0', 'the components are written for its 1.x registries'),
}
# MMAction2 1.2.0 asserts this upper bound on import; either distribution of mmcv serves.
MMCV_BOUNDS = ('2.0.0', '2.2.0')


def check_versions() -> None:
    """Checks the packages that iBoot-MM stands on.

    Raises:
        ImportError: a package is missing or its version is not supported; says which, and what to install.
    """
    for package, (lowest, limit, why) in SUPPORTED.items():
        found = _version(package)
        wanted = f'{package}>={lowest}' + (f',<{limit}' if limit else '')
        if found is None:
            raise ImportError(f"iboot_mm needs {package}: pip install '{wanted}'")
        if not _within(found, lowest, limit):
            raise ImportError(f"iboot_mm does not support {package} {found} ({why}): pip install '{wanted}'")
    lowest, limit = MMCV_BOUNDS
    mmcv = {name: found for name in ('mmcv', 'mmcv-lite') if (found := _version(name)) is not None}
    if not mmcv:
        raise ImportError(f"iboot_mm needs mmcv or mmcv-lite: pip install 'mmcv-lite>={lowest},<{limit}'")
    for name, found in mmcv.items():
        if not _within(found, lowest, limit):
            raise ImportError(f'iboot_mm does not support {name} {found} (MMAction2 1.2.0 refuses it): '
                              f"pip install '{name}>={lowest},<{limit}'")


def apply() -> None:
    """Mends the upstream faults below, each only where it is present."""
    _stub_missing_localizer()
    _silence_missing_ops()
    _replace_pkg_resources()
    _resolve_own_configs()
    _allow_history_buffers()
    _explain_refused_checkpoints()
    _refuse_weights_that_match_nothing()
    _refuse_inflation_that_matches_nothing()
    _start_groups_on_cpu()
    _return_self_from_train()
    _honour_init_cfg_of_backbones()
    _count_batches_once_when_recomputing()
    _keep_activations_in_sync_bn()
    _write_test_results_once()


def _mended(function: Callable) -> bool:
    return getattr(function, '_iboot_mm', False)


def _replace(owner: object, name: str, make: Callable[[Callable], Callable]) -> None:
    """Replaces ``owner.name`` by ``make(original)``, once."""
    original = getattr(owner, name)
    if _mended(original):
        return
    replacement = functools.wraps(original)(make(original))
    replacement._iboot_mm = True
    # A function found on a class through a static method has to go back as one.
    static = isinstance(owner, type) and isinstance(vars(owner).get(name), staticmethod)
    setattr(owner, name, staticmethod(replacement) if static else replacement)


def _version(package: str) -> Version | None:
    try:
        return Version(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return None


def _within(found: Version, lowest: str, limit: str | None) -> bool:
    # A local or pre-release build of a supported version (2.14.1+cu130, 2.15.0a0) counts as that version.
    base = Version(found.base_version)
    return base >= Version(lowest) and (limit is None or base < Version(limit))


def _stub_missing_localizer() -> None:
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

        def __init__(self, *args, **kwargs) -> None:
            raise NotImplementedError('DRN is missing from the mmaction2 wheel: install MMAction2 from source')

    module.DRN = DRN
    sys.modules.setdefault(package.__name__, package)
    sys.modules.setdefault(module.__name__, module)


def _silence_missing_ops() -> None:
    """mmcv-lite 2.x: warns at each start that an operator is missing, which nothing here uses. No date to go."""
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')


def _allow_history_buffers() -> None:
    """mmengine 0.10.7 on torch >= 2.6: resuming fails, because ``torch.load`` defaults to ``weights_only``.

    mmengine pickles its loss history as :class:`HistoryBuffer` objects, whose arrays need numpy's constructors and
    whose method tables are pickled through ``getattr``. These are declared safe; ``getattr`` itself never is, since a
    crafted file reaches module globals with it: a stand-in answers only for HistoryBuffer's own methods. Goes when
    mmengine stores plain data.
    """
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    def history_buffer_getattr(owner, name):
        if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
            return getattr(owner, name)
        raise pickle.UnpicklingError(f'a checkpoint asked for the attribute {name!r} of {owner!r}: only the statistics '
                                     'of HistoryBuffer may be restored from a file')

    multiarray = (np._core if hasattr(np, '_core') else np.core).multiarray  # numpy 2 renamed the module
    torch.serialization.add_safe_globals([
        HistoryBuffer, multiarray._reconstruct, multiarray.scalar, np.ndarray, np.dtype, np.dtypes.Float64DType,
        np.dtypes.Float32DType, np.dtypes.Int64DType, np.dtypes.BoolDType,
        (history_buffer_getattr, 'builtins.getattr')])


def _replace_pkg_resources() -> None:
    """mmengine <= 0.10.7 with setuptools >= 82: ``_base_ = 'mmaction::...'`` fails, ``pkg_resources`` is gone.

    The two functions that use it get stand-ins on ``importlib.metadata``, with older setuptools too: there the import
    warns. Goes with the next release of mmengine.
    """
    import mmengine.config.config
    import mmengine.hub.hub
    import mmengine.utils

    def is_installed(package: str) -> bool:
        return _version(package) is not None or importlib.util.find_spec(package) is not None

    def get_installed_path(package: str) -> str:
        module = package
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            module = (importlib.metadata.distribution(package).read_text('top_level.txt') or package).split()[0]
        return str(Path(importlib.util.find_spec(module).origin).parent)

    for owner in (mmengine.utils, mmengine.utils.package_utils, mmengine.config.config, mmengine.hub.hub):
        for function in (is_installed, get_installed_path):
            if hasattr(owner, function.__name__):
                setattr(owner, function.__name__, function)


def configs_folder() -> Path:
    """Folder of this project's configs: in the checkout, or in ``.mim`` of an installed wheel."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / 'configs'
    return checkout if (package.parent / 'setup.py').is_file() else package / '.mim' / 'configs'


def _resolve_own_configs() -> None:
    """mmengine <= 0.10.7: ``_base_ = 'iboot_mm::...'`` is refused, since a fixed list names the packages allowed.

    The list gets our name, and our paths are resolved here: mmengine's way needs a slash in the path and knows no
    editable install. It must be in place before a config is read: our launchers do that; ``custom_imports`` comes too
    late, so stock launchers take our files by path. Goes when mmengine looks packages up.
    """
    from mmengine.config import Config, utils
    utils.MODULE2PACKAGE.setdefault('iboot_mm', 'iboot_mm')

    def make(original: Callable) -> Callable:
        def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
            package, found, name = cfg_path.partition('::')
            if not (found and package == 'iboot_mm'):
                return original(cfg_path, filename)
            path = configs_folder() / name
            if not path.is_file():
                raise FileNotFoundError(f'{filename}: _base_ = {cfg_path!r} names no config in {configs_folder()}')
            return str(path), 'mmaction'  # the scope in which our components are registered
        return get_cfg_path

    _replace(Config, '_get_cfg_path', make)


_last_loaded = 'the checkpoint'  # mmengine hands weights on without the name of their file


def _explain_refused_checkpoints() -> None:
    """torch >= 2.6 through mmengine 0.10.7: a file that holds code, or half a file, fails with a page of advice.

    One sentence names the file instead. Goes when mmengine reports it.
    """
    from mmengine.runner.checkpoint import CheckpointLoader
    original = CheckpointLoader.load_checkpoint.__func__
    if _mended(original):
        return

    @functools.wraps(original)
    def load_checkpoint(cls, filename, *args, **kwargs):
        global _last_loaded
        _last_loaded = str(filename)
        try:
            return original(cls, filename, *args, **kwargs)
        except pickle.UnpicklingError as error:
            reason = re.search(r'GLOBAL \S+|a checkpoint asked for[^:]+', str(error))
            raise RuntimeError(
                f'{filename} was not loaded: it holds more than weights and plain data, and could run code'
                f'{f" ({reason.group()})" if reason else ""}; use a file that was saved as a state_dict') from None
        except (EOFError, OSError, RuntimeError) as error:
            # torch's three ways to say that the archive has no end: EOFError, EINVAL, and a message.
            cut = isinstance(error, EOFError) or getattr(error, 'errno', 0) == errno.EINVAL or 'zip arch' in str(error)
            if cut and Path(str(filename)).is_file():
                raise RuntimeError(f'{filename} is cut off or no torch checkpoint: fetch it again, or resume from an '
                                   'earlier one') from None
            raise

    load_checkpoint._iboot_mm = True
    CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)


def _refuse_weights_that_match_nothing() -> None:
    """mmengine (all versions): a file whose names all differ loads without an error and leaves random weights.

    ``load_from``, ``init_cfg`` and ``pretrained`` come through here; a partial match stays allowed. No date to go.
    """
    import mmengine.runner
    from mmengine.runner import checkpoint

    def make(original: Callable) -> Callable:
        def load_state_dict(module, state_dict, *args, **kwargs):
            own = module.state_dict()
            if own and not any(key in own and getattr(value, 'shape', None) == own[key].shape
                               for key, value in state_dict.items() if hasattr(own.get(key), 'shape')):
                bare = any(f'backbone.{key}' in own for key in state_dict)
                raise RuntimeError(
                    f'{_last_loaded}: none of its {len(state_dict)} weights fits {type(module).__name__} in name and '
                    f'shape (it has {_first(state_dict)}, wanted is {_first(own)}): ' +
                    ('it holds the backbone alone, for backbone.pretrained; give the training checkpoint, or the '
                     'published file that is not named "_backbone"' if bare else
                     'check the file and the prefix of init_cfg'))
            return original(module, state_dict, *args, **kwargs)
        return load_state_dict

    _replace(checkpoint, 'load_state_dict', make)
    mmengine.runner.load_state_dict = checkpoint.load_state_dict


def _first(state_dict: dict) -> str:
    return next((f'{key!r} {tuple(getattr(value, "shape", ()))}' for key, value in state_dict.items()), 'nothing')


def _refuse_inflation_that_matches_nothing() -> None:
    """mmaction2 1.2.0: inflating a 2D file whose names all differ only logs warnings and trains from scratch.

    It is an error here. And a prefix before torchvision's names, as in files of mmpretrain (``backbone.``) or of
    self-supervised training (``module.encoder_q.``), is taken off. No date to go.
    """
    import torch
    from mmaction.models.backbones import resnet3d, resnet3d_slowfast

    def make(original: Callable) -> Callable:
        def inflate_weights(self, logger):
            before = [p.detach().clone() for p in self.parameters()]
            original(self, logger)
            if all(torch.equal(old, new) for old, new in zip(before, self.parameters())):
                raise RuntimeError(f'{self.pretrained}: none of its weights fits a 2D ResNet to inflate; for the file '
                                   'of a 3D network set pretrained2d=False')
        return inflate_weights

    def load_without_prefix(original: Callable) -> Callable:
        def load(*args, **kwargs):
            loaded = original(*args, **kwargs)
            weights = loaded.get('state_dict', loaded)
            stems = [key for key in weights if key.endswith('.conv1.weight') and 'layer' not in key]
            if not stems or 'conv1.weight' in weights:
                return loaded
            prefix = min(stems, key=len).removesuffix('conv1.weight')
            return {key.removeprefix(prefix): value for key, value in weights.items()}
        return load

    for owner in (resnet3d.ResNet3d, resnet3d.ResNet3dLayer, resnet3d_slowfast.ResNet3dPathway):
        _replace(owner, 'inflate_weights', make)
    for module in (resnet3d, resnet3d_slowfast):
        _replace(module, '_load_checkpoint', load_without_prefix)


def _start_groups_on_cpu() -> None:
    """mmengine <= 0.10.7: processes cannot be started without a GPU, because each one selects a CUDA device first.

    Where there is no CUDA device, the selection is left out and the backend is gloo, whatever the config says. And the
    group is left when the process ends: mmengine never does, and gloo's threads then abort a process now and then. NPU,
    MLU and MUSA have their own branch upstream. No date to go.
    """
    import torch
    from mmengine.device import get_device
    from mmengine.dist import utils

    @contextlib.contextmanager
    def no_cuda_device() -> Iterator[None]:
        original = torch.cuda.set_device
        torch.cuda.set_device = lambda device: None
        try:
            yield
        finally:
            torch.cuda.set_device = original

    def make(original: Callable) -> Callable:
        def init_dist(backend, *args, **kwargs):
            if get_device() not in ('cpu', 'mps'):
                return original(backend, *args, **kwargs)
            with no_cuda_device():
                original('gloo', *args, **kwargs)
            atexit.register(leave_group)
        return init_dist

    def leave_group() -> None:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    for name in ('_init_dist_pytorch', '_init_dist_mpi', '_init_dist_slurm'):
        _replace(utils, name, make)


def _return_self_from_train() -> None:
    """mmaction2 1.2.0: ``train()`` of several backbones returns None, so ``net = backbone.eval()`` loses the network.

    Goes when they return self, as torch's does.
    """
    import mmaction.models  # noqa: F401  (fills the registry)
    from mmaction.registry import MODELS

    def make(original: Callable) -> Callable:
        def train(self, mode: bool = True):
            original(self, mode)
            return self
        return train

    for backbone in set(MODELS.module_dict.values()):
        if backbone.__module__.startswith('mmaction.models.backbones') and 'train' in vars(backbone):
            _replace(backbone, 'train', make)


def _honour_init_cfg_of_backbones() -> None:
    """mmaction2 1.2.0: ``init_cfg=dict(type='Pretrained', ...)`` of ResNet3d and its kin is never looked at.

    Their ``init_weights`` knows ``pretrained`` only and replaces the base class's, so training starts from random
    weights in silence. Goes when they call the base class.
    """
    import mmaction.models  # noqa: F401  (fills the registry)
    from mmaction.registry import MODELS
    from mmengine.model import BaseModule, initialize

    def make(original: Callable) -> Callable:
        def init_weights(self, *args, **kwargs):
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
            _replace(backbone, 'init_weights', make)


def _count_batches_once_when_recomputing() -> None:
    """mmaction2 1.2.0, ``with_cp=True``, and timm 1.0, ``set_grad_checkpointing()``: BN takes in each batch twice.

    The second time is the recomputation in the backward pass, which leaves the running statistics alone here; torch's
    kind of checkpointing that can tell is not the one that mmaction2 takes, with a warning, when none is named. Of timm
    it is done for ResNetV2. Goes when both do so themselves.
    """
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

    def checkpoint_block(function: Callable, *args, block: nn.Module | None = None):
        if block is None:
            block = inspect.getclosurevars(function).nonlocals['self']
        return checkpoint(function, *args, use_reentrant=False,
                          context_fn=lambda: (contextlib.nullcontext(), statistics_kept(block)))

    for module in (mobilenet_v2, resnet, resnet3d, resnet_audio, tanet, x3d):
        module.cp = types.SimpleNamespace(checkpoint=checkpoint_block)
    resnetv2.checkpoint_seq = lambda blocks, maps: functools.reduce(
        lambda maps, block: checkpoint_block(block, maps, block=block), blocks, maps)


def _keep_activations_in_sync_bn() -> None:
    """mmengine (all versions): ``sync_bn = 'torch'`` drops the ReLU of timm's BN without a word, and so does the way
    back, which a single process and a CPU take.

    timm's BN holds its activation as a child, which becomes one of a plain SyncBN that does not call it. No date to go.
    """
    import mmengine.model
    import mmengine.runner.runner
    from mmengine.model import utils
    from timm.layers import BatchNormAct2d
    from timm.layers.norm_act import SyncBatchNormAct
    from torch import nn

    def make(plain: type, calling: type) -> Callable:
        def make_one(original: Callable) -> Callable:
            def convert(module, *args, **kwargs):
                converted = original(module, *args, **kwargs)
                for part in converted.modules():
                    if type(part) is plain and hasattr(part, 'act'):
                        part.__class__ = calling
                return converted
            return convert
        return make_one

    for name, types_ in (('convert_sync_batchnorm', (nn.SyncBatchNorm, SyncBatchNormAct)),
                         ('revert_sync_batchnorm', (utils._BatchNormXd, BatchNormAct2d))):
        _replace(utils, name, make(*types_))
        for module in (mmengine.model, mmengine.runner.runner):
            setattr(module, name, getattr(utils, name))


def _write_test_results_once() -> None:
    """mmengine 0.10.7: after a test, each process writes the results to the same JSON file.

    The processes' timings differ in length, so the file at times ends in the tail of another's text and cannot be
    parsed. No date to go.
    """
    from mmengine.dist import master_only
    from mmengine.hooks import logger_hook

    _replace(logger_hook, 'dump', master_only)


def keep_pads_apart(network) -> None:
    """onnxruntime >= 1.17 (pull request 18136): a pad with zeros is folded into the max pooling behind it.

    The pooling pads with minus infinity, so a stem of BiT's ResNets gives other features. Bounding the padded maps by
    the lowest float changes no value and keeps the two operators apart in an ONNX file. Not part of :func:`apply`: it
    is for a ``torch.nn.Module`` that is about to be traced. Goes when onnxruntime compares the pad's value.
    """
    import torch

    def bound(module, inputs, padded):
        return padded.clamp(min=torch.finfo(padded.dtype).min)

    for module in network.modules():
        if isinstance(module, torch.nn.ConstantPad2d):
            module.register_forward_hook(bound)
