"""The ring of keys against a list; several processes: test_distributed.py."""

import pytest
import torch

from iboot_mm.models.modules.key_queue import KeyQueue


def keys_of(step, views, videos, dim=3):
    return torch.randn(views, videos, dim, generator=torch.Generator().manual_seed(step))


@pytest.mark.parametrize('views, videos', [(1, 4), (2, 3), (3, 3), (2, 5)])
def test_the_newest_keys_stay(views, videos):
    queue = KeyQueue(10, 3)
    newest = list(queue.keys.clone())  # the oldest first
    for step in range(7):
        keys = keys_of(step, views, videos)
        queue.enqueue(keys)
        newest = (newest + [keys[v, n] for v in range(views) for n in range(videos)])[-10:]
        oldest = queue.pointer.item()
        assert oldest == (step + 1) * views * videos % 10
        assert torch.equal(queue.keys.roll(-oldest, dims=0), torch.stack(newest))


def test_begins_with_directions():
    queue = KeyQueue(2000, 3)
    torch.testing.assert_close(queue.keys.norm(dim=1), torch.ones(2000))
    assert queue.keys.mean(0).abs().max() < .1
    assert queue.pointer == 0 and not list(queue.parameters())


def test_state_dict_continues():
    queue, resumed = KeyQueue(10, 3), KeyQueue(10, 3)
    queue.enqueue(keys_of(0, 2, 4))
    resumed.load_state_dict(queue.state_dict())
    for each in (queue, resumed):
        each.enqueue(keys_of(1, 2, 4))
    assert set(queue.state_dict()) == {'keys', 'pointer'}
    assert all(torch.equal(value, resumed.state_dict()[key]) for key, value in queue.state_dict().items())


def test_half_precision_and_gradients_stop_here():
    queue = KeyQueue(4, 3)
    queue.enqueue(keys_of(0, 1, 2).bfloat16().requires_grad_())
    assert queue.keys.dtype == torch.float32 and not queue.keys.requires_grad


def test_more_keys_than_places_are_refused():
    queue = KeyQueue(7, 3)
    before = queue.keys.clone()
    with pytest.raises(ValueError, match='one step makes 8 keys, but the queue holds 7: raise model.queue_size'):
        queue.enqueue(keys_of(0, 2, 4))
    assert torch.equal(queue.keys, before) and queue.pointer == 0
