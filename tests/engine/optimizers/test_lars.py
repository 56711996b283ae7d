"""LARS against the peer's own steps, a float64 restatement, and its edge cases."""

import math

import numpy as np
import pytest
import torch
from mmaction.registry import OPTIMIZERS
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.optim.sgd import sgd

from iboot_mm.engine.optimizers import LARS

NAMES = ('conv.weight', 'bn.weight', 'bn.bias', 'fc.weight', 'fc.bias', 'zero.weight')


def reference_step(param, grad, buffer, lr, momentum, weight_decay, trust=1e-3, eps=1e-8, nesterov=False):
    """One tensor's step in float64, straight from the peer's formula; returns the new weights and buffer."""
    update = grad
    if param.ndim > 1:
        p_norm, g_norm = np.linalg.norm(param), np.linalg.norm(grad)
        if p_norm > 0 and g_norm > 0:
            update = (grad + weight_decay * param) * trust * p_norm / (g_norm + weight_decay * p_norm + eps)
    buffer = momentum * buffer + update
    return param - lr * (update + momentum * buffer if nesterov else buffer), buffer


def test_equals_the_peers_golden_steps(shared):
    golden = np.load(shared / 'golden' / 'lars_nesterov1.npz')
    params = {name: nn.Parameter(torch.tensor(golden[f'p0.{name}'])) for name in NAMES}
    optimizer = LARS([dict(params=[p for n, p in params.items() if not n.startswith('bn')]),
                      dict(params=[params['bn.weight'], params['bn.bias']], lars_exclude=True)],
                     lr=1., momentum=float(golden['momentum']), weight_decay=float(golden['wd']),
                     trust=float(golden['trust']), eps=float(golden['eps']), nesterov=bool(golden['nesterov']))
    for step, lr in enumerate(golden['lrs']):
        for group in optimizer.param_groups:
            group['lr'] = float(lr)
        for name, param in params.items():
            param.grad = torch.tensor(golden[f'g{step}.{name}'])
        optimizer.step()
        for name, param in params.items():
            np.testing.assert_allclose(param.detach().numpy(), golden[f'p{step + 1}.{name}'], rtol=0, atol=1e-6,
                                       err_msg=f'{name} after step {step + 1}')


@pytest.mark.parametrize('nesterov', [False, True])
def test_equals_float64_over_warm_up_and_cosine(nesterov):
    generator = np.random.default_rng(0)
    shapes = [(8, 4, 3, 3, 3), (16, 8), (16,), (1, 8)]
    weights = [generator.normal(size=shape).astype(np.float32) for shape in shapes]
    params = [nn.Parameter(torch.tensor(w)) for w in weights]
    settings = dict(momentum=.9, weight_decay=1e-3, nesterov=nesterov)
    optimizer = LARS(params, lr=1., **settings)
    exact = [(w.astype(np.float64), np.zeros(w.shape)) for w in weights]
    steps, warm_up = 120, 20
    for step in range(steps):
        lr = 3.9 * (step / warm_up if step < warm_up else (1 + math.cos(
            math.pi * (step - warm_up) / (steps - warm_up))) / 2)
        optimizer.param_groups[0]['lr'] = lr
        grads = [generator.normal(size=shape).astype(np.float32) * .1 for shape in shapes]
        for param, grad in zip(params, grads):
            param.grad = torch.tensor(grad)
        optimizer.step()
        exact = [reference_step(w, g.astype(np.float64), b, lr, **settings) for (w, b), g in zip(exact, grads)]
    for param, (weight, _) in zip(params, exact):
        scale = np.abs(weight).max()
        np.testing.assert_allclose(param.detach().numpy() / scale, weight / scale, rtol=0, atol=5e-6)


def step_once(weight, grad, **settings):
    param = nn.Parameter(torch.tensor(weight))
    param.grad = torch.tensor(grad)
    LARS([dict(params=[param], **settings.pop('group', {}))], lr=.5, momentum=0., **settings).step()
    return param.detach()


def test_zero_weight_takes_the_raw_gradient():
    assert step_once([[0., 0.]], [[1., -2.]], weight_decay=.1).tolist() == [[-.5, 1.]]


def test_zero_gradient_moves_nothing_not_even_by_decay():
    assert step_once([[3., 4.]], [[0., 0.]], weight_decay=.1).tolist() == [[3., 4.]]


def test_trust_ratio_in_closed_form():
    # |p| = 5, |g| = 2: the step is lr * trust * 5 / 2 along the gradient, whatever the gradient's length.
    once = step_once([[3., 4.]], [[0., 2.]], trust=.01)
    torch.testing.assert_close(once, torch.tensor([[3., 4. - .5 * .01 * 5]]))
    torch.testing.assert_close(step_once([[3., 4.]], [[0., 200.]], trust=.01), once, rtol=0, atol=1e-6)


@pytest.mark.parametrize('weight, group', [([3., 4.], {}), ([[3., 4.]], dict(lars_exclude=True))])
def test_biases_and_excluded_groups_are_plain_sgd_without_decay(weight, group):
    grad = (np.array([0., 2.]).reshape(np.array(weight).shape)).tolist()
    after = step_once(weight, grad, weight_decay=.1, group=group)
    assert after.flatten().tolist() == [3., 3.]


def test_learning_rate_stays_out_of_the_buffer():
    params = [nn.Parameter(torch.ones(2, 2)) for _ in range(2)]
    for lr, param in zip((1e-3, 10.), params):
        param.grad = torch.full((2, 2), .5)
        optimizer = LARS([param], lr=lr)
        optimizer.step()
        buffer = optimizer.state[param]['momentum_buffer']
        torch.testing.assert_close(buffer, torch.full((2, 2), .5 * 1e-3 * 2 / 1))


def test_state_dict_round_trip_continues_exactly():
    def steps(net, optimizer, first, last):
        for i in range(first, last):
            optimizer.zero_grad()
            net(torch.randn(4, 6, generator=torch.Generator().manual_seed(i))).square().mean().backward()
            optimizer.step()

    def build():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6), nn.Linear(6, 2))
        return net, LARS(net.parameters(), lr=.7, weight_decay=1e-4, nesterov=True)

    net, optimizer = build()
    steps(net, optimizer, 0, 6)
    half_net, half_optimizer = build()
    steps(half_net, half_optimizer, 0, 3)
    resumed_net, resumed_optimizer = build()
    resumed_net.load_state_dict(half_net.state_dict())
    resumed_optimizer.load_state_dict(half_optimizer.state_dict())
    steps(resumed_net, resumed_optimizer, 3, 6)
    for a, b in zip(net.parameters(), resumed_net.parameters()):
        assert torch.equal(a, b)


def test_step_never_reads_a_tensor(monkeypatch):
    # On a GPU each of these waits for all work queued before it.
    param, bias = nn.Parameter(torch.randn(3, 3)), nn.Parameter(torch.randn(3))
    param.grad, bias.grad = torch.randn(3, 3), torch.randn(3)
    optimizer = LARS([param, bias], lr=.1, weight_decay=.1, nesterov=True)

    def forbidden(*args):
        raise AssertionError('the optimizer read a tensor')

    for name in ('item', '__bool__', '__float__', '__int__', 'tolist', 'cpu', 'numpy', '__len__'):
        monkeypatch.setattr(torch.Tensor, name, forbidden)
    optimizer.step()


def float64_steps(weight, grads, **settings):
    """Weights after the steps of :func:`reference_step`; tensors and an array of float64."""
    weight, buffer = weight.double().numpy(), np.zeros(weight.shape)
    for grad in grads:
        weight, buffer = reference_step(weight, grad.double().numpy(), buffer, **settings)
    return torch.from_numpy(weight)


def channels_last(weight):
    return weight.to(memory_format=torch.channels_last_3d)


def every_other(weight):
    return weight.repeat_interleave(2, dim=0)[::2]


@pytest.mark.parametrize('lay_weight, lay_grad', [
    (channels_last, torch.Tensor.contiguous), (torch.Tensor.contiguous, channels_last),
    (every_other, torch.Tensor.contiguous), (torch.Tensor.contiguous, every_other)])
@pytest.mark.parametrize('kernel', [(1, 1, 1), (1, 3, 3)])
def test_weights_and_gradients_lie_in_memory_as_they_like(lay_weight, lay_grad, kernel):
    """torch's fused kernels would read them in the wrong order."""
    generator = torch.Generator().manual_seed(0)
    weight, *grads = (torch.randn(8, 4, *kernel, generator=generator) for _ in range(4))
    settings = dict(lr=2., momentum=.9, weight_decay=1e-2, nesterov=True)
    param = nn.Parameter(lay_weight(weight.clone()))
    bias = nn.Parameter(torch.zeros(8))  # a second tensor, of an ordinary layout
    optimizer = LARS([param, bias], **settings)
    for grad in grads:
        param.grad, bias.grad = lay_grad(grad), torch.ones(8)
        optimizer.step()
    torch.testing.assert_close(param.detach().double(), float64_steps(weight, grads, **settings), atol=1e-6, rtol=0)
    assert bias.detach().lt(0).all()


@pytest.mark.parametrize('before, after', [(torch.Tensor.contiguous, channels_last),
                                           (channels_last, torch.Tensor.contiguous)])
def test_a_checkpoint_of_another_layout_goes_on(before, after):
    generator = torch.Generator().manual_seed(0)
    weight, *grads = (torch.randn(8, 4, 1, 3, 3, generator=generator) for _ in range(4))
    settings = dict(lr=2., momentum=.9, weight_decay=1e-2, nesterov=True)
    param = nn.Parameter(before(weight.clone()))
    optimizer = LARS([param], **settings)
    for step, grad in enumerate(grads):
        if step == 2:
            state, param = optimizer.state_dict(), nn.Parameter(after(param.detach().clone()))
            optimizer = LARS([param], **settings)
            optimizer.load_state_dict(state)
        param.grad = grad
        optimizer.step()
    torch.testing.assert_close(param.detach().double(), float64_steps(weight, grads, **settings), atol=1e-6, rtol=0)
    # Else torch's fused kernel would be left for one kernel a tensor, in all further steps.
    assert optimizer.state[param]['momentum_buffer'].stride() == param.stride()


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16, torch.float16])
def test_other_precisions(dtype):
    generator = torch.Generator().manual_seed(0)
    weight, *grads = (torch.randn(16, 8, generator=generator).to(dtype) for _ in range(4))
    settings = dict(lr=20., momentum=.9, weight_decay=1e-2, nesterov=True)
    param = nn.Parameter(weight.clone())
    optimizer = LARS([param], **settings)
    for grad in grads:
        param.grad = grad.clone()
        optimizer.step()
    assert param.dtype == optimizer.state[param]['momentum_buffer'].dtype == dtype
    expected = float64_steps(weight, grads, **settings)
    assert (expected - weight.double()).abs().max() > .1
    # Each step rounds weights of up to 4 and sums of updates of about .1.
    torch.testing.assert_close(param.detach().double(), expected, atol=8 * 4 * torch.finfo(dtype).eps, rtol=0)


@pytest.mark.parametrize('shape', [(6, 4), (6,)])
def test_gradients_stay_as_they_are(shape):
    param = nn.Parameter(torch.ones(shape))
    param.grad = torch.full(shape, 2.)
    optimizer = LARS([param], lr=.1, weight_decay=.1, nesterov=True)
    for _ in range(2):
        optimizer.step()
    assert (param.grad == 2).all()


def whole_copy_step(params, buffers, lr, momentum, weight_decay, trust=1e-3, eps=1e-8):
    """A Nesterov step by one scaled copy of all gradients."""
    grads = [param.grad for param in params]
    norms, grad_norms = (torch.stack(torch._foreach_norm(tensors)) for tensors in (params, grads))
    ratios = trust * norms / (grad_norms + weight_decay * norms + eps)
    ratios = torch.where(grad_norms > 0, torch.where(norms > 0, ratios, 1.), 0.)
    updates = list(torch._foreach_add(grads, params, alpha=weight_decay))
    torch._foreach_mul_(updates, ratios.unbind())
    sgd(params, updates, buffers, fused=True, foreach=False, weight_decay=0., momentum=momentum, lr=lr,
        dampening=0., nesterov=True, maximize=False)


def test_parts_equal_a_copy_of_all_gradients_bit_for_bit(monkeypatch):
    monkeypatch.setattr('iboot_mm.engine.optimizers.lars.WEIGHTS_TOGETHER', 100)
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=generator) for shape in ((8, 9), (4, 3, 2), (2, 2), (30, 7), (3, 3))]
    weights[2].zero_()
    params, copies = ([nn.Parameter(weight.clone()) for weight in weights] for _ in range(2))
    buffers = [torch.zeros_like(weight) for weight in weights]
    settings = dict(lr=.7, momentum=.9, weight_decay=1e-2)
    optimizer, copied, descend = LARS(params, nesterov=True, **settings), [], LARS._descend

    def count(self, of, updates, group):
        copied.append(sum(update.numel() for update in updates))
        descend(self, of, updates, group)

    monkeypatch.setattr(LARS, '_descend', count)
    for step in range(3):
        for param, copy in zip(params, copies):
            param.grad = torch.randn(param.shape, generator=generator) * (step != 1 or param.ndim > 2)
            copy.grad = param.grad.clone()
        optimizer.step()
        with torch.no_grad():
            whole_copy_step(copies, buffers, **settings)
        assert all(torch.equal(a, b) for a, b in zip(params, copies))
    assert copied == 3 * [0, 8 * 9 + 4 * 3 * 2 + 2 * 2, 30 * 7, 3 * 3]  # first the biases, of which there are none


def test_sparse_gradients_are_refused():
    table = nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match='sparse gradients: use dense embeddings'):
        LARS(table.parameters(), lr=.1).step()


def test_group_key_comes_through_mmengine():
    net = nn.ModuleDict(dict(pos_embed=nn.Linear(4, 4), head=nn.Linear(4, 4)))
    wrapper = build_optim_wrapper(net, dict(optimizer=dict(type='LARS', lr=.1), paramwise_cfg=dict(
        custom_keys={'pos_embed': dict(lars_exclude=True)})))
    excluded = {id(p) for group in wrapper.optimizer.param_groups if group['lars_exclude'] for p in group['params']}
    assert excluded == {id(p) for p in net['pos_embed'].parameters()}
    assert OPTIMIZERS.get('LARS') is LARS


@pytest.mark.parametrize('settings, message', [
    (dict(lr=-1.), 'lr must be at least 0, got -1.0'),
    (dict(lr=1., momentum=0., nesterov=True), 'nesterov=True needs a momentum')])
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        LARS([nn.Parameter(torch.ones(1))], **settings)


def test_closure_and_missing_gradients():
    param, unused = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = LARS([param, unused], lr=.1)

    def closure():
        loss = param.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 4
    assert (unused == 1).all() and (param < 1).all()
