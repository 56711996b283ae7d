"""What features are of, so that stored ones are used again for the same network and videos only."""

import hashlib
import json
import os
from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Where weights and videos lie says nothing of what they are: their content is looked at instead.
PLACES = ('init_cfg', 'pretrained', 'checkpoint', 'root', 'ann_file', 'data_prefix')


def network_identity(model: nn.Module, config: dict) -> dict:
    """A network by its weights and its config without paths.

    Args:
        model: The network, loaded. A model whose weights are not in its state dict says what they are by a method
            ``identity()``, which returns JSON values.
        config: What it was built from.
    """
    about = dict(weights=digest_weights(model.state_dict()), config=without_places(config))
    return {**about, 'own': model.identity()} if hasattr(model, 'identity') else about


def digest_weights(weights: dict[str, Tensor]) -> str:
    """SHA-256 of names, types and values; BN's step counters, which published files lack, are left out."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        if not name.endswith('num_batches_tracked'):
            digest.update(f'{name} {value.dtype} {tuple(value.shape)}'.encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def teacher_identity(config: dict) -> dict:
    """A teacher by its config alone: its weights by their name, and not how it is called and fed.

    Args:
        config: What it would be built from.
    """
    checkpoint = config.get('checkpoint')
    about = dict(without_places(config), pretrained=config.get('pretrained'),
                 checkpoint=os.path.basename(checkpoint) if checkpoint else None)
    return {key: value for key, value in about.items() if key not in ('name', 'chunk_size')}


def without_places(config: object) -> object:
    """A config as JSON values, without the keys in ``PLACES``; an object stands for its class."""
    if isinstance(config, dict):
        return {str(key): without_places(value) for key, value in config.items() if key not in PLACES}
    if isinstance(config, (list, tuple)):
        return [without_places(value) for value in config]
    return config if config is None or isinstance(config, (str, int, float)) else type(config).__name__


def digest_lines(lines: Iterable[str]) -> str:
    """SHA-256 of text."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()


def folder_name(identity: dict) -> str:
    """A short name that is a function of an identity."""
    return digest_lines([json.dumps(identity, sort_keys=True)])[:12]
