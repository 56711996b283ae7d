"""Faults of mmengine in loading weights that do not fit, or fit in part only."""

from collections.abc import Callable, Mapping
from typing import Any

from . import checkpoints
from .archives import UnusableCheckpoint
from .replacing import replace


def apply() -> None:
    """Mends what is below, each only where it is present."""
    refuse_weights_that_do_not_fit()


def refuse_weights_that_do_not_fit() -> None:
    """mmengine (all versions): weights whose name or shape is another stay random, and the log alone says so.

    ``load_from``, ``--resume``, ``init_cfg`` and ``pretrained`` come through here. Of a file none of whose weights
    fits, and of a backbone that is not filled completely, an error is made; a head may be new or of other classes, and
    a file may hold more than its network wants. No date to go.
    """
    import mmengine.runner
    from mmengine.model import BaseTTAModel, is_model_wrapper
    from mmengine.runner import checkpoint

    def make(original: Callable) -> Callable:
        def load_state_dict(module: Any, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
            network = module
            while is_model_wrapper(network) or isinstance(network, BaseTTAModel):  # as the original does
                network = network.module
            own = network.state_dict()
            _refuse_if_nothing_fits(type(network).__name__, own, state_dict)
            backbone = own if '.backbones.' in type(network).__module__ else {
                key: value for key, value in own.items() if key.startswith('backbone.')}
            suspects = {key: value.clone() for key, value in backbone.items()
                        if value.is_floating_point() and not _fits(value, state_dict.get(key))}
            try:
                result = original(module, state_dict, *args, **kwargs)
            except ValueError as error:  # of a network that is strict itself
                raise UnusableCheckpoint(f'{checkpoints.last_loaded()}: {error}') from None
            # Some networks adapt what they load, such as position embeddings: what is as before was not filled.
            unfilled = [key for key, value in suspects.items() if own[key].equal(value)]
            if not suspects and backbone is not own:  # a deeper network has all weights of a shallower one
                unfilled = [key for key in state_dict if key.startswith('backbone.') and key not in own]
            if unfilled:
                raise UnusableCheckpoint(_describe(type(network).__name__, unfilled, own, state_dict))
            return result
        return load_state_dict

    replace(checkpoint, 'load_state_dict', make)
    mmengine.runner.load_state_dict = checkpoint.load_state_dict


def _refuse_if_nothing_fits(name: str, own: Mapping, saved: Mapping) -> None:
    if not own or any(_fits(own[key], value) for key, value in saved.items() if key in own):
        return
    bare = any(f'backbone.{key}' in own for key in saved)
    raise UnusableCheckpoint(
        f'{checkpoints.last_loaded()}: none of its {len(saved)} weights fits {name} in name and shape (it has '
        f'{_first(saved)}, wanted is {_first(own)}): ' +
        ('it holds the backbone alone, for backbone.pretrained; give the training checkpoint, or the published file '
         'that is not named "_backbone"' if bare else 'check the file and the prefix of init_cfg'))


def _describe(name: str, unfilled: list[str], own: Mapping, saved: Mapping) -> str:
    key = unfilled[0]
    here, there = (f'{tuple(weights[key].shape)}' if key in weights else 'nothing' for weights in (own, saved))
    others = f' ({len(unfilled) - 1} others do not fit either)' if unfilled[1:] else ''
    return (f'{checkpoints.last_loaded()} does not fit the backbone of {name}: {key} is {there} in the file and {here} '
            f'in the network{others}: it is of another depth, width or kind; set model.backbone to what it was trained '
            'with, _delete_=True in it drops what a base config says of its own')


def _fits(own: object, saved: object) -> bool:
    return getattr(saved, 'shape', None) == own.shape


def _first(state_dict: Mapping) -> str:
    return next((f'{key!r} {tuple(getattr(value, "shape", ()))}' for key, value in state_dict.items()), 'nothing')
