"""Prototypes stay in the first epochs and move then, also in a run that is resumed in between."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from iboot_mm.engine.hooks import FreezePrototypesHook

from ...models.pretrainers import toy
from ...models.pretrainers.test_runs import train

KEEP_ALL = dict(checkpoint=dict(type='AtomicCheckpointHook', interval=1))


@HOOKS.register_module(force=True)
class NotePrototypes(Hook):
    """Notes the prototypes before the first and after each step."""

    def before_train(self, runner):
        self.noted = [runner.model.prototypes.weight.detach().clone()]

    def after_train_iter(self, runner, *args, **kwargs):
        self.noted.append(runner.model.prototypes.weight.detach().clone())


def prototypes(folder, epochs, **changes):
    hooks = [dict(type='NotePrototypes'), dict(type='FreezePrototypesHook', epochs=epochs)]
    runner = train(folder, 'swav', custom_hooks=hooks, **changes)
    return next(hook.noted for hook in runner.hooks if isinstance(hook, NotePrototypes))


@pytest.mark.parametrize('epochs', [1, 2])
def test_frozen_then_free(tmp_path, epochs):
    noted = prototypes(tmp_path / 'whole', epochs, default_hooks=KEEP_ALL)
    assert len(noted) == 10
    for frozen in noted[1:1 + 3 * epochs]:  # at most normalised again
        torch.testing.assert_close(frozen, F.normalize(noted[0], dim=1), rtol=0, atol=1e-6)
    for before, after in zip(noted[3 * epochs:-1], noted[3 * epochs + 1:]):
        assert (before - after).abs().max() > 1e-4
    resumed = prototypes(tmp_path / 'resumed', epochs, load_from=str(tmp_path / 'whole' / 'epoch_1.pth'), resume=True,
                         default_hooks=KEEP_ALL)
    assert all(torch.equal(a, b) for a, b in zip(noted[3:], resumed, strict=True))


def test_weight_decay_of_plain_sgd_does_not_move_them(tmp_path):
    noted = prototypes(tmp_path, 1, optim_wrapper=dict(optimizer=dict(type='SGD', lr=1., weight_decay=.1)))
    torch.testing.assert_close(F.normalize(noted[3], dim=1), F.normalize(noted[0], dim=1), rtol=0, atol=1e-6)


def test_iterations_are_no_epochs():
    with pytest.raises(ValueError, match='FreezePrototypesHook counts epochs, and train_cfg does not'):
        FreezePrototypesHook().before_train(SimpleNamespace(train_loop=object(), model=toy.build('swav')))


def test_a_model_without_prototypes(tmp_path):
    with pytest.raises(ValueError, match='FreezePrototypesHook found no prototypes: it is for VideoSwAV; remove it'):
        train(tmp_path, 'simclr', hooks=[dict(type='FreezePrototypesHook')])
