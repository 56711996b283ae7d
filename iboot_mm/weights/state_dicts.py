"""Reading weight files and loading them strictly: what teachers and inflated backbones share.

Files are only ever read as data: ``torch.load(weights_only=True)`` or safetensors. Every failure is one sentence that
names the file.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from mmengine.logging import print_log
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..compat.archives import check_archive, check_tensors, check_weights
from .digests import check_digest

StateDict = dict[str, Tensor]

# Where training scripts put the weights of the network inside a checkpoint.
NESTING_KEYS = ('state_dict', 'model', 'teacher', 'model_state_dict')
WRAPPER_PREFIXES = ('module.', '_orig_mod.')


def read_state_dict(path: str | Path, encoder_prefixes: Sequence[str] = ('backbone.',)) -> StateDict:
    """Reads the weights of a network from ``.safetensors`` or any ``torch.save`` file.

    Nested dicts (``state_dict``, ``model``, ``teacher``) are opened, wrapper prefixes (``module.``) are taken off,
    half precision becomes float32. If some keys start with one of ``encoder_prefixes``, the others belong to heads
    of the training run: they are left out, and the log says so.

    Args:
        path: The file.
        encoder_prefixes: Prefixes that mark the encoder among other parts.

    Returns:
        Names to tensors.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds code, or no weights, or can't be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'There is no weight file {path}; give the path of an existing .pth, .pt or .safetensors file.'
        )
    state = read_file(path)
    check_weights(state, path)
    for _ in range(3):
        key = next((key for key in NESTING_KEYS if isinstance(state, dict) and isinstance(state.get(key), dict)), None)
        if key is None:
            break
        state = state[key]
    tensors = {str(key): value for key, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError(
            f'{path} holds no weights: a state dict, alone or under {", ".join(NESTING_KEYS)}, is expected.'
        )
    tensors = _strip(tensors, path, encoder_prefixes)
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}


def read_file(path: Path) -> object:
    """The content of a ``.safetensors`` or ``torch.save`` file as it is, tensors on the CPU; nothing in it is run.

    Raises:
        ValueError: the file holds code, was damaged since it was written, or can't be read.
    """
    if not path.is_file():
        raise ValueError(f'{path} is no file of weights, but {"a folder" if path.is_dir() else "not there"}.')
    if path.suffix == '.safetensors':
        try:
            check_digest(path)
            return load_file(path)
        except (SafetensorError, OSError, KeyError) as error:
            raise ValueError(f'{path} is not a readable safetensors file ({type(error).__name__}: {error}).') from None
    check_archive(path)
    try:
        # argparse.Namespace: the public DINO and DeiT checkpoints keep their options beside the weights; it is plain
        # data.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # bytes that are no pickle make the unpickler fail in any way
        raise ValueError(
            f'{path} can not be read as plain weights, and nothing in it was executed; save its state dict '
            f'with torch.save or as .safetensors ({type(error).__name__}: {_reason(error)}).'
        ) from None
    check_tensors(content, path)
    return content


def _reason(error: Exception) -> str:
    """What torch says in the end; before that it advises to run the file's code."""
    lines = str(error).partition('Check the documentation')[0].split('\n')
    last = next((line.strip() for line in reversed(lines) if line.strip()), 'no reason given')
    return last.rpartition('WeightsUnpickler error: ')[2].split('. ')[0].rstrip('.')


def _strip(tensors: StateDict, path: Path, encoder_prefixes: Sequence[str]) -> StateDict:
    """Takes wrapper prefixes off and keeps the encoder alone where the keys mark one."""
    changed = True
    while changed:
        changed = False
        for prefix in WRAPPER_PREFIXES:
            if all(key.startswith(prefix) for key in tensors):
                tensors, changed = {key[len(prefix) :]: value for key, value in tensors.items()}, True
        for prefix in encoder_prefixes:
            inside = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
            if inside:
                outside = [key for key in tensors if not key.startswith(prefix)]
                if outside:
                    print_log(
                        f'{path.name}: kept {len(inside)} tensors under {prefix!r}, left out {len(outside)} others '
                        f'({_some(outside)}).',
                        logger='current',
                    )
                tensors, changed = inside, True
    return tensors


def load_strictly(network: nn.Module, state: StateDict, source: str) -> None:
    """Loads ``state`` into ``network`` if every name and shape agrees.

    ``num_batches_tracked`` may be absent on either side: it counts steps and has no effect on a frozen network.

    Args:
        network: The module to fill.
        state: Names to tensors.
        source: What to call the file in the error.

    Raises:
        ValueError: names the missing, unexpected and misshapen keys, and the file; nothing was loaded.
    """
    own = network.state_dict()
    missing = [key for key in own if key not in state and not key.endswith('num_batches_tracked')]
    unexpected = [key for key in state if key not in own and not key.endswith('num_batches_tracked')]
    misshapen = [
        f'{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}'
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if missing or unexpected or misshapen:
        faults = [
            f'{len(keys)} {what} ({_some(keys)})'
            for what, keys in (('missing', missing), ('unexpected', unexpected), ('misshapen', misshapen))
            if keys
        ]
        raise ValueError(
            f'{source} does not fit {type(network).__name__}: {"; ".join(faults)}. Check model and model_args.'
        )
    network.load_state_dict(state, strict=False)  # strict was settled above, num_batches_tracked aside


def _some(keys: Sequence[str], count: int = 4) -> str:
    return ', '.join(keys[:count]) + (', ...' if len(keys) > count else '')


def misfits(own: dict[str, Tensor], saved: dict[str, Tensor], prefix: str | None = None) -> Iterator[str]:
    """What keeps saved weights from filling a network's own, one phrase per key; counters of BN may be missing.

    Args:
        own: The network's weights.
        saved: Those of a file.
        prefix: Saved names that begin so and are not the network's own are misfits, too: a deeper ResNet of the same
            kind has all weights of a shallower one.
    """
    for key, value in own.items():
        if key not in saved:
            if not key.endswith('num_batches_tracked'):
                yield f'it has no {key}'
        elif not isinstance(saved[key], Tensor):
            yield f'{key} is no tensor there but a {type(saved[key]).__name__}'
        elif saved[key].shape != value.shape:
            yield f'{key} is {tuple(saved[key].shape)} there and {tuple(value.shape)} here'
    if prefix is not None:
        yield from (f'it has {key} besides' for key in saved if key.startswith(prefix) and key not in own)
