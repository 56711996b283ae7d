"""What is logged is what mmengine logs, and nothing is read from the device before it is wanted."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import HistoryBuffer, MessageHub

from iboot_mm.engine.hooks import DeferredInfoHook
from iboot_mm.engine.hooks.deferred_info import DeferredBuffer

from ...distributed import run_in_processes

NAMES = ('train/loss', 'train/spread', 'train/count')


def outputs(step: int) -> dict:
    weight = torch.tensor(step + .5, requires_grad=True)
    return dict(loss=weight.square(), spread=torch.tensor([step / 3]), count=step)


def hub_after(hook: RuntimeInfoHook, name: str, steps: range, state: dict | None = None) -> MessageHub:
    """What the hook leaves of some steps, begun anew or from a checkpoint."""
    hub = MessageHub.get_instance(name)
    if state is not None:
        hub.load_state_dict(state)
    for step in steps:
        hook.after_train_iter(SimpleNamespace(message_hub=hub), step, outputs=outputs(step))
    return hub


def assert_equal(found: MessageHub, expected: MessageHub) -> None:
    for name in NAMES:
        ours, theirs = (hub.get_scalar(name) for hub in (found, expected))
        for window in (None, 1, 3):
            assert [ours.statistics(kind, window) for kind in ('mean', 'min', 'max')] == [
                theirs.statistics(kind, window) for kind in ('mean', 'min', 'max')]
        assert ours.current() == theirs.current()
        for one, other in zip(ours.data, theirs.data, strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
    assert found.state_dict()['resumed_keys'] == expected.state_dict()['resumed_keys']


def test_the_figures_are_mmengines():
    found = hub_after(DeferredInfoHook(), 'ours', range(7))
    assert_equal(found, hub_after(RuntimeInfoHook(), 'stock', range(7)))
    hub_after(DeferredInfoHook(), 'ours', range(7, 9))  # some were read already
    assert_equal(found, hub_after(RuntimeInfoHook(), 'stock', range(7, 9)))


def test_nothing_is_read_before_it_is_wanted(monkeypatch):
    hub = MessageHub.get_instance('ours')

    def forbidden(*args):
        raise AssertionError('a figure was read')

    with monkeypatch.context() as patched:
        for name in ('item', 'tolist', '__float__', '__bool__', 'cpu', 'numpy'):
            patched.setattr(torch.Tensor, name, forbidden)
        hub_after(DeferredInfoHook(), 'ours', range(4))
        with pytest.raises(AssertionError, match='a figure was read'):
            hub.get_scalar('train/loss').mean(2)
        hub.get_scalar('train/count').mean(2)
    waiting = hub.get_scalar('train/spread').waiting
    assert len(waiting) == 4 and all(step[place].grad_fn is None for step, place in waiting)  # no step's graph is kept


def test_a_checkpoint_holds_mmengines_kind_and_is_gone_on_from(tmp_path):
    torch.save(hub_after(DeferredInfoHook(), 'first', range(4)).state_dict(), tmp_path / 'hub.pth')
    state = torch.load(tmp_path / 'hub.pth', weights_only=True)
    assert {type(buffer) for buffer in state['log_scalars'].values()} == {HistoryBuffer}
    assert_equal(hub_after(DeferredInfoHook(), 'resumed', range(4, 9), state),
                 hub_after(RuntimeInfoHook(), 'stock', range(9)))


def test_the_oldest_are_dropped():
    buffer = DeferredBuffer(max_length=3)
    buffer.waiting += [([torch.tensor(float(value))], 0) for value in range(5)]
    assert buffer.data[0].tolist() == [2., 3., 4.] and buffer.data[1].tolist() == [1, 1, 1]
    buffer.update(7.)
    assert buffer.mean() == pytest.approx(14 / 3)


def log_of_one_rank(rank: int, world_size: int, folder: str) -> None:
    """Steps whose figures differ by rank; process 0 alone reads in between, as it does for a checkpoint."""
    hub, hook = MessageHub.get_instance('ranks'), DeferredInfoHook()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch.distributed.Work, 'wait', lambda *args: pytest.fail('a step waited'))
        for step in range(3):
            figures = dict(loss=torch.tensor(step + rank / 2), count=torch.tensor([4 * rank]), lr=.1 * (rank + 1))
            hook.after_train_iter(SimpleNamespace(message_hub=hub), step, outputs=figures)
    if rank == 0:
        torch.save(hub.state_dict(), f'{folder}/hub.pth')
    hook.after_train_iter(SimpleNamespace(message_hub=hub), 3, outputs=dict(loss=torch.tensor(rank / 2)))
    logged = {name: hub.get_scalar(f'train/{name}').data[0].tolist() for name in ('loss', 'count', 'lr')}
    assert logged == dict(loss=[.25, 1.25, 2.25, .25], count=[2, 2, 2], lr=3 * [.1 * (rank + 1)])


def test_the_mean_over_processes_is_logged_and_no_step_waits(tmp_path):
    run_in_processes(log_of_one_rank, 2, str(tmp_path))
    saved = torch.load(tmp_path / 'hub.pth', weights_only=True)['log_scalars']['train/loss']
    assert saved.data[0].tolist() == [.25, 1.25, 2.25]
