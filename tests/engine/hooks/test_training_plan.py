"""What is printed before training and once measured."""

import inspect
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.optim.scheduler import CosineAnnealingLR, LinearLR, StepLR
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset

from iboot_mm.datasets.transforms import SampleShots, SampleViews
from iboot_mm.engine.batch_plan import BatchPlan
from iboot_mm.engine.hooks.training_plan import (
    check_clusters,
    check_shots,
    check_whole_batches,
    describe_bn,
    describe_others,
    describe_schedule_end,
    peak_memory_gib,
)
from iboot_mm.engine.samplers import EndlessSampler, EpochSampler
from iboot_mm.models.modules.clusters import TargetClusters

from .. import toy


def train_and_read_log(folder, **changes):
    config = toy.toy_config(folder, log_level='INFO', **changes)
    config['custom_hooks'] = [dict(type='TrainingPlanHook', skip=1, measure=3)]
    Runner.from_cfg(Config(config)).train()
    return next(folder.glob('*/*.log')).read_text()


def test_plan_and_measurement(tmp_path):
    log = train_and_read_log(tmp_path, model=dict(type='ToyModel', norm='bn'), train_dataloader=dict(
        batch_size=2, num_workers=0, dataset=dict(type='ToyVideos'), sampler=dict(type='EpochSampler')))
    assert '1 x 2 x 2 = 4 videos per step' in log
    assert 'learning rate  0.4 at its peak (LARS)' in log
    assert '3 epochs of 6 steps over 24 videos' in log
    assert 'BN sees        2 videos together' in log and 'differs from the paper' in log
    assert 'First iteration done after' in log and '; 35 to go' in log
    assert re.search(r'Epoch\(train\).* memory: \d', log)
    assert log.index('Training plan') < log.index('Epoch(train)')
    measured = re.findall(r'Measured: .*', log)
    assert len(measured) == 1 and re.search(r's per iteration, 0:00:\d\d per epoch, .*GiB per process', measured[0])


@pytest.mark.parametrize('batch_size', [4, 2])
@pytest.mark.parametrize('epochs, end', [(2, 3), (5, 3), (3, 3)])
def test_a_schedule_that_ends_elsewhere_is_told(tmp_path, batch_size, epochs, end):
    log = train_and_read_log(tmp_path, train_cfg=dict(max_epochs=epochs), train_dataloader=dict(
        batch_size=batch_size, num_workers=0, dataset=dict(type='ToyVideos', length=4),
        sampler=dict(type='EpochSampler')))
    told = re.findall(r'WARNING - training ends .*', log)
    assert told == [] if epochs == end else re.search(
        rf'after {epochs} epochs, the schedule .*\(CosineAnnealingLR\) after {end}: .*param_scheduler\.1\.end={epochs} '
        'too$', told[0])


def test_schedules_without_an_end():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.)
    warmup = LinearLR(optimizer, begin=0, end=8, by_epoch=True)
    for schedulers in (None, [], [warmup], [warmup, StepLR(optimizer, step_size=2)]):
        assert describe_schedule_end(schedulers, 20, 5) is None
    assert 'after 10:' in describe_schedule_end([warmup, CosineAnnealingLR(optimizer, end=50, by_epoch=False)], 7, 5)


def test_a_run_of_one_iteration_per_epoch_is_measured(tmp_path):
    log = train_and_read_log(tmp_path, train_dataloader=dict(
        batch_size=4, num_workers=0, dataset=dict(type='ToyVideos', length=5), sampler=dict(type='EpochSampler')))
    assert 'BN sees' not in log  # GroupNorm
    assert len(re.findall('Measured: ', log)) == 1


def test_what_differs_from_the_paper():
    lines = describe_bn(BatchPlan(8, 26, 2), 8)
    assert 'BN sees        208 videos together (synchronised)' in lines[0]
    assert 'whole batch of 416, which needs 32 x 13 or 8 x 52 (GPUs x videos)' in lines[1]
    for paper in (BatchPlan(32, 13, 1), BatchPlan(8, 52, 1)):
        assert describe_bn(paper, paper.processes) == ['BN sees        416 videos together (synchronised)']
    assert describe_bn(BatchPlan(32, 13, 1), 1)[0].endswith('13 videos together')
    assert len(describe_bn(BatchPlan(32, 13, 1), 1)) == 2
    in_groups = describe_bn(BatchPlan(64, 8, 1), 8, wanted=None)
    assert in_groups == ['BN sees        64 videos together (synchronised)']
    assert describe_bn(BatchPlan(1, 16, 26), None) == []
    assert len(describe_bn(BatchPlan(32, 13, 1), 1, wanted=None)) == 1


def test_what_differs_from_a_recipe_with_bn_in_groups():
    assert len(describe_bn(BatchPlan(64, 8, 1), 8, wanted=64)) == 1
    on_one = describe_bn(BatchPlan(1, 8, 64), 1, wanted=64)
    assert on_one == ['BN sees        8 videos together',
                      'differs from the recipe: its BN sees 64 videos together, whatever the batch']


def test_loaders_beside_the_main_one():
    data = list(range(12))
    main = DataLoader(data, batch_size=3)
    for sampler in (EndlessSampler(data[:5], seed=0), DefaultSampler(data[:8], seed=0)):
        beside = DataLoader(sampler.dataset, batch_size=2, sampler=sampler)
        assert describe_others([main, beside], BatchPlan(4, 3, 5)) == [
            f'beside them    40 of {len(sampler.dataset)} samples per step (list)']
    for sampler in (DefaultSampler(data[:6], seed=0), InfiniteSampler(data, seed=0)):
        beside = DataLoader(sampler.dataset, batch_size=2, sampler=sampler)
        with pytest.raises(ValueError, match=f'other_loaders: the {type(sampler).__name__} of list does not last for '
                                             r"the 4 batches of each epoch, .*=dict\(type='EndlessSampler'\)"):
            describe_others([main, beside], BatchPlan(4, 3, 5))


def test_another_batch_than_the_schedule_is_for():
    sampler = EpochSampler(range(40), multiple_of=8, seed=0)
    for plan in (BatchPlan(1, 8, 1), BatchPlan(2, 2, 2)):
        check_whole_batches(sampler, plan)
    check_whole_batches(EpochSampler(range(40), seed=0), BatchPlan(1, 4, 1))
    with pytest.raises(ValueError, match=r'the batch is 2 x 2 x 1 = 4 .*, but train_dataloader.sampler.multiple_of, .* '
                                         'is 8: set batch_size of each loader .* 2 x batch_size x accumulative_counts '
                                         'is 8, or multiple_of to 4'):
        check_whole_batches(sampler, BatchPlan(2, 2, 1))


def test_other_shots_than_the_models():
    model, dataset = nn.Identity(), Dataset()
    dataset.pipeline = Compose([SampleShots(num_shots=4, shot_len=2)])
    check_shots(model, dataset)  # of a method that knows no shots
    model.num_shots = 4
    check_shots(model, dataset)
    model.num_shots = 2
    with pytest.raises(ValueError, match=r'model.num_shots is 2, but SampleShots of the training pipeline gives the '
                                         r'views of 4 shots: set model.num_shots=4, or .* SampleShots\(num_shots=2\)'):
        check_shots(model, dataset)
    dataset.pipeline = Compose([SampleViews(num_views=8, clip_len=1)])
    with pytest.raises(ValueError, match='but SampleViews of the training pipeline gives the views of 1 shot: set'):
        check_shots(model, dataset)
    model.num_shots = 1
    check_shots(model, dataset)


def test_other_shots_stop_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(toy.ToyModel, 'num_shots', 2, raising=False)
    monkeypatch.setattr(toy.ToyVideos, 'transforms', [SampleShots(num_shots=4, shot_len=2)], raising=False)
    with pytest.raises(ValueError, match='model.num_shots is 2, but SampleShots'):
        train_and_read_log(tmp_path)


@pytest.mark.parametrize('own_clip, features', [(False, 32), (True, 64)])
def test_runs_too_short_for_the_clusters_of_a_motion_target(own_clip, features):
    model, dataset = nn.Identity(), Dataset()
    dataset.pipeline = Compose([SampleViews(num_views=3, clip_len=1)])
    check_clusters(model, dataset, 0)  # of a method without one
    clusters = TargetClusters(4, 2, bank=features)
    model.motion = SimpleNamespace(clusters=clusters, own_clip=own_clip)
    check_clusters(model, dataset, 32)
    few = features * 31 // 32
    with pytest.raises(ValueError, match=rf'clusters in {features} features, and this run shows the teacher {few}, so '
                                         rf'no .* set model\.motion\.bank to at most {few} '):
        check_clusters(model, dataset, 31)
    clusters.train()(torch.rand(features // 2, 4))  # a resumed run has some
    check_clusters(model, dataset, 16)
    with pytest.raises(ValueError, match=f'clusters in {features // 2} features'):
        check_clusters(model, dataset, 15)
    clusters(torch.rand(features, 4))
    check_clusters(model, dataset, 0)
    model.motion.clusters = None  # by cosine
    check_clusters(model, dataset, 0)


def test_memory_is_this_process():
    before = peak_memory_gib(torch.device('cpu'))
    block = torch.ones(2**27, dtype=torch.uint8)  # 1/8 GiB, touched
    assert before > .05 and block.sum() == 2**27
    assert peak_memory_gib(torch.device('cpu')) >= before


def test_peak_memory_is_not_that_of_the_process_that_started_this_one():
    held = bytearray(2**30)
    held[::4096] = b'1' * (2**30 // 4096)  # every page
    script = ('from __future__ import annotations\nimport re, resource, sys\nfrom pathlib import Path\n'
              f'{inspect.getsource(peak_memory_gib)}\n'  # the function alone: its module takes seconds to import
              'held = bytearray(2**28)\nheld[::4096] = b"1" * 2**16\n'
              'print(peak_memory_gib(type("Device", (), dict(type="cpu"))))')
    out = subprocess.run([sys.executable, '-c', script], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert .25 < float(out) < .5 and peak_memory_gib(torch.device('cpu')) > 1
