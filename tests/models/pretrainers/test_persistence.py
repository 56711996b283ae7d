"""What the methods of the study share: backward passes one after another, memory, refusals, backbones."""

import copy
import weakref

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import load_state_dict
from torch.optim import SGD

from ..modules.test_features import BACKBONES
from . import toy


def wrap(model, amp=False, accumulation=1):
    optimizer = SGD(model.parameters(), lr=.02)
    if not amp:
        return OptimWrapper(optimizer, accumulative_counts=accumulation)
    wrapper = AmpOptimWrapper(optimizer=optimizer, accumulative_counts=accumulation, dtype='bfloat16',
                              clip_grad=dict(max_norm=.5))
    wrapper.loss_scaler = torch.amp.GradScaler('cpu', init_scale=1024.)  # mmengine's own works on GPUs only
    return wrapper


def in_one_piece(model, data, optim_wrapper):
    """mmengine's own training step: one backward pass through mode ``'loss'``."""
    with optim_wrapper.optim_context(model):
        losses = model(model.data_preprocessor(data, True)['inputs'], mode='loss')
    total, log = model.parse_losses(losses)
    optim_wrapper.update_params(total)
    return log


@pytest.mark.parametrize('method, norm, reduction, amp, accumulation', [
    ('byol', 'gn', 'mean', False, 1), ('byol', 'bn', 'sum', False, 2), ('byol', 'gn', 'mean', True, 1),
    ('moco', 'gn', 'sum', False, 1), ('moco', 'bn', 'mean', False, 2), ('moco', 'gn', 'mean', True, 2)])
def test_steps_equal_those_in_one_piece(method, norm, reduction, amp, accumulation, monkeypatch):
    # mmengine wants a GPU for AMP; autocast knows CPUs.
    monkeypatch.setattr('mmengine.optim.optimizer.amp_optimizer_wrapper.is_cuda_available', lambda: True)
    model = toy.build(method, norm, reduction=reduction)
    whole = copy.deepcopy(model)
    wrappers = [wrap(m, amp, accumulation) for m in (model, whole)]
    # One autocast over all views sums the gradients of its copies of the weights in bfloat16.
    rtol = 1e-2 if amp else 1e-5
    iterations, steps = 5, [0, 0]
    for i, wrapper in enumerate(wrappers):
        wrapper.initialize_count_status(model, 0, iterations)  # of 5 iterations the last makes a step of its own
        wrapper.optimizer.register_step_post_hook(lambda *_, i=i: steps.__setitem__(i, steps[i] + 1))
    for i in range(iterations):
        data = toy.batch(i, rho=3)
        log, expected = model.train_step(data, wrappers[0]), in_one_piece(whole, data, wrappers[1])
        assert log.keys() == expected.keys()
        for key in log:
            torch.testing.assert_close(log[key], expected[key].detach(), rtol=rtol, atol=rtol)
        assert wrappers[0]._inner_count == i + 1
        for a, b in zip(model.parameters(), whole.parameters()):
            assert (a.grad is None) == (b.grad is None)
    assert steps == [-(-iterations // accumulation)] * 2
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, whole.state_dict()[key], rtol=rtol, atol=rtol / 10)


def peak_of_saved_tensors(model, rho):
    """Most bytes that backward passes have waiting at a time in one training step."""
    live, peak = 0, 0

    class Held:
        def __init__(self, tensor):
            self.tensor = tensor

    def release(size):
        nonlocal live
        live -= size

    def pack(tensor):
        nonlocal live, peak
        size = tensor.numel() * tensor.element_size()
        live += size
        peak = max(peak, live)
        held = Held(tensor)
        weakref.finalize(held, release, size)
        return held

    data = toy.batch(videos=16, rho=rho)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda held: held.tensor):
        model.train_step(data, wrap(model))
    assert live == 0
    return peak


@pytest.mark.parametrize('method', toy.METHODS)
def test_memory_over_rho(method):
    options = dict(queue_size=64) if method == 'moco' else {}
    growth = peak_of_saved_tensors(toy.build(method, **options), 4) / peak_of_saved_tensors(
        toy.build(method, **options), 2)
    if method in ('byol', 'moco'):
        assert growth < 1.1  # the targets of two more clips
    else:
        assert 1.9 < growth < 2.1


@pytest.mark.parametrize('method', toy.METHODS)
def test_one_clip_has_nothing_to_compare_with(method):
    model = toy.build(method)
    with pytest.raises(ValueError, match=r'compares clips of a video, and got one: set num_views of SampleViews to rho '
                                         r'\(for rho = 1: num_views=2, same_clip=True\)'):
        model.train_step(toy.batch(rho=1), wrap(model))


@pytest.mark.parametrize('method', toy.METHODS)
def test_a_clip_twice_is_rho_1(method):
    model = toy.build(method)
    data = toy.batch(rho=1)
    data['inputs'] = data['inputs'].repeat(1, 2, 1, 1, 1, 1)
    log = model.train_step(data, wrap(model))
    assert log['loss'].isfinite()
    if method == 'byol':  # what one clip tells of itself
        model = toy.build(method)
        views = model.data_preprocessor(data)['inputs']
        own = torch.nn.functional.cosine_similarity(
            model.predictor(model.embed(views[:, 0])), model.targets(views)[0][0]).mean()
        torch.testing.assert_close(log['cosine'], own.detach())


@pytest.mark.parametrize('method', toy.METHODS)
def test_unknown_options(method):
    with pytest.raises(ValueError, match=r"reduction='max' is unknown: choose 'mean' \(the paper\) or 'sum' \(PySlow"):
        toy.build(method, reduction='max')
    model = toy.build(method)
    with pytest.raises(ValueError, match=f"mode='losses' is unknown to {type(model).__name__}"):
        model(toy.views(model), mode='losses')


@pytest.mark.parametrize('method, options, message', [
    ('byol', dict(predictor=dict(hidden_dim=12, norm=False)), r'predictor.0.weight is \(10, 6\) in the checkpoint and '
     r'\(12, 6\) in the config: set model.predictor and its like to what it was trained with, or load the backbone al'),
    ('moco', dict(queue_size=24), r'queue.keys is \(20, 6\) in the checkpoint and \(24, 6\) in the config: '
     'set model.queue_size and its like'),
    ('swav', dict(num_prototypes=5), r'prototypes.weight is \(9, 6\) in the checkpoint and \(5, 6\) in the '
     'config: set model.num_prototypes')])
def test_a_checkpoint_of_another_head(method, options, message):
    saved = toy.build(method).state_dict()
    with pytest.raises(ValueError, match=message):
        load_state_dict(toy.build(method, **options), saved, strict=False)
    backbone_alone = {key: value for key, value in saved.items() if key.startswith('backbone.')}
    load_state_dict(toy.build(method, **options), backbone_alone, strict=False)


@pytest.mark.parametrize('method', toy.METHODS)
def test_a_network_that_knows_another_normalisation(method):
    model = toy.build(method, normalization=dict(mean=[.45] * 3, std=[.225] * 3))
    clips = toy.views(model)[:, 0]
    torch.testing.assert_close(model.embed(clips), model.online((clips - .45) / .225))


@pytest.mark.parametrize('method', ['byol', 'moco'])
def test_a_copy_that_nobody_updates(method):
    model = toy.build(method)
    model.momentum.attached = False
    with pytest.raises(RuntimeError, match="add dict\\(type='MomentumUpdateHook'\\) to custom_hooks"):
        model.train_step(toy.batch(), wrap(model))


def test_a_promised_width_is_checked():
    model = toy.build('simclr', feature_dim=toy.WIDTH + 1)
    with pytest.raises(ValueError, match='features of width 8, but the config says feature_dim=9: set feature_dim=8'):
        model(toy.views(model), mode='loss')


@pytest.mark.parametrize('name', BACKBONES)
def test_every_backbone_learns(name):
    config, _, width = BACKBONES[name]
    torch.manual_seed(0)
    model = MODELS.build(toy.method_config('byol', 'bn', backbone=config, feature_dim=width))
    model.init_weights()
    model.momentum.attached = True
    clips = torch.randint(0, 256, (4, 2, 3, 8, 32, 32), dtype=torch.uint8)
    log = model.train_step(dict(inputs=clips, data_samples=None), wrap(model, accumulation=2))  # gradients stay
    assert log['loss'].isfinite()
    missing = [key for key, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert [key for key in missing if 'fc_norm' not in key] == []  # VideoMAE's, for its class token only
    assert all(p.grad is None for p in model.momentum.parameters())
