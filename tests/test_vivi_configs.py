"""VIVI's configs: the paper's numbers, every file builds, a step from files to gradients, a mini epoch.

Those with labelled images are in test_cotrained_configs.py.
"""

import json
import re
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS, PARAM_SCHEDULERS
from mmengine.dataset import pseudo_collate

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.shots.shots import read_shots, write_shots

from .config_files import load_config
from .scripts import load_tool
from .shots import write_shots_video
from .test_mini_configs import train_here

FOLDER = Path(__file__).resolve().parents[1] / 'configs'
EX, ROT = dict(type='ExemplarHead', embed_dim=1000, margin=.5), dict(type='RotationHead')
PAIR, SEQUENCE, ORDER = (dict(type=f'Shot{name}Head', hidden=hidden) for name, hidden in (
    ('Pair', 256), ('Sequence', 256), ('Order', 512)))
# config: shots K (0: a frame of any video), frames L (or augmentations), L_S, L_V, width, what the paper reports on
# VTAB (Table 2), and with AutoAugment.
RECIPES = {
    'vivi_ex4': (4, 8, EX, SEQUENCE, 1, '62.5', '63.0'),
    'vivi_ex4_big': (4, 8, EX, SEQUENCE, 3, '63.3', '64.4'),
    'vivi_ex2': (2, 8, EX, PAIR, 1, None, None),
    'vivi_ex2_order': (2, 8, EX, ORDER, 1, None, None),
    'vivi_ex4_order': (4, 8, EX, ORDER, 1, None, None),
    'vivi_rot4': (4, 4, ROT, SEQUENCE, 1, '58.9', '59.9'),
    'vivi_rot2': (2, 4, ROT, PAIR, 1, None, None),
    'vivi_rot2_order': (2, 4, ROT, ORDER, 1, None, None),
    'vivi_rot4_order': (4, 4, ROT, ORDER, 1, None, None),
    'ex_shots': (4, 8, EX, None, 1, '61.3', '62.8'),
    'ex_frames': (0, 8, EX, None, 1, '59.4', '61.8'),
    'rot_frames': (0, 1, ROT, None, 1, '56.9', '58.9'),
}
NAMES = [*RECIPES, *(f'{name}_aa' for name, recipe in RECIPES.items() if recipe[-1])]
MINI = [path.stem for path in sorted((FOLDER / 'mini').glob('vivi_*.py')) if 'cotrained' not in path.stem]


def load(name):
    return load_config(FOLDER / 'vivi' / f'{name}.py')


def small(cfg):
    """The same with a tiny encoder."""
    cfg.model.backbone.update(layers=(1, 1, 1, 1), channels=(16, 16, 16, 32), stem_chs=8, width_factor=1)
    cfg.model.feature_dim = 32
    return cfg


def transforms(loader):
    return {step.type: step for step in loader.dataset.pipeline}


def test_no_config_is_forgotten():
    files = {path.stem for path in (FOLDER / 'vivi').glob('*.py') if not re.search('_co1|_imagenet', path.stem)}
    assert files == {*NAMES, 'vivi_folder'}


@pytest.mark.parametrize('name', NAMES)
def test_numbers_are_those_of_the_paper(name):
    shots, frames, shot_loss, video_loss, width, *figures = RECIPES[name.removesuffix('_aa')]
    cfg = load(name)
    augmented = name.endswith('_aa')
    docstring = (FOLDER / 'vivi' / f'{name}.py').read_text().splitlines()[0]
    reported = re.findall(r'reports (\S+) on VTAB', docstring)
    assert reported == ([figures[augmented]] if figures[augmented] else [])
    assert cfg.model.num_shots == max(shots, 1)
    assert (cfg.model.shot_loss, cfg.model.get('video_loss')) == (shot_loss, video_loss)
    assert cfg.model.backbone.to_dict() == dict(type='FrameResNetV2', **(dict(width_factor=3) if width == 3 else {}))
    assert cfg.model.feature_dim == 2048 * width
    # Section 4: N K = 2048, 120k steps, a tenth of the learning rate after 90k and 110k.
    assert max(shots, 1) * cfg.train_cfg.global_batch == 2048
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=cfg.train_cfg.global_batch)
    assert cfg.train_cfg.global_batch % cfg.train_dataloader.batch_size == 0
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=.8, momentum=.9, weight_decay=1e-4)
    assert cfg.train_cfg.max_epochs * cfg.train_dataloader.sampler.steps == 120_000
    steps = transforms(cfg.train_dataloader)
    assert steps['CropViews'] == dict(type='CropViews', size=224, area=(.08, 1.), aspect=(3 / 4, 4 / 3), flip_prob=.5)
    inception = dict(brightness=.125, contrast=.5, saturation=.5, hue=.2)
    assert cfg.model.data_preprocessor.color_jitter == (None if augmented else inception)
    assert list(steps).index('CropViews') + augmented == list(steps).index('PackViews') - 1
    assert ('AutoAugmentViews' in steps) is augmented
    dataset = cfg.train_dataloader.dataset
    if shots:
        assert steps['SampleShots'] == dict(type='SampleShots', num_shots=shots, shot_len=frames, target_fps=1)
        assert (dataset.type, dataset.num_shots, dataset.min_length, dataset.target_fps) == (
            'ShotFolder', shots, frames, 1)
    else:
        assert steps['SampleViews'] == dict(type='SampleViews', num_views=frames, clip_len=1, same_clip=True)
        assert (dataset.type, dataset.root) == ('VideoFolder', 'data/yt8m/videos_train') and 'shots' not in dataset


def test_frames_follow_the_protocol_that_the_paper_cites():
    """Gray, standardisation and warm-up of config/exemplar/imagenet.sh, and of rotation/imagenet.sh the last."""
    for name in ('ex_frames', 'ex_frames_aa', 'rot_frames', 'rot_frames_aa', 'ex_imagenet', 'rot_imagenet'):
        cfg = load(name)
        exemplar = name.startswith('ex')
        model = MODELS.build(small(cfg).model)
        assert model.standardize is exemplar
        assert getattr(model.data_preprocessor, 'image_gray_prob', 0) == .66 * exemplar
        warm_up = cfg.param_scheduler[1]
        steps = cfg.train_dataloader.sampler.steps
        assert (warm_up.type, warm_up.begin, warm_up.end) == ('LinearLR', 0, int(cfg.train_cfg.max_epochs * 5 / 35))
        decays = [epoch * steps for epoch in cfg.param_scheduler[0].milestones]
        assert decays == pytest.approx([90_000, 110_000], abs=steps / 2 if 'imagenet' in name else 0)
        assert cfg.train_cfg.max_epochs * steps == 120_000


def test_learning_rate_over_a_run():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=.8)
    scheduler = PARAM_SCHEDULERS.build(load('vivi_ex4').param_scheduler[0], default_args=dict(optimizer=optimizer))
    rates = []
    for _ in range(120):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([.8] * 90 + [.08] * 20 + [.008] * 10)


@pytest.mark.parametrize('name', NAMES)
def test_model_builds_at_full_size(name):
    cfg = load(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert model.backbone.num_features == model.feature_dim
    weights = sum(p.numel() for p in model.backbone.parameters())
    assert round(weights / 1e6, 1) == (211.2 if 'big' in name else 23.5)


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Two videos at 1 Hz of 5 shots of 8 to 12 frames, one of a single shot, and their shot list."""
    folder = tmp_path_factory.mktemp('shots')
    lengths = [(8, 9, 10, 11, 12), (9, 8, 12, 8, 9), (20, )]
    for number, parts in enumerate(lengths):
        write_shots_video(folder / f'{number}.mp4', *parts, fps=1, seed=number)
    starts = [[sum(parts[:i]) for i in range(len(parts))] for parts in lengths]
    write_shots(folder / 'shots.jsonl', {}, [
        dict(file=f'{number}.mp4', frames=sum(parts), fps=1., starts=starts[number])
        for number, parts in enumerate(lengths)])
    return folder


@pytest.mark.parametrize('name', ['vivi_ex4', 'vivi_ex2', 'vivi_ex2_order', 'vivi_rot4_order', 'ex_shots_aa',
                                  'ex_frames', 'rot_frames', 'vivi_folder'])
def test_a_step_from_files_to_gradients(name, videos):
    torch.manual_seed(0)
    cfg = small(load(name))
    dataset = cfg.train_dataloader.dataset
    if name == 'vivi_folder':  # videos of 1 Hz have no 4 frames a second
        dataset.target_fps = dataset.pipeline[1].target_fps = 1
        shots, frames = 2, 8
    else:
        shots, frames = RECIPES[name.removesuffix('_aa')][:2]
    dataset.root = str(videos)
    if shots:
        dataset.shots = str(videos / 'shots.jsonl')
    transforms(cfg.train_dataloader)['CropViews'].size = 32  # seconds, not minutes
    dataset = DATASETS.build(dataset)
    assert len(dataset) == (2 if shots else 3)
    samples = [dataset[i] for i in range(2)]
    assert samples[0]['inputs'].shape == (max(shots, 1) * frames, 3, 1, 32, 32)
    model = MODELS.build(cfg.model).train()
    losses = model(**model.data_preprocessor(pseudo_collate(samples), training=True), mode='loss')
    parts = [key for key in losses if key.startswith('loss')]
    assert parts == ['loss_shot'] + ['loss_video'] * (model.video_loss is not None)
    sum(losses[key] for key in parts).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('name, words', [
    ('vivi_ex4', 'data/yt8m/videos_train'),
    ('vivi_folder', 'data/my_videos'),
    ('ex_frames', 'data/yt8m/videos_train'),
])
def test_without_the_videos_one_sentence_names_what_is_missing(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=words):
        DATASETS.build(load(name).train_dataloader.dataset)


def test_the_page_names_every_file_and_the_paper_s_figures():
    page = (FOLDER / 'vivi' / 'README.md').read_text()
    for name, (*_, plain, augmented) in RECIPES.items():
        row = next(line for line in page.splitlines() if line.startswith(f'| `{name}.py`'))
        cells = [cell.strip() for cell in row.strip('|').split('|')]
        assert cells[-2:] == [plain or '', augmented or ''], name
        assert (f'`{name}_aa.py`' in row) is bool(augmented)
    for path in (FOLDER / 'vivi').glob('*.py'):
        assert f'`{path.name}`' in page, path.name


@pytest.mark.parametrize('name', MINI)
def test_mini_configs_differ_in_the_method_alone(name):
    cfg, base = (load_config(FOLDER / 'mini' / f'{stem}.py') for stem in (name, 'vivi_ex4_digits'))
    model = MODELS.build(cfg.model)
    assert model.backbone.num_features == model.feature_dim
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_epochs
    assert cfg.train_cfg.global_batch == cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size
    assert [part.role for part in cfg.val_dataloader.dataset.datasets] == ['gallery', 'query']
    weights = load('vivi_ex4').model
    assert cfg.model.shot_loss.get('margin', .5) == weights.shot_loss.margin
    assert model.video_weight == (weights.video_weight if name == 'vivi_folder' else 1)
    if name == 'vivi_folder':
        return
    for key in ('backbone', 'data_preprocessor', 'video_weight'):
        assert cfg.model[key] == base.model[key]
    for key in ('optim_wrapper', 'param_scheduler', 'val_dataloader', 'val_evaluator'):
        assert cfg[key] == base[key]
    assert cfg.train_cfg.max_epochs * cfg.train_dataloader.sampler.steps == 500
    assert cfg.train_cfg.global_batch * cfg.model.num_shots == 64
    steps = transforms(cfg.train_dataloader)
    assert steps['CropViews'] == transforms(base.train_dataloader)['CropViews']
    images = steps['SampleViews'].num_views if 'frames' in name else cfg.model.num_shots * steps['SampleShots'].shot_len
    assert images * cfg.train_cfg.global_batch == (128 if 'rot' in name else 256)


@pytest.fixture(scope='module')
def digits(tmp_path_factory):
    """A few moving digits, and videos composed of them; their shots are the true ones."""
    folder = tmp_path_factory.mktemp('mini')
    load_tool('data/make_moving_digits').make(folder / 'digits', workers=1, limit=24)
    load_tool('data/compose_shots').make(
        folder / 'digits' / 'train.txt', folder / 'shots', labels=['digit', 'motion'], by='motion', num_shots=5,
        lengths=(6, 8), num_videos=8, workers=1)
    return folder


def test_a_mini_epoch_then_the_table(digits, tmp_path, monkeypatch, capsys):
    cfg = load_config(FOLDER / 'mini' / 'vivi_ex4_digits.py')
    cfg.train_dataloader.dataset.update(root=str(digits / 'shots'), shots='true_shots.jsonl')
    cfg.train_dataloader.sampler.steps = 2
    for part in cfg.val_dataloader.dataset.datasets:
        part.update(root=str(digits / 'digits'), indices=8)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    folder = train_here(cfg, tmp_path / 'run', monkeypatch)
    checkpoint = torch.load(folder / 'epoch_1.pth')
    assert checkpoint['meta']['iter'] == 2
    logged = checkpoint['message_hub']['log_scalars']
    assert len(logged['train/loss_video'].data[0]) == len(logged['train/loss_shot'].data[0]) == 2
    files = [folder.with_suffix('.py'), folder / 'epoch_1.pth']
    monkeypatch.setattr(sys, 'argv', ['knn_table', *map(str, [*files, '--out', folder, '--queries', 2])])
    load_tool('analysis/knn_table').main()
    results = json.loads((folder / 'knn_table.json').read_text())
    assert list(results['table']) == ['chance', 'raw pixels', 'random network', 'VIVI'] and results['teachers'] == []
    monkeypatch.setattr(sys, 'argv', ['report', str(folder)])
    load_tool('analysis/report').main()
    page = (folder / 'report.html').read_text()
    assert 'Method: VIVI, without a teacher' in page and page.count('<figure class="look">') == 2
    info = describe_checkpoint(files[1], files[0])
    assert info.clip == dict(clip_len=8, frame_interval=2, target_fps=None, sampling='dense', size=48, short_side=48)
    assert info.build_encoder().extract_feat(torch.rand(1, 3, 8, 48, 48)).shape == (1, 8, 512)
    assert len(read_shots(digits / 'shots' / 'true_shots.jsonl')[1]) == 8
