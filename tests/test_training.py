"""Whole runs of iBoot on video files: what workers, processes and a stop change. Nothing."""

import shutil
import uuid
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.runner import Runner

import iboot_mm
from iboot_mm.compat import configs_folder
from iboot_mm.stores.features import FeatureStore

from .conftest import PatchMeanTeacher  # noqa: F401  (also registers it in the processes that a test starts)
from .distributed import run_in_processes
from .engine import toy  # noqa: F401  (RecordHook)
from .scripts import load_tool
from .videos import moving_frames, write_video

assert iboot_mm


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """A folder of nine short videos, nested."""
    folder = tmp_path_factory.mktemp('videos')
    for i in range(9):
        (folder / f'part{i % 2}').mkdir(exist_ok=True)
        write_video(folder / f'part{i % 2}' / f'{i}.mp4', moving_frames(20, seed=i))
    return folder


def config(videos, work_dir, workers=0, batch_size=4, global_batch=4, **backbone):
    """The mini recipe for any folder of videos, narrower, with a teacher in closed form."""
    cfg = Config.fromfile(configs_folder() / 'mini' / 'iboot_r18_folder.py')
    pipeline = [dict(type='OpenVideo', decoder='pyav'),
                dict(type='SampleViews', num_views=3, clip_len=4, frame_interval=2), dict(type='DecodeViews'),
                dict(type='CropViews', size=32, short_side=(36, 44)), dict(type='PackViews')]
    cfg.merge_from_dict(dict(
        work_dir=str(work_dir), experiment_name=uuid.uuid4().hex, log_level='WARNING', randomness=dict(seed=3),
        train_cfg=dict(max_epochs=3, global_batch=global_batch), load_from=None,
        train_dataloader=dict(batch_size=batch_size, num_workers=workers, persistent_workers=workers > 0,
                              dataset=dict(root=str(videos))),
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])))
    cfg.model.teacher = dict(type='PatchMeanTeacher')
    cfg.model.backbone.update(dict(base_channels=4), **backbone)
    cfg.model.head.update(hidden_dim=16, norm=False)  # its BN would know of one process alone
    cfg.model.feature_dim = 32
    cfg.train_dataloader.dataset.pipeline = pipeline
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None
    cfg.param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=3, convert_to_iter_based=True)]
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='RecordHook')]
    return cfg


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def repeated(cfg):
    """Half of its videos, each twice in an epoch."""
    loader = cfg.train_dataloader
    loader.dataset = dict(type='RepeatDataset', times=2, dataset=dict(loader.dataset, indices=5))
    return cfg


@pytest.fixture(scope='module')
def shards(videos, tmp_path_factory):
    """The same videos in tar shards, several to a shard."""
    folder = tmp_path_factory.mktemp('shards')
    load_tool('data/pack_shards').pack(videos, folder, shard_bytes=20_000, workers=1)
    assert len(list(folder.glob('*.tar'))) > 1
    return folder


@pytest.mark.parametrize('change, places', [(lambda cfg: cfg, ('videos', 'shards')), (repeated, ('videos', ))],
                         ids=['plain', 'repeated'])
def test_resumed_with_other_workers_is_bit_for_bit_the_run_never_stopped(change, places, request, videos, tmp_path):
    """Also where the videos were packed into shards meanwhile."""
    train(change(config(videos, tmp_path / 'whole', workers=2)))
    whole = torch.load(tmp_path / 'whole' / 'epoch_3.pth')
    for place in places:
        resumed = tmp_path / place
        resumed.mkdir()
        shutil.copy(tmp_path / 'whole' / 'epoch_1.pth', resumed)
        cfg = change(config(request.getfixturevalue(place), resumed))
        cfg.randomness = dict(seed=None)  # the checkpoint's counts
        cfg.load_from, cfg.resume = str(resumed / 'epoch_1.pth'), True
        train(cfg)
        again = torch.load(resumed / 'epoch_3.pth')
        assert whole['state_dict'].keys() == again['state_dict'].keys()
        for name, value in whole['state_dict'].items():
            assert torch.equal(value, again['state_dict'][name]), name
        for key, state in whole['optimizer']['state'].items():
            assert all(torch.equal(state[name], again['optimizer']['state'][key][name]) for name in state)
        loss = [c['message_hub']['log_scalars']['train/loss'].data[0].tolist() for c in (whole, again)]
        assert loss[0] == loss[1] and len(set(loss[0])) == len(loss[0]) == 6


def test_frozen_features_of_shards_are_those_of_files(videos, shards, tmp_path):
    stored, figures = {}, {}
    for name, root in (('files', videos), ('shards', shards)):
        cfg = config(root, tmp_path / name)
        dataset = cfg.train_dataloader.dataset
        cfg.test_dataloader = dict(batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                                   dataset=dict(type='ConcatDataset', datasets=[
                                       dict(dataset, role=role, test_mode=True) for role in ('gallery', 'query')]))
        cfg.model = dict(type='VideoEncoder', backbone=cfg.model.backbone)
        cfg.test_cfg = dict(type='FeatureLoop', store=str(tmp_path / f'{name}.store'))
        cfg.test_evaluator = dict(type='KNNMetric', k=2)
        cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
        torch.manual_seed(0)
        figures[name] = Runner.from_cfg(cfg).test()
        samples = [sample for store in (tmp_path / f'{name}.store').iterdir()
                   for sample in FeatureStore(store).samples()]
        stored[name] = sorted(samples, key=lambda sample: (sample['role'], sample['index']))
    assert figures['files'] == figures['shards'] != {}
    assert len(stored['files']) == len(stored['shards']) == 2 * 9
    for file, member in zip(stored['files'], stored['shards']):
        assert file['index'] == member['index'] and torch.equal(file['view_features'], member['view_features'])


def gradients_hook(runner):
    """Notes the gradients of the first step before they are cleared."""
    noted = []
    step = runner.optim_wrapper.step

    def noting(**kwargs):
        if not noted:
            noted.append([None if p.grad is None else p.grad.clone() for p in runner.model.parameters()])
        step(**kwargs)

    runner.optim_wrapper.step = noting
    return noted


def train_and_note(cfg, path):
    runner = Runner.from_cfg(cfg)
    noted = []

    class Note(iboot_mm.engine.hooks.NaNStopHook):
        def before_train(self, runner):
            noted.append(gradients_hook(runner))

    runner.register_hook(Note())
    runner.train()
    torch.save(dict(gradients=noted[0][0], weights=[p.detach() for p in runner.model.parameters()]), path)


def train_in_process(rank, world_size, videos, folder):
    cfg = config(Path(videos), folder, batch_size=2, norm_eval=True)
    cfg.launcher = 'pytorch'
    train_and_note(cfg, f'{folder}_{get_rank()}.pt')


def test_two_processes_equal_one_with_the_whole_batch(videos, tmp_path):
    """Losses to 1e-5, gradients and weights to 1e-4 of their size after 6 steps; BN with fixed statistics."""
    train_and_note(config(videos, tmp_path / 'one', norm_eval=True), tmp_path / 'one.pt')
    run_in_processes(train_in_process, 2, str(videos), str(tmp_path / 'two'))
    whole = torch.load(tmp_path / 'one.pt')
    for rank in range(2):
        found = torch.load(tmp_path / f'two_{rank}.pt')
        for name in ('gradients', 'weights'):
            for a, b in zip(whole[name], found[name], strict=True):
                assert (a is None) == (b is None)
                if a is not None:
                    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(a.abs().max()) + 1e-9)
    records = [torch.load(tmp_path / 'two' / f'record_{rank}.pt') for rank in range(2)]
    assert len(records[0]) == 6
    for step, *parts in zip(torch.load(tmp_path / 'one' / 'record_0.pt'), *records, strict=True):
        assert step['loss'] == pytest.approx((parts[0]['loss'] + parts[1]['loss']) / 2, abs=1e-5)
