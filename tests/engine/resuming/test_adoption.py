"""A resumed run is the run that was never stopped, in another split of its batch and with other settings."""

import re
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from iboot_mm.models.modules.momentum import MomentumCopy

from ...distributed import run_in_processes
from .. import toy

EPOCHS, STEPS = 5, 6
WARMUP_AND_COSINE = [
    dict(type='LinearLR', start_factor=.01, by_epoch=True, begin=0, end=3, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=3, end=EPOCHS, convert_to_iter_based=True)]
SCHEDULES = dict(
    warmup_and_cosine=WARMUP_AND_COSINE,
    warmup_cosine=[dict(type='WarmupCosineLR', start_factor=.1, warmup=3, end=EPOCHS, convert_to_iter_based=True)],
    of_steps=[dict(type='LinearLR', start_factor=.1, by_epoch=False, begin=0, end=17),
              dict(type='PolyLR', power=2., by_epoch=False, begin=17)],
    of_epochs=[dict(type='LinearLR', start_factor=.1, by_epoch=False, begin=0, end=8),
               dict(type='MultiStepLR', milestones=[2, 4], by_epoch=True)])


@MODELS.register_module(force=True)
class ToyMomentum(toy.ToyModel):
    """Has a momentum copy."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.momentum = MomentumCopy(self.backbone, base=.9)
        self.progress = []
        update = self.momentum.update

        def noted(online, progress):
            self.progress.append(progress)
            update(online, progress)

        self.momentum.update = noted

    @property
    def online(self):
        return self.backbone


def train(folder, accumulation=1, resume=None, hooks=(), **changes):
    """A run of 5 epochs of 6 steps, with a momentum copy unless ``changes`` say otherwise."""
    changes.setdefault('model', dict(type='ToyMomentum'))
    changes.setdefault('param_scheduler', WARMUP_AND_COSINE)
    changes.setdefault('randomness', dict(seed=0))
    config = toy.toy_config(folder, load_from=resume and str(resume), resume=resume is not None, **changes)
    config['train_cfg'].update({'max_epochs': EPOCHS, **changes.get('train_cfg', {})})
    config['train_dataloader']['batch_size'] = 4 // accumulation
    if config['model']['type'] == 'ToyMomentum':
        config['custom_hooks'] = [*config['custom_hooks'], dict(type='MomentumUpdateHook')]
    config['default_hooks']['checkpoint']['max_keep_ckpts'] = -1
    runner = Runner.from_cfg(Config(config))
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def rates(folder, accumulation=1):
    """Learning rate of each optimizer step."""
    record = torch.load(Path(folder) / 'record_0.pt')
    return [step['lr'] for step in record[accumulation - 1::accumulation]]


@pytest.mark.parametrize('schedule', SCHEDULES)
def test_the_learning_rate_of_a_step_is_that_of_any_split(tmp_path, schedule):
    changes = dict(param_scheduler=SCHEDULES[schedule], model=dict(type='ToyModel'))
    for accumulation in (1, 4):
        train(tmp_path / str(accumulation), accumulation, **changes)
    whole = rates(tmp_path / '1')
    assert rates(tmp_path / '4', 4) == whole and len(whole) == EPOCHS * STEPS and len(set(whole)) > 5
    for before, after in ((1, 4), (4, 1)):
        folder = tmp_path / f'{before} to {after}'
        train(folder, after, tmp_path / str(before) / 'epoch_2.pth', **changes)
        assert rates(folder, after) == whole[2 * STEPS:]
        saved, wanted = (torch.load(path / 'epoch_5.pth') for path in (folder, tmp_path / str(after)))
        assert saved['meta']['iter'] == wanted['meta']['iter'] == EPOCHS * STEPS * after
        assert saved['param_schedulers'] == wanted['param_schedulers']


@pytest.mark.parametrize('before, after', [(1, 4), (4, 1)])
def test_another_split_goes_on_as_if_never_stopped(tmp_path, before, after):
    """Weights, momentum buffers and momentum copy to float32's rounding; progress of the momentum exactly."""
    whole = train(tmp_path / 'whole', after)
    train(tmp_path / 'before', before)
    resumed = train(tmp_path / 'after', after, tmp_path / 'before' / 'epoch_2.pth')
    assert resumed.model.progress == whole.model.progress[2 * STEPS:]
    assert resumed.model.momentum.steps == whole.model.momentum.steps == EPOCHS * STEPS
    assert (resumed.iter, resumed.epoch) == (whole.iter, whole.epoch)
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    lines = [file.read_text().splitlines() for file in (tmp_path / 'after').glob('*/vis_data/scalars.json')]
    assert f'"iter": {2 * STEPS * after + 2}' in lines[0][0] and '"epoch": 3' in lines[0][0]


def resume_in_process(rank, world_size, before, after):
    train(Path(after), 1, Path(before), launcher='pytorch', train_dataloader=dict(
        batch_size=2, num_workers=0, dataset=dict(type='ToyVideos'), sampler=dict(type='EpochSampler')))


def test_from_one_process_to_two_and_back(tmp_path):
    train(tmp_path / 'one')
    run_in_processes(resume_in_process, 2, str(tmp_path / 'one' / 'epoch_2.pth'), str(tmp_path / 'two'))
    train(tmp_path / 'back', 4, tmp_path / 'two' / 'epoch_4.pth')
    wanted = torch.load(tmp_path / 'one' / 'epoch_5.pth')['state_dict']
    for folder in ('two', 'back'):
        found = torch.load(tmp_path / folder / 'epoch_5.pth')['state_dict']
        for name, value in wanted.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    assert rates(tmp_path / 'two') == rates(tmp_path / 'one')[2 * STEPS:]
    assert rates(tmp_path / 'back', 4) == rates(tmp_path / 'one')[4 * STEPS:]


def test_a_checkpoint_of_an_earlier_version_that_was_resumed_with_another_split(tmp_path):
    """Its iterations are a sum of two units; its epochs count."""
    train(tmp_path / 'whole', 4)
    checkpoint = torch.load(tmp_path / 'whole' / 'epoch_2.pth')
    del checkpoint['meta']['run']
    for iteration in (STEPS + 4 * STEPS, 20 * STEPS):
        checkpoint['meta']['iter'] = iteration
        torch.save(checkpoint, tmp_path / 'mixed.pth')
        assert train(tmp_path / str(iteration), 1, tmp_path / 'mixed.pth').iter == EPOCHS * STEPS
        assert rates(tmp_path / str(iteration)) == rates(tmp_path / 'whole', 4)[2 * STEPS:]


@pytest.mark.parametrize('changes', [
    dict(optim_wrapper=dict(optimizer=dict(type='LARS', lr=.1, momentum=.9, weight_decay=1e-4))),
    dict(param_scheduler=[dict(WARMUP_AND_COSINE[0], end=4), dict(WARMUP_AND_COSINE[1], begin=4)]),
    dict(train_cfg=dict(max_epochs=9), param_scheduler=[WARMUP_AND_COSINE[0], dict(WARMUP_AND_COSINE[1], end=9)]),
    dict(param_scheduler=None)], ids=['rate', 'warm-up', 'length', 'none'])
def test_rate_and_length_are_the_configs(tmp_path, changes, caplog):
    """The schedule of the new config, at the progress of the old run."""
    train(tmp_path / 'before')
    train(tmp_path / 'after', 1, tmp_path / 'before' / 'epoch_2.pth', **changes)
    train(tmp_path / 'wanted', **changes)
    assert rates(tmp_path / 'after') == rates(tmp_path / 'wanted')[2 * STEPS:] != rates(tmp_path / 'before')[2 * STEPS:]
    groups = torch.load(next((tmp_path / 'after').glob('epoch_*.pth')))['optimizer']['param_groups']
    decay = changes.get('optim_wrapper', {}).get('optimizer', {}).get('weight_decay', 1e-6)
    assert [group['weight_decay'] for group in groups] == [decay]


def test_what_differs_is_told(tmp_path):
    train(tmp_path / 'before')
    train(tmp_path / 'after', 4, tmp_path / 'before' / 'epoch_2.pth', model=dict(type='ToyMomentum', scale=2.),
          param_scheduler=[dict(WARMUP_AND_COSINE[0], end=4), WARMUP_AND_COSINE[1]])
    log = next((tmp_path / 'after').glob('*/*.log')).read_text()
    assert re.search(r'WARNING - What differs from the run of \S+epoch_2.pth; from here on the config counts:\n'
                     r'  model.scale: absent -> 2.0\n  param_scheduler.0.end: 3 -> 4\n', log)


@pytest.mark.parametrize('changes, message', [
    (dict(optim_wrapper=dict(optimizer=dict(type='LARS', lr=.4, momentum=.8))),
     r'optim_wrapper\.optimizer\.momentum=0\.9, .* the config says 0\.8: set it back'),
    (dict(optim_wrapper=dict(optimizer=dict(type='AdamW', lr=.4))), r'optimizer of type LARS, .* AdamW: set it back'),
    (dict(optim_wrapper=dict(optimizer=dict(type='LARS', lr=.4, weight_decay=0.),
                             paramwise_cfg=dict(norm_decay_mult=0.))),
     r'other groups of parameters \(1 with \d+ tensors, here \d+ with \d+ tensors\): set model and'),
    (dict(model=dict(type='ToyModel')), r'is of another model \(it has momentum\S+ besides\): set model to'),
    (dict(train_cfg=dict(global_batch=8)), r'with 4 videos per step, this run has 8: set train_cfg\.global_batch=4'),
    (dict(randomness=dict(seed=1)), r'was trained with seed 0, .* is 1: leave it out'),
    (dict(train_cfg=dict(max_epochs=2)), r'has done 3 epochs and train_cfg\.max_epochs is 2: nothing is left'),
], ids=['momentum', 'optimizer', 'groups', 'model', 'batch', 'seed', 'length'])
def test_what_cannot_change_stops_with_its_name(tmp_path, changes, message):
    train(tmp_path / 'before')
    with pytest.raises(ValueError, match=rf'epoch_3\.pth .*{message}') as stop:
        train(tmp_path / 'after', 1, tmp_path / 'before' / 'epoch_3.pth', **changes)
    assert '\n' not in str(stop.value)


class StopAt(Hook):
    """Ends a run after an iteration, as a kill would."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


@pytest.mark.parametrize('accumulation', [1, 2])
def test_stopped_inside_an_epoch_it_is_bit_for_bit_the_run_never_stopped(tmp_path, accumulation):
    """Every step of an epoch, its last included: same videos, draws of dropout, weights, schedules and history."""
    changes = dict(model=dict(type='ToyModel', dropout=.3), randomness=dict(seed=3), train_cfg=dict(max_epochs=3),
                   default_hooks=dict(toy.toy_config(tmp_path)['default_hooks'], checkpoint=dict(
                       type='AtomicCheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=-1)))
    train(tmp_path / 'whole', accumulation, **changes)
    record = torch.load(tmp_path / 'whole' / 'record_0.pt')
    last = 3 * STEPS * accumulation
    wanted = torch.load(tmp_path / 'whole' / f'iter_{last}.pth')
    changes['randomness'] = dict(seed=None)  # the checkpoint's counts
    for step in (STEPS, STEPS + 1, 2 * STEPS - 1, 2 * STEPS):
        done = step * accumulation
        folder = tmp_path / str(done)
        train(folder, accumulation, tmp_path / 'whole' / f'iter_{done}.pth', **changes)
        assert torch.load(folder / 'record_0.pt') == record[done:]
        found = torch.load(folder / f'iter_{last}.pth')
        assert found['meta']['iter'] == last and found['param_schedulers'] == wanted['param_schedulers']
        for name, value in wanted['state_dict'].items():
            assert torch.equal(found['state_dict'][name], value)
        histories = [c['message_hub']['log_scalars']['train/loss'].data[0].tolist() for c in (found, wanted)]
        assert histories[0] == histories[1] and len(histories[0]) == last
