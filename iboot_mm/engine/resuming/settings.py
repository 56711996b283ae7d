"""What a resumed run takes from its checkpoint, and what from its config."""

from ...checkpoints.printed_config import printed_settings

# Options of an optimizer that a run may change on the way; all others made the state that the checkpoint holds.
CHANGEABLE = ('lr', 'weight_decay', 'foreach', 'fused', 'capturable', 'differentiable')
# What a change of is told. How a batch is split and how videos are read is not: it changes no result.
TOLD = ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'train_dataloader')
SILENT = ('train_dataloader.batch_size', 'train_dataloader.num_workers', 'train_dataloader.persistent_workers',
          'train_dataloader.pin_memory', 'train_dataloader.prefetch_factor', 'optim_wrapper.accumulative_counts')


def settle_optimizer(saved: dict, own: dict, file: str) -> None:
    """Gives the optimizer's state in a checkpoint the options of this run's optimizer, in place.

    Args:
        saved: State of the checkpoint.
        own: State of the optimizer, at the rate of the schedule where it goes on.
        file: The checkpoint.

    Raises:
        ValueError: there are other groups, or one differs in an option that can not be changed on the way.
    """
    groups, own_groups = saved['param_groups'], own['param_groups']
    if [len(group['params']) for group in groups] != [len(group['params']) for group in own_groups]:
        raise ValueError(f'{file} was trained with other groups of parameters ({_sizes(groups)}, here '
                         f'{_sizes(own_groups)}): set model and optim_wrapper.paramwise_cfg to what it had')
    if 'base_param_settings' in own:  # mmengine's, from which the groups were made
        saved['base_param_settings'] = own['base_param_settings']
    for there, here in zip(groups, own_groups):
        for name, value in here.items():
            if name == 'params':
                continue
            scheduled = name.startswith('initial_') or f'initial_{name}' in here
            if name in there and not scheduled and name not in CHANGEABLE and not _same(there[name], value):
                raise ValueError(
                    f'{file} was trained with optim_wrapper.optimizer.{name}={there[name]}, which its optimizer state '
                    f'is made with, and the config says {value}: set it back; only the learning rate, its schedule, '
                    'weight_decay and the length can be changed on the way')
            there[name] = value


def _sizes(groups: list[dict]) -> str:
    return f'{len(groups)} with {sum(len(group["params"]) for group in groups)} tensors'


def _same(a: object, b: object) -> bool:
    return list(a) == list(b) if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) else a == b


def changed_settings(old: dict, new: dict) -> list[str]:
    """How the training of two configs differs, a line ``key: old -> new`` each; none if one of them is unknown."""
    if not old or not new:
        return []
    return [f'{key}: {old.get(key, "absent")} -> {new.get(key, "absent")}' for key in sorted({*old, *new})
            if old.get(key, old) != new.get(key, new) and key not in SILENT]


def read_settings(text: str) -> dict:
    """The settings of a printed config that bear on training, see :func:`printed_settings`."""
    return printed_settings(text, TOLD)
