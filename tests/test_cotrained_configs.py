"""Configs of co-training: their batches and schedules in the paper's numbers, and a mini run on digits."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.shots.shots import write_shots

from .config_files import load_config
from .distributed import run_in_processes
from .scripts import load_tool

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
PROCESSES, IMAGENET = 32, 1_281_167


@pytest.mark.parametrize('name, images, passes', [('co10', 256, 200), ('co100', 1024, 80), ('co100_big', 1024, 80)])
def test_steps_and_passes(name, images, passes):
    cfg = load_config(CONFIGS / 'vivi' / f'vivi_ex4_{name}.py')
    loader, = cfg.train_cfg.other_loaders
    times = PROCESSES * cfg.optim_wrapper.get('accumulative_counts', 1)
    sampler = cfg.train_dataloader.sampler
    assert times * cfg.train_dataloader.batch_size == sampler.multiple_of == 2048 // cfg.model.num_shots
    steps = cfg.train_cfg.max_epochs * sampler.steps
    assert steps == 100_000 and times * loader.batch_size == images
    assert round(steps * images / (IMAGENET * loader.dataset.get('share', 1))) == passes
    assert cfg.train_cfg.type == 'MultiLoaderEpochBasedTrainLoop' and loader.sampler.type == 'EndlessSampler'
    schedule, = cfg.param_scheduler
    paper = [round(100 * step / 120) for step in (90, 110)]
    assert schedule.milestones == paper and schedule.by_epoch
    for dataset in (loader.dataset, cfg.val_dataloader.dataset):
        assert dataset.num_classes == cfg.model.num_classes == 1000


def test_what_the_forms_differ_in():
    ten, whole, big = (load_config(CONFIGS / 'vivi' / f'vivi_ex4_{name}.py') for name in ('co10', 'co100', 'co100_big'))
    datasets = [cfg.train_cfg.other_loaders[0].dataset for cfg in (ten, whole, big)]
    assert [dataset.get('share', 1) for dataset in datasets] == [.1, 1, 1]
    assert [any(t.type == 'AutoAugmentViews' for t in dataset.pipeline) for dataset in datasets] == [False, False, True]
    assert not any(t.type == 'AutoAugmentViews' for t in big.train_dataloader.dataset.pipeline)
    assert ten.model.image_preprocessor == dict(whole.model.data_preprocessor, type='HSVPreprocessor')
    assert whole.model.get('image_preprocessor') is None
    assert (big.model.backbone.width_factor, big.model.feature_dim) == (3, 6144)
    alone = load_config(CONFIGS / 'vivi' / 'vivi_ex4.py')
    changed = {key for key in whole.model if whole.model[key] != alone.model.get(key)}
    assert changed == {'type', 'backbone', 'num_classes', 'image_weight'}
    assert whole.model.backbone == dict(alone.model.backbone, norm='gn')


def test_model_of_the_paper():
    model = MODELS.build(load_config(CONFIGS / 'vivi' / 'vivi_ex4_co10.py').model)
    assert model.classifier.weight.shape == (1000, 2048)
    kinds = {type(module).__name__ for module in model.backbone.modules()}
    assert {'StdConv2d', 'GroupNormAct'} < kinds and 'BatchNormAct2d' not in kinds
    kinds = [type(part).__name__ for part in (model.data_preprocessor.videos, model.data_preprocessor.images)]
    assert kinds == ['ViewPreprocessor', 'HSVPreprocessor']


@pytest.fixture(scope='module')
def digits(tmp_path_factory):
    """Moving digits, each a video of 4 shots, and stills; 20 of each part."""
    root = tmp_path_factory.mktemp('digits')
    load_tool('data/make_moving_digits').make(root / 'moving', workers=1, limit=20)
    load_tool('data/make_still_digits').make(root / 'stills', limit=60)
    names = [str(file.relative_to(root / 'moving')) for file in (root / 'moving').rglob('*.mp4')]
    write_shots(root / 'moving' / 'shots.jsonl', {},
                [dict(file=name, frames=32, fps=16., starts=[0, 8, 16, 24]) for name in names])
    return root


def mini_config(digits, work_dir) -> Config:
    cfg = load_config(CONFIGS / 'mini' / 'vivi_cotrained_digits.py')
    cfg.work_dir, cfg.randomness = str(work_dir), dict(seed=0)
    cfg.train_dataloader.dataset.root = str(digits / 'moving')
    cfg.train_dataloader.dataset.shots = str(digits / 'moving' / 'shots.jsonl')
    loader, = cfg.train_cfg.other_loaders
    loader.dataset.update(root=str(digits / 'stills' / 'train'), share=.5)
    cfg.test_dataloader.dataset.root = str(digits / 'stills' / 'test')
    for part in (cfg.train_dataloader, loader, cfg.test_dataloader):
        part.update(num_workers=0, persistent_workers=False, batch_size=4)
    cfg.train_dataloader.sampler.update(multiple_of=4, steps=2)
    cfg.train_cfg.update(max_epochs=1)
    cfg.param_scheduler = []
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    return cfg


def test_mini_trains_tests_and_leaves_an_encoder(digits, tmp_path):
    cfg = mini_config(digits, tmp_path)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2
    history = runner.message_hub.log_scalars
    assert all(f'train/{name}' in history for name in ('loss_shot', 'loss_video', 'loss_image', 'image_accuracy'))
    assert set(runner.test()) == {'acc/top1', 'acc/top5', 'acc/mean1', 'acc/unreadable'}
    cfg.dump(tmp_path / 'config.py')
    encoder = describe_checkpoint(tmp_path / 'epoch_1.pth', tmp_path / 'config.py').build_encoder()
    frames = torch.rand(2, 3, 48, 48)
    model = runner.model.eval()
    expected = model.classifier(encoder.extract_feat(frames.unsqueeze(2)).mean(1))
    torch.testing.assert_close(model.classify(frames), expected)


def go_on(rank, world_size, digits, checkpoint, folder):
    """The second epoch, by processes that share each batch of both loaders."""
    cfg = mini_config(Path(digits), folder)
    cfg.launcher, cfg.load_from, cfg.resume = 'pytorch', checkpoint, True
    cfg.train_cfg.max_epochs = 2
    for loader in (cfg.train_dataloader, *cfg.train_cfg.other_loaders):
        loader.batch_size = 4 // world_size
    Runner.from_cfg(cfg).train()


def test_one_process_goes_on_as_two(digits, tmp_path):
    """Losses of both steps of the second epoch, to what another order of sums makes of them."""
    cfg = mini_config(digits, tmp_path / 'one')
    cfg.train_cfg.max_epochs = 2
    Runner.from_cfg(cfg).train()
    run_in_processes(go_on, 2, str(digits), str(tmp_path / 'one' / 'epoch_1.pth'), str(tmp_path / 'two'))
    one, two = (torch.load(tmp_path / name / 'epoch_2.pth') for name in ('one', 'two'))
    assert two['meta']['epoch'] == one['meta']['epoch'] == 2 and two['meta']['iter'] == one['meta']['iter'] == 4
    for name in ('loss', 'loss_shot', 'loss_video', 'loss_image'):
        found, expected = (run['message_hub']['log_scalars'][f'train/{name}'].data[0] for run in (two, one))
        assert len(found) == len(expected) == 4 and (found[:2] == expected[:2]).all()
        assert found[2] == pytest.approx(expected[2], rel=1e-4) and found[3] == pytest.approx(expected[3], rel=1e-2)


def test_stills_are_of_the_scans_of_their_part_and_the_same_each_time(digits, tmp_path):
    tool = load_tool('data/make_still_digits')
    assert not tool.make(digits / 'stills') and tool.make(tmp_path / 'again', limit=60)
    for part in ('train', 'test'):
        first, again = (DATASETS.build(dict(type='LabelledImages', root=str(root / part), num_classes=10))
                        for root in (digits / 'stills', tmp_path / 'again'))
        assert len(first) == len(again) == 60
        files = [[Path(dataset.get_data_info(i)['filename']) for i in range(60)] for dataset in (first, again)]
        assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*files))
        _, labels = load_tool('data/make_moving_digits').load_scans()[part]
        assert {int(file.stem): int(file.parent.name) for file in files[0]} == dict(enumerate(labels[:60].tolist()))
