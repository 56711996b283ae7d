"""Every config builds, and every recipe's numbers are the paper's."""

import math
import os
import subprocess
import sys
from pathlib import Path

import mmaction
import pytest
import torch
from mmaction.registry import DATASETS, HOOKS, LOOPS, METRICS, MODEL_WRAPPERS, MODELS, OPTIMIZERS, PARAM_SCHEDULERS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import nn

from .config_files import load_config
from .videos import moving_frames, write_video

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = {str(path.relative_to(ROOT / 'configs').with_suffix('')): path
           for path in sorted((ROOT / 'configs').rglob('*.py'))
           # Those have tests of their own: test_{mini,downstream,baseline,target,advise,vivi}_configs.py.
           if not {'_base_', 'mini', 'downstream', 'baselines', 'advise', 'vivi', 'targets'} & set(path.parts)
           and not any(word in path.stem for word in ('byol', 'cached'))}
CLIP, DINO, SWAV, DEIT = 'clip_vit_b16', 'dino_vit_b16', 'swav_r50w2', 'deit_vit_b16'

# config: epochs, videos a step, views, pooled over time, depth, teachers, momentum branch, data (papers/iboot.txt).
HEADLINE = (200, 416, 3, True, 50, [CLIP], False, 'kinetics400')
ABLATION = (100, 104, 3, True, 50, [CLIP], False, 'kinetics400')


def per_frame(teachers: list[str], momentum: bool = False) -> tuple:
    return (100, 104, 3, False, 50, teachers, momentum, 'kinetics400')


RECIPES = {
    'iboot_r50_clip_k400': HEADLINE,
    'iboot_r50_clip_k400_100e': ABLATION,
    'iboot_r50_clip_k400_24gb': ABLATION,
    'iboot_r101_clip_k400': (200, 416, 3, True, 101, [CLIP], False, 'kinetics400'),
    'iboot_r18_clip_k400': (200, 416, 3, True, 18, [CLIP], False, 'kinetics400'),
    'iboot_r50_clip_k600': (200, 416, 3, True, 50, [CLIP], False, 'kinetics600'),
    **{f'iboot_r50_{short}_k400': (200, 416, 3, True, 50, [teacher], False, 'kinetics400') for short, teacher in {
        'clip_cls768': 'clip_vit_b16_cls768', 'clip_b32': 'clip_vit_b32', 'clip_l14': 'clip_vit_l14', 'dino': DINO,
        'dinov2': 'dinov2_vit_b14', 'dinov3': 'dinov3_vit_b16', 'siglip2': 'siglip2_vit_b16', 'pe': 'pe_core_b16',
        'eva02': 'eva02_vit_b16', 'mobileclip2': 'mobileclip2_s0', 'swav': SWAV, 'deit': DEIT}.items()},
    **{f'ablations/{name}': recipe for name, recipe in {
        'table1_swav': per_frame([SWAV]),
        'table1_dino': per_frame([DINO]),
        'table1_clip': per_frame([CLIP]),
        'table1_deit': per_frame([DEIT]),
        'table2_dino': per_frame([DINO]),
        'table2_clip': per_frame([CLIP]),
        'table2_dino_clip': per_frame([DINO, CLIP]),
        'table3_dino': per_frame([DINO]),
        'table3_dino_ssl': per_frame([DINO], momentum=True),
        'table3_clip': per_frame([CLIP]),
        'table3_clip_ssl': per_frame([CLIP], momentum=True),
        'table4_dino': per_frame([DINO]),
        'table4_dino_pool': (100, 104, 3, True, 50, [DINO], False, 'kinetics400'),
        'table4_clip': per_frame([CLIP]),
        'table4_clip_pool': ABLATION,
        'table5_same_view': (100, 104, 1, True, 50, [CLIP], False, 'kinetics400'),
        'table5_1view': (100, 104, 2, True, 50, [CLIP], False, 'kinetics400'),
        'table5_2views': ABLATION,
        'table6_b104_100e': ABLATION,
        'table6_b416_100e': (100, 416, 3, True, 50, [CLIP], False, 'kinetics400'),
        'table6_b416_200e': HEADLINE,
        'table7_r50': ABLATION,
        'table7_r101': (100, 104, 3, True, 101, [CLIP], False, 'kinetics400'),
        'table8_k400': ABLATION,
        'table8_k600': (100, 104, 3, True, 50, [CLIP], False, 'kinetics600'),
        'table9_iboot': HEADLINE,
    }.items()},
}


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> Path:
    """Four small videos of two classes and a list of them."""
    folder = tmp_path_factory.mktemp('videos')
    for number in range(4):
        write_video(folder / f'{number}.mp4', moving_frames(70, seed=number))
    (folder / 'list.txt').write_text(''.join(f'{number}.mp4 {number % 2}\n' for number in range(4)))
    return folder


def load(name: str) -> Config:
    return load_config(CONFIGS[name])


def teachers_of(cfg: Config) -> list[dict]:
    teacher = cfg.model.teacher
    return list(teacher) if isinstance(teacher, list) else [teacher]


def with_small_teachers(cfg: Config) -> Config:
    """Teachers in closed form, everything else as it is: the weights of the real ones are on a hub."""
    small = [dict(type='PatchMeanTeacher', width=8, name=teacher.name) for teacher in teachers_of(cfg)]
    cfg.model.teacher = small if isinstance(cfg.model.teacher, list) else small[0]
    return cfg


def narrowed(cfg: Config, channels: int = 8) -> Config:
    cfg = with_small_teachers(cfg)
    cfg.model.feature_dim = cfg.model.feature_dim * channels // 64
    cfg.model.backbone.base_channels = channels
    return cfg


def with_videos(dataset: dict, videos: Path) -> dict:
    for part in dataset.get('datasets', [dataset]):
        part.update(root=str(videos), ann_file=str(videos / 'list.txt'))
    return dataset


def test_every_config_is_listed_here():
    assert RECIPES.keys() == CONFIGS.keys()


@pytest.mark.parametrize('name', RECIPES)
def test_numbers_are_those_of_the_paper(name):
    epochs, batch, views, pooled, depth, teachers, momentum, data = RECIPES[name]
    cfg = load(name)
    # What the recipe varies.
    assert cfg.train_cfg.type == 'GlobalBatchTrainLoop'
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.global_batch) == (epochs, batch)
    assert cfg.model.temporal_pool is pooled
    assert cfg.model.backbone.depth == depth
    assert [teacher.name for teacher in teachers_of(cfg)] == teachers
    assert cfg.model.get('momentum') == (dict(base=.996) if momentum else None)
    assert ('MomentumUpdateHook' in [hook.type for hook in cfg.custom_hooks]) is momentum
    assert f'data/{data}/' in cfg.train_dataloader.dataset.root and data in cfg.train_dataloader.dataset.ann_file
    # What all recipes share (section 4.1).
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert list(steps) == ['OpenVideo', 'SampleViews', 'DecodeViews', 'CropViews', 'PackViews']
    assert steps['SampleViews'] == dict(type='SampleViews', num_views=views, clip_len=8, frame_interval=8)
    assert steps['CropViews'] == dict(type='CropViews', size=224, short_side=(256, 320), flip_prob=.5)
    assert cfg.model.data_preprocessor == dict(
        type='ViewPreprocessor', color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.05), color_prob=.8,
        gray_prob=.2, blur_prob=.5, blur_sigma=(.1, 2.))
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.weight_decay, optimizer.momentum, optimizer.trust) == ('LARS', 1e-6, .9, 1e-3)
    assert optimizer.lr == pytest.approx(2.4 * batch / 256)
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=batch)
    assert cfg.model.get('target_norm', 'none') == 'none'
    assert cfg.train_dataloader.batch_size == 13 and batch % 13 == 0
    assert cfg.sync_bn == 'torch'
    assert 'randomness' not in cfg  # stock `--seed` gives way to it
    # k-NN stays on Kinetics-400 (section 4.2).
    assert cfg.val_evaluator == dict(type='KNNMetric', k=20, temperature=.07)
    gallery, query = cfg.val_dataloader.dataset.datasets
    assert (gallery.root, query.root) == ('data/kinetics400/videos_train', 'data/kinetics400/videos_val')
    assert (gallery.role, query.role) == ('gallery', 'query')


@pytest.mark.parametrize('name', ['iboot_r50_clip_k400', 'iboot_r50_clip_k400_100e', 'ablations/table6_b416_100e'])
def test_learning_rate_over_a_whole_run(name):
    cfg, length = load(name), 5
    epochs, peak = cfg.train_cfg.max_epochs, 2.4 * cfg.train_cfg.global_batch / 256
    optimizer = OPTIMIZERS.build(dict(cfg.optim_wrapper.optimizer, params=[nn.Parameter(torch.zeros(2, 2))]))
    schedulers = [PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=optimizer, epoch_length=length))
                  for schedule in cfg.param_scheduler]
    rates = []
    for _ in range(epochs * length):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    warmup = 8 * length
    for step, rate in enumerate(rates):
        if step < warmup:  # from a thousandth of the peak, in equal steps, to the peak
            expected = peak * (1e-3 + (1 - 1e-3) * step / (warmup - 1))
        else:
            expected = peak / 2 * (1 + math.cos(math.pi * (step - warmup) / (epochs * length - warmup)))
        assert rate == pytest.approx(expected, abs=1e-6 * peak), step
    assert max(rates) == pytest.approx(peak)


def test_ablation_of_two_teachers_repeats_their_base_files():
    both = teachers_of(load('ablations/table2_dino_clip'))
    alone = [Config.fromfile(ROOT / f'configs/_base_/teachers/{name}.py').teacher for name in (DINO, CLIP)]
    assert both == alone


def test_files_that_share_a_row_share_a_config():
    def same(first: str, second: str) -> bool:
        return load(first).to_dict() == load(second).to_dict()

    assert same('ablations/table6_b416_200e', 'iboot_r50_clip_k400')
    assert same('ablations/table4_clip_pool', 'ablations/table5_2views')
    assert not same('ablations/table4_clip', 'ablations/table4_clip_pool')


@pytest.mark.parametrize('depth, millions', [(18, 20.23), (50, 32.45), (101, 51.45)])
def test_backbones_have_the_paper_s_parameters_with_a_head_for_400_classes(depth, millions):
    with torch.device('meta'):
        cfg = load(f'iboot_r{depth}_clip_k400')
        backbone = MODELS.build(cfg.model.backbone)
    count = sum(p.numel() for p in backbone.parameters()) + 400 * (cfg.model.feature_dim + 1)
    assert count / 1e6 == pytest.approx(millions, abs=.006)


def test_names_of_weights_are_those_of_stock_slowonly():
    with torch.device('meta'):
        ours = MODELS.build(load('iboot_r50_clip_k400').model.backbone).state_dict()
        stock = MODELS.build(dict(type='ResNet3dSlowOnly', depth=50, pretrained=None, lateral=False,
                                  inflate=(0, 0, 1, 1), conv1_kernel=(1, 7, 7), conv1_stride_t=1,
                                  pool1_stride_t=1)).state_dict()
    assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in stock.items()}


@pytest.mark.parametrize('name', ['iboot_r50_clip_k400', 'iboot_r101_clip_k400', 'iboot_r18_clip_k400'])
def test_a_network_starts_from_scratch_without_zero_gammas(name):
    backbone = MODELS.build(narrowed(load(name), channels=4).model.backbone)
    backbone.init_weights()
    gammas = [m.weight for m in backbone.modules() if isinstance(m, nn.BatchNorm3d)]
    assert all((gamma == 1).all() for gamma in gammas)


def distinct_models() -> list[str]:
    """One config for each model and pipeline; many rows of the tables share theirs."""
    seen = {}
    for name, recipe in RECIPES.items():
        seen.setdefault(str((recipe[2:5], len(recipe[5]), recipe[6])), name)
    return list(seen.values())


@pytest.mark.parametrize('name', RECIPES)
def test_model_builds_at_full_size(name):
    cfg = with_small_teachers(load(name))
    with torch.device('meta'):  # no memory, no time
        model = MODELS.build(cfg.model)
    targets = len(teachers_of(cfg)) + ('momentum' in cfg.model)
    assert len(model.projectors) == targets
    assert model.projectors[0].in_features == {18: 512, 50: 2048, 101: 2048}[cfg.model.backbone.depth]


@pytest.mark.parametrize('name', distinct_models())
def test_a_training_step_from_files_to_gradients(name, videos):
    torch.manual_seed(0)
    cfg = narrowed(load(name))
    dataset = DATASETS.build(with_videos(cfg.train_dataloader.dataset, videos))
    views = RECIPES[name][2]
    samples = [dataset[i] for i in range(2)]
    assert all(sample['inputs'].shape == (views, 3, 8, 224, 224) for sample in samples)
    for sample in samples:
        sample['inputs'] = sample['inputs'][..., ::4, ::4].contiguous()  # 56 x 56: seconds, not minutes
    model = MODELS.build(cfg.model).train()
    if model.momentum is not None:
        model.momentum.attached = True  # MomentumUpdateHook does that
    losses = model(**model.data_preprocessor(pseudo_collate(samples), training=True), mode='loss')
    names = [key for key in losses if key.startswith('loss')]
    assert len(names) == len(model.projectors) and all(0 <= losses[key].item() <= 4 for key in names)
    sum(losses[key] for key in names).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.abs().sum() > 0
               for p in model.backbone.parameters())


def test_validation_data_of_the_headline(videos):
    cfg = load('iboot_r50_clip_k400')
    dataset = DATASETS.build(with_videos(cfg.val_dataloader.dataset, videos))
    assert len(dataset) == 8
    first, last = dataset[0], dataset[7]
    assert first['inputs'].shape == (1, 3, 8, 224, 224)
    assert (first['data_samples'].role, last['data_samples'].role) == ('gallery', 'query')
    assert (first['data_samples'].labels, last['data_samples'].labels) == ({'label': 0}, {'label': 1})
    assert torch.equal(first['inputs'], dataset[4]['inputs'])  # no randomness: the same file as gallery and as query


@pytest.mark.parametrize('part', ['train_dataloader', 'val_dataloader'])
def test_without_kinetics_one_sentence_names_the_list(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = load('iboot_r50_clip_k400')[part].dataset
    with pytest.raises(FileNotFoundError, match='data/kinetics400/kinetics400_train_list_videos.txt'):
        DATASETS.build(dataset).full_init()


def test_every_part_of_the_runtime_is_registered():
    cfg = load('iboot_r50_clip_k400')
    for hook in [*cfg.default_hooks.values(), *cfg.custom_hooks, dict(type='MomentumUpdateHook')]:
        HOOKS.build(dict(hook))
    METRICS.build(cfg.val_evaluator)
    assert LOOPS.get(cfg.train_cfg.type) and MODEL_WRAPPERS.get(cfg.model_wrapper_cfg.type)


def test_our_launchers_find_the_headline_by_the_name_of_the_package(tmp_path):
    text = "_base_ = 'iboot_mm::iboot_r50_clip_k400.py'\nmodel = dict(target_norm='center')\n"
    (tmp_path / 'mine.py').write_text(text)
    mine, headline = Config.fromfile(tmp_path / 'mine.py'), load('iboot_r50_clip_k400')
    headline.model.target_norm = 'center'
    assert without_scopes(mine.to_dict()) == headline.to_dict()
    with torch.device('meta'):
        MODELS.build(narrowed(mine).model)


def without_scopes(value: object) -> object:
    """mmengine notes the registry's scope in what it takes from a package."""
    if isinstance(value, dict):
        return {key: without_scopes(item) for key, item in value.items() if key != '_scope_'}
    return [without_scopes(item) for item in value] if isinstance(value, list) else value


def test_no_teacher_is_forgotten():
    files = {path.stem for path in (ROOT / 'configs/_base_/teachers').glob('*.py')}
    used = {teacher.name for name in CONFIGS for teacher in teachers_of(load(name))}
    assert files == used


STOCK_LAUNCHER = Path(mmaction.__file__).parent / '.mim/tools/train.py'
SMALL_RUN = '''
_base_ = '{root}/configs/iboot_r50_clip_k400.py'
model = dict(
    backbone=dict(base_channels=4),
    feature_dim=128,
    teacher=dict(_delete_=True, type='TimmTeacher', model='test_vit', pretrained=False, output='cls'))
train_cfg = dict(max_epochs=2, val_interval=2, global_batch=2)
_base_.param_scheduler[0].end = 1
_base_.param_scheduler[1].update(begin=1, end=2)
val_evaluator = dict(k=2)
for loader in (_base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader):
    loader.update(batch_size=1, num_workers=0, persistent_workers=False)
    for part in loader.dataset.get('datasets', [loader.dataset]):
        part.update(root='{videos}', ann_file='{videos}/list.txt')
        part.pipeline[3].update(size=32, short_side=(36, 40))
del loader, part
'''


def test_the_headline_runs_with_mmaction2_s_own_launcher(videos, tmp_path):
    """By path and `custom_imports` alone; then its checkpoint starts a stock recognizer."""
    config = tmp_path / 'small.py'
    config.write_text(SMALL_RUN.format(root=ROOT, videos=videos))
    done = subprocess.run(
        [sys.executable, STOCK_LAUNCHER, config, '--work-dir', tmp_path / 'run', '--seed', '3'], cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}, capture_output=True, text=True)
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-3000:]
    assert 'MultiScaleDeformableAttention' not in log  # mmcv's warning, see test_compat.py
    assert 'knn_top1' in log and '1 x 1 x 2 = 2 videos per step' in log
    checkpoint = torch.load(tmp_path / 'run/epoch_2.pth', weights_only=True)
    assert checkpoint['meta']['seed'] == 3
    assert not any('teacher' in key for key in checkpoint['state_dict'])

    recognizer = MODELS.build(dict(
        type='Recognizer3D',
        backbone=dict(type='ResNet3dSlowOnly', depth=50, pretrained=None, lateral=False, base_channels=4,
                      inflate=(0, 0, 1, 1), init_cfg=dict(type='Pretrained', prefix='backbone.',
                                                          checkpoint=str(tmp_path / 'run/epoch_2.pth'))),
        cls_head=dict(type='I3DHead', in_channels=128, num_classes=2)))
    recognizer.init_weights()
    for key, value in recognizer.backbone.state_dict().items():
        assert torch.equal(value, checkpoint['state_dict'][f'backbone.{key}']), key
