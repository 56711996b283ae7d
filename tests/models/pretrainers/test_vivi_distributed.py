"""VIVI in two processes: gradients, steps and logged figures are those of one with the whole batch."""

import pytest
import torch
from mmengine.dist import get_world_size
from mmengine.optim import OptimWrapper

from iboot_mm.engine.model_wrapper import DistributedPretrainer

from ...distributed import run_in_processes
from . import toy_shots

STEPS = 2


def gradients(form, rank=0):
    """What one backward pass leaves, and the figures to log."""
    world_size = get_world_size()
    model = toy_shots.build(form)
    views = toy_shots.views(model).chunk(world_size)[rank]
    network = DistributedPretrainer(model) if world_size > 1 else model
    figures = network(views, mode='loss')
    model.parse_losses(figures)[0].backward()
    return dict(figures={key: value.detach() for key, value in figures.items()},
                gradients={name: parameter.grad.clone() for name, parameter in model.named_parameters()})


def steps(form, rank=0, norm='gn'):
    """Weights after a few optimizer steps."""
    world_size = get_world_size()
    model = toy_shots.build(form, norm)
    network = DistributedPretrainer(model, sync_bn=norm == 'bn') if world_size > 1 else model
    optim_wrapper = OptimWrapper(torch.optim.SGD(network.parameters(), lr=.5, momentum=.9))
    for step in range(STEPS):
        data = toy_shots.batch(step, num_shots=model.num_shots)
        network.train_step(dict(data, inputs=data['inputs'].chunk(world_size)[rank]), optim_wrapper)
    return model.state_dict()


def run(rank, world_size, folder):
    found = {form: dict(gradients(form, rank), state=steps(form, rank)) for form in toy_shots.FORMS}
    torch.save(dict(found, bn=steps('ex_2', rank, 'bn')), f'{folder}/{rank}.pt')


@pytest.fixture(scope='module')
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ranks')
    run_in_processes(run, 2, str(folder))
    return [torch.load(folder / f'{rank}.pt') for rank in range(2)]


@pytest.mark.parametrize('form', toy_shots.FORMS)
def test_gradients_of_all_parameters(ranks, form):
    whole = gradients(form)
    for name, gradient in whole['gradients'].items():
        assert gradient.abs().max() > 0, f'{name} has no gradient: nothing would be compared'
        for rank in ranks:
            torch.testing.assert_close(rank[form]['gradients'][name], gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('form', toy_shots.FORMS)
def test_logged_figures_average_to_those_of_the_whole_batch(ranks, form):
    for name, value in gradients(form)['figures'].items():
        if not name.startswith('spread'):  # of a rank's own shots
            mean = (ranks[0][form]['figures'][name] + ranks[1][form]['figures'][name]) / 2
            torch.testing.assert_close(mean, value)


@pytest.mark.parametrize('form', toy_shots.FORMS)
def test_steps_equal_those_of_the_whole_batch(ranks, form):
    start = toy_shots.build(form).state_dict()
    for key, value in steps(form).items():
        assert not torch.equal(value, start[key]), f'{key} did not move: nothing would be compared'
        torch.testing.assert_close(ranks[0][form]['state'][key], value, rtol=1e-4, atol=1e-6)
        assert torch.equal(ranks[0][form]['state'][key], ranks[1][form]['state'][key])


def test_steps_with_bn_leave_equal_weights_on_all_ranks(ranks):
    start = toy_shots.build('ex_2', 'bn').state_dict()
    for key, value in ranks[0]['bn'].items():
        if not key.endswith(('running_mean', 'running_var')):  # each rank's own until evaluation
            assert torch.equal(value, ranks[1]['bn'][key]) and not torch.equal(value, start[key])
