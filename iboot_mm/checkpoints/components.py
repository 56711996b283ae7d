"""Networks from a stranger's description: only registered components, and none larger than the weights beside it."""

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.registry import MODELS as ROOT_MODELS
from torch import Tensor, nn
from torch.nn.modules.module import register_module_module_registration_hook
from torch.overrides import TorchFunctionMode

from ..models.modules.temporal_modules import TEMPORAL_MODULES
from ..models.teachers import MMPretrainTeacher, OpenCLIPTeacher, TimmTeacher
from ..stores.plain_data import fit
from .schema import ImageModel

STARTS = ('init_cfg', 'pretrained')  # where a training of its own would have started from
IMAGE_MODELS = (TimmTeacher, OpenCLIPTeacher, MMPretrainTeacher)
MODULES_PER_TENSOR, SMALL = 8, 2000  # activations, containers and what a constructor replaces have no weights


def check_components(backbone: dict, source: str | Path) -> None:
    """Refuses a config that names anything but registered components, or settings that its network does not take.

    mmengine imports what a name with a dot or a key ``_scope_`` names; the schema lets neither pass. Nor does this let
    a network start from other weights than those that are loaded into it.

    Args:
        backbone: Plain data, see :class:`~iboot_mm.checkpoints.schema.Description`.
        source: What to call it in the error.

    Raises:
        ValueError: names what is refused.
    """
    component = MODELS.module_dict.get(backbone.get('type'))
    if not (inspect.isclass(component) and issubclass(component, nn.Module)):
        raise ValueError(f'{source} asks for {backbone.get("type")!r}, which is not a registered component that is a '
                         'network: import the package that registers it first, or do not trust this file')
    known = _parameters(component)
    unknown = [key for key in backbone if key != 'type' and known is not None and key not in known]
    if unknown:
        raise ValueError(f'{source} gives {backbone["type"]} the setting {unknown[0]!r}, which it does not have')
    for part in _dicts(backbone):
        image_model = str(part.get('type')) in [kind.__name__ for kind in IMAGE_MODELS]
        if any(part.get(key) for key in STARTS if key == 'init_cfg' or not image_model):
            raise ValueError(f'{source} wants its network to start from other weights than its own (init_cfg, '
                             'pretrained): remove that')
        if 'type' in part and str(part['type']) not in _registered():
            raise ValueError(f'{source} asks for {part["type"]!r}, which is not a registered component: import the '
                             'package that registers it first, or do not trust this file')
        if image_model:
            fit(part, ImageModel, f'{source}, {part["type"]}')


def outline(backbone: dict, num_weights: int, source: str | Path) -> dict[str, Tensor]:
    """Names and shapes of the weights of a network, before any memory is taken for it.

    Args:
        backbone: Config that :func:`check_components` let pass.
        num_weights: How many tensors a file holds for it.
        source: What to call it in the error.

    Returns:
        Its state dict on torch's ``meta`` device.

    Raises:
        ValueError: it can not be built, or has more parts than there could be weights for.
        OSError: an image model that it stands on is not here.
    """
    most = MODULES_PER_TENSOR * num_weights + SMALL
    with warnings.catch_warnings(), _bounded(most), torch.device('meta'), _Linspace():
        warnings.filterwarnings('ignore', '.*copying from a non-meta parameter')  # image models load their weights
        try:
            return MODELS.build(backbone).state_dict()
        except OSError:
            raise
        except Exception as error:  # a constructor fails in any way on values that it does not expect
            reason = ' '.join(str(error).split())[:300]
            raise ValueError(f'the backbone of {source} can not be built ({type(error).__name__}: {reason}): give the '
                             'config of its network, or do not trust this file') from None


class _Linspace(TorchFunctionMode):
    """Values of ``linspace`` are read by many constructors: rates of stochastic depth."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        return func(*args, **(dict(kwargs, device='cpu') if func is torch.linspace else kwargs))


@contextmanager
def _bounded(most: int) -> Iterator[None]:
    """Stops the construction of a network at a number of modules."""
    count = 0

    def tally(*_: object) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise ValueError(f'it has more than {most} modules, far more than it has weights')

    handle = register_module_module_registration_hook(tally)
    try:
        yield
    finally:
        handle.remove()


def _parameters(component: type) -> set[str] | None:
    """Names of a constructor's arguments, those of its bases as far as they are handed on; None for any."""
    names = set()
    for base in inspect.getmro(component):
        if '__init__' not in vars(base):
            continue
        if base is nn.Module:
            return names
        parameters = inspect.signature(base.__init__).parameters.values()
        names |= {parameter.name for parameter in parameters}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return names
    return None


def _registered() -> set[str]:
    return {*MODELS.module_dict, *ROOT_MODELS.module_dict, *TEMPORAL_MODULES}


def _dicts(value: object) -> Iterator[dict]:
    """Every dict in nested containers."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _dicts(item)
