"""Reading weight files and loading them strictly: what teachers and inflated backbones share.

Files are only ever read as data: ``torch.load(weights_only=True)`` or safetensors. Every failure is one sentence that
names the file.
"""

import argparse
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

StateDict = dict[str, Tensor]

# Where training scripts put the weights of the network inside a checkpoint.
NESTING_KEYS = ('state_dict', 'model', 'teacher', 'model_state_dict')
WRAPPER_PREFIXES = ('module.', '_orig_mod.')
NETWORK_TIMEOUT = 10  # seconds until a server that doesn't answer counts as out of reach


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
    state = _load_file(path)
    for _ in range(3):
        key = next((key for key in NESTING_KEYS if isinstance(state, dict) and isinstance(state.get(key), dict)), None)
        if key is None:
            break
        state = state[key]
    tensors = (
        {key: value for key, value in state.items() if isinstance(value, Tensor)} if isinstance(state, dict) else {}
    )
    if not tensors:
        raise ValueError(
            f'{path} holds no weights: a state dict, alone or under {", ".join(NESTING_KEYS)}, is expected.'
        )
    tensors = _strip(tensors, path, encoder_prefixes)
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}


def _load_file(path: Path) -> object:
    if path.suffix == '.safetensors':
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise ValueError(f'{path} is not a readable safetensors file ({type(error).__name__}: {error}).') from None
    try:
        # argparse.Namespace: the public DINO and DeiT checkpoints keep their options beside the weights; it is plain
        # data.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # bytes that are no pickle make the unpickler fail in any way
        reason = str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'
        raise ValueError(
            f'{path} can not be read as plain weights, and nothing in it was executed; save its state dict '
            f'with torch.save or as .safetensors ({type(error).__name__}: {reason}).'
        ) from None


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


def fetch_url(url: str) -> Path:
    """A local copy of ``url`` in torch.hub's folder, downloaded if it isn't there yet.

    Raises:
        ConnectionError: says which file to get where, and where to put it.
    """
    target = Path(torch.hub.get_dir(), 'checkpoints', url.rsplit('/', 1)[-1])
    if not target.is_file():
        try:
            with urllib.request.urlopen(url, timeout=NETWORK_TIMEOUT):
                pass  # torch.hub would wait for a dead server without a limit
            target.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(target))
        except (urllib.error.URLError, OSError) as error:
            raise _unreachable(target.name, url, error) from None
    return target


def fetch_from_hub(repo_id: str, filenames: Sequence[str]) -> Path:
    """A local copy of the first of ``filenames`` that a Hugging Face repository has; the local cache is asked first.

    Raises:
        ConnectionError: says which file to get where, and where to put it.
    """
    from huggingface_hub import constants, get_session, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for filename in filenames:
        try:
            return Path(hf_hub_download(repo_id, filename, local_files_only=True))
        except LocalEntryNotFoundError:
            pass
    page = f'{constants.ENDPOINT}/{repo_id}'
    try:
        if constants.HF_HUB_OFFLINE:
            raise ConnectionError('HF_HUB_OFFLINE is set')
        get_session().head(constants.ENDPOINT, timeout=NETWORK_TIMEOUT)  # downloads retry a dead network for a minute
        for filename in filenames:
            try:
                return Path(hf_hub_download(repo_id, filename))
            except EntryNotFoundError as error:
                missing = error
        raise missing
    except Exception as error:  # httpx, requests, OS and hub errors share no base class
        raise _unreachable(filenames[0], page, error) from None


def _unreachable(filename: str, source: str, error: Exception) -> ConnectionError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'
    return ConnectionError(
        f'Can not fetch {filename} from {source} ({type(error).__name__}: {reason}): get it on a machine '
        f"with network, put it anywhere on this one and pass checkpoint='PATH/{os.path.basename(filename)}'."
    )
