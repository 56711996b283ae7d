"""Configs of the large-scale study's four methods: their numbers are its own (B.1) or PySlowFast's, and each builds."""

import ast
import copy
import functools
import itertools
import math
import re
import shutil
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, HOOKS, MODELS, OPTIMIZERS, PARAM_SCHEDULERS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from iboot_mm.checkpoints.description import CheckpointInfo
from iboot_mm.checkpoints.recipes import read_recipe
from iboot_mm.evaluation.protocols.adaptation import adapt, set_duration
from iboot_mm.evaluation.protocols.catalog import RECIPES as RECIPES_OF
from iboot_mm.evaluation.protocols.catalog import choose

from .config_files import load_config

FOLDER = Path(__file__).resolve().parents[1] / 'configs'
TYPES = dict(byol='VideoBYOL', moco='VideoMoCo', simclr='VideoSimCLR', swav='VideoSwAV')
LR = dict(byol=4.8, moco=.4, simclr=4.8, swav=4.8)
SLOW = dict(type='SlowResNet', depth=50)
CLIP = dict(type='SampleViews', num_views=2, clip_len=8, frame_interval=8)
CROP = dict(type='CropViews', size=224, short_side=(256, 320), flip_prob=.5)
COLORS = dict(type='ViewPreprocessor', color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.05),
              color_prob=.8, gray_prob=.2, blur_prob=.5, blur_sigma=(.1, 2.))
STRONGER = dict(brightness=.3, contrast=.3, saturation=.3, hue=.075)
PEER = dict(clip=dict(target_fps=30), crop=dict(area=(.2, .766)),
            colors=dict(color_jitter=dict(brightness=.6, contrast=.6, saturation=.6, hue=.15)))
INPUT = dict(normalization=dict(mean=[.45] * 3, std=[.225] * 3))
HEADS = {
    'byol': dict(projector=dict(hidden_dim=4096, out_dim=256, num_layers=2),
                 predictor=dict(hidden_dim=4096, num_layers=2), momentum=dict(base=.996)),
    'moco': dict(projector=dict(hidden_dim=2048, out_dim=128, num_layers=3, norm=False), momentum=dict(base=.994),
                 queue_size=65536, temperature=.1),
    'simclr': dict(projector=dict(hidden_dim=2048, out_dim=128, num_layers=3), temperature=.1),
    'swav': dict(projector=dict(hidden_dim=2048, out_dim=128, num_layers=3), num_prototypes=3000, temperature=.1,
                 epsilon=.05, iterations=3),
}


def recipe(method: str, **changes) -> dict:
    """The study's setting at rho = 2 (B.1), and what a config changes of it."""
    return {**dict(method=method, lr=LR[method], epochs=200, batch=512, warmup=0, start=None, clip={}, crop={},
                   colors={}, model={}, backbone=SLOW, data='kinetics400', on_iboots_budget=False), **changes}


RECIPES = {
    **{f'baselines/{method}_slow_r50_rho{rho}_k400': recipe(method, clip=dict(num_views=rho))
       for method in TYPES for rho in (2, 3, 4)},
    **{f'baselines/{method}_slow_r50_rho1_k400': recipe(method, clip=dict(same_clip=True)) for method in TYPES},
    **{f'baselines/{method}_slow_r50_rho4_augplus_k400': recipe(
        method, clip=dict(num_views=4), crop=dict(area=(.2, .76)), colors=dict(color_jitter=STRONGER))
       for method in ('byol', 'moco')},
    **{f'baselines/moco_slow_r50_rho{rho}_augplus_k{classes}': recipe(
        'moco', clip=dict(num_views=rho), crop=dict(area=(.2, .76)), colors=dict(color_jitter=STRONGER),
        data=f'kinetics{classes}') for rho in (2, 4) for classes in (600, 700)},
    **{f'baselines/byol_{name}_rho4_augplus_k400': recipe(
        'byol', clip=dict(num_views=4, clip_len=frames, frame_interval=64 // frames), crop=dict(area=(.2, .76)),
        colors=dict(color_jitter=STRONGER), backbone=backbone, model=dict(feature_dim=width))
       for name, frames, backbone, width in (('slow_r50_16x4', 16, SLOW, 2048),
                                             ('r2plus1d_32x2', 32, dict(type='R2Plus1D18'), 512),
                                             ('s3dg_32x2', 32, dict(type='S3DG'), 1024))},
    'baselines/byol_slow_r50_rho2_k400_pyslowfast': recipe(
        'byol', warmup=35, start=.008, model=dict(INPUT, reduction='sum'), **PEER),
    'baselines/byol_slow_r50_rho4_k400_pyslowfast': recipe(
        'byol', lr=9.6, warmup=35, start=.008, model=dict(INPUT, reduction='sum'),
        **{**PEER, 'clip': dict(num_views=4, target_fps=30)}),
    'baselines/byol_slow_r50_16x4_rho4_k400_pyslowfast': recipe(
        'byol', lr=9.6, warmup=35, start=.008, model=dict(INPUT, reduction='sum'),
        **{**PEER, 'clip': dict(num_views=4, target_fps=30, clip_len=16, frame_interval=4)}),
    'baselines/moco_slow_r50_rho2_k400_pyslowfast': recipe(
        'moco', lr=.8, warmup=35, start=.008, model=dict(INPUT, reduction='sum'), **PEER),
    'baselines/moco_slow_r50_rho4_k400_pyslowfast': recipe(
        'moco', lr=.8, warmup=35, start=.008, model=dict(INPUT, reduction='sum', positives='separate'),
        **{**PEER, 'clip': dict(num_views=4, target_fps=30)}),
    'baselines/simclr_slow_r50_rho2_k400_pyslowfast': recipe(
        'simclr', lr=9.6, warmup=35, start=.008, **PEER,
        model=dict(INPUT, reduction='sum', positives='adjacent',
                   projector=dict(hidden_dim=2048, out_dim=128, num_layers=3, norm=False))),
    'baselines/swav_slow_r50_rho2_k400_pyslowfast': recipe(
        'swav', warmup=35, start=.008, model=dict(INPUT, num_prototypes=1000), **PEER),
    'baselines/ablations/table4_max_span': recipe('byol', clip=dict(max_span=4.)),
    'baselines/ablations/table5_r18': recipe('moco', model=dict(feature_dim=512), backbone=dict(SLOW, depth=18)),
    'baselines/ablations/table5_r101': recipe('moco', backbone=dict(SLOW, depth=101)),
    'baselines/ablations/table5_16x4': recipe('moco', clip=dict(clip_len=16, frame_interval=4)),
    'baselines/ablations/table5_32x2': recipe('moco', clip=dict(clip_len=32, frame_interval=2)),
    'baselines/ablations/table5_r2plus1d': recipe(
        'moco', clip=dict(clip_len=32, frame_interval=2), model=dict(feature_dim=512),
        backbone=dict(type='R2Plus1D18')),
    'baselines/ablations/table5_s3dg': recipe(
        'moco', clip=dict(clip_len=32, frame_interval=2), model=dict(feature_dim=1024),
        backbone=dict(type='S3DG')),
    'baselines/ablations/table7_color': recipe('moco', colors=dict(color_jitter=STRONGER)),
    'baselines/ablations/table7_gray': recipe('moco', colors=dict(gray_prob=.4)),
    'baselines/ablations/table7_temporal_difference': recipe('moco', colors=dict(temporal_difference_prob=.2)),
    'baselines/ablations/table7_fps_jitter': recipe('moco', clip=dict(fps_jitter=.5)),
    'baselines/ablations/table8_area': recipe('moco', crop=dict(area=(.2, .76))),
    'baselines/ablations/table15_fixed_momentum': recipe(
        'moco', model=dict(momentum=dict(base=.999, schedule='fixed'))),
    'ablations/table1_byol': recipe('byol', lr=.975, epochs=100, batch=104, on_iboots_budget=True),
    'ablations/table9_byol': recipe('byol', lr=3.9, batch=416, on_iboots_budget=True),
    'ablations/table9_byol_inflated': recipe('byol', lr=3.9, batch=416, on_iboots_budget=True, backbone=dict(
        SLOW, pretrained='https://download.openmmlab.com/mmselfsup/1.x/byol/byol_resnet50_16xb256-coslr-200e_in1k/'
        'byol_resnet50_16xb256-coslr-200e_in1k_20220825-de817331.pth')),
}
# The study's evaluations (B.2, B.5 to B.7): iBoot's config of the same benchmark, which test_downstream_configs.py
# tests; classes, dropout, epochs, videos a step, learning rate, weight decay.
EVALUATIONS = {f'baselines/downstream/{name}': wanted for name, wanted in {
    **{f'linear_k{classes}': ('linear_k400_adapting_bn', classes, 0., 60, 512, 4., 0.) for classes in (400, 600, 700)},
    'finetune_ssv2': ('finetune_ssv2_8x8_1view', 174, .5, 22, 64, .12, 1e-6),
    **{f'finetune_{data}_split{split}': (f'finetune_{data}_split{split}', classes, .8, 200, 64, .025, 0.)
       for data, classes in (('ucf101', 101), ('hmdb51', 51)) for split in (1, 2, 3)},
}.items()}
DETECTION = ('baselines/downstream/finetune_ava', 'baselines/downstream/finetune_charades')  # test_detection_configs.py
ON_512 = [name for name, wanted in RECIPES.items() if not wanted['on_iboots_budget']]


@pytest.fixture(scope='module', autouse=True)
def read_each_file_once():
    """mmengine copies each base to a folder of its own each time; ten of them make a config."""
    original = Config._file2dict
    once = functools.cache(original)
    Config._file2dict = staticmethod(lambda *args, **kwargs: copy.deepcopy(once(*args, **kwargs)))
    yield
    Config._file2dict = staticmethod(original)


def load(name: str) -> Config:
    return load_config(FOLDER / f'{name}.py')


def narrowed(cfg: Config) -> Config:
    """The same, a sixteenth as wide."""
    cfg.model.feature_dim //= 16
    cfg.model.backbone.base_channels = 4
    cfg.model.projector.update(hidden_dim=16, out_dim=8)
    for part, small in (('predictor', dict(hidden_dim=16)), ('queue_size', 64), ('num_prototypes', 32)):
        if part in cfg.model:
            cfg.model[part] = dict(cfg.model[part], **small) if isinstance(small, dict) else small
    return cfg


def test_no_config_is_forgotten():
    files = {*(FOLDER / 'baselines').glob('*.py'), *(FOLDER / 'baselines/ablations').glob('*.py'),
             *(FOLDER / 'baselines/downstream').glob('*.py'), *(FOLDER / 'ablations').glob('*byol*.py')}
    assert {str(file.relative_to(FOLDER).with_suffix('')) for file in files} == {*RECIPES, *EVALUATIONS, *DETECTION}


@pytest.mark.parametrize('name', RECIPES)
def test_model_and_views_are_the_study_s_but_for_what_the_config_says(name):
    wanted, cfg = RECIPES[name], load(name)
    method = wanted['method']
    model = {**dict(type=TYPES[method], feature_dim=2048, backbone=wanted['backbone'],
                    data_preprocessor=dict(COLORS, **wanted['colors'])), **HEADS[method], **wanted['model']}
    assert cfg.model.to_dict() == model
    steps = [step.to_dict() for step in cfg.train_dataloader.dataset.pipeline]
    assert [step['type'] for step in steps] == ['OpenVideo', 'SampleViews', 'DecodeViews', 'CropViews', 'PackViews']
    assert steps[1] == dict(CLIP, **wanted['clip']) and steps[3] == dict(CROP, **wanted['crop'])
    clip = {key: steps[1][key] for key in ('clip_len', 'frame_interval', 'target_fps') if key in steps[1]}
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        for part in loader.dataset.datasets:
            assert part.pipeline[1] == dict(type='SampleViews', num_views=1, test_mode=True, **clip)
    for dataset, data, part in ((cfg.train_dataloader.dataset, wanted['data'], 'train'),
                                *((half, 'kinetics400', part) for loader in (cfg.val_dataloader, cfg.test_dataloader)
                                  for half, part in zip(loader.dataset.datasets, ('train', 'val')))):
        assert dataset.root == f'data/{data}/videos_{part}'
        assert dataset.ann_file == f'data/{data}/{data}_{part}_list_videos.txt'
    DATASETS.build(dict(cfg.train_dataloader.dataset, lazy_init=True))  # the transforms take it


def test_every_statement_of_a_config_changes_something(tmp_path):
    """None repeats what its base says."""
    folder = tmp_path / 'configs'
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns('mini', 'teachers'))
    idle = []
    for name in [*EVALUATIONS, *RECIPES]:
        body = [statement for statement in ast.parse((folder / f'{name}.py').read_text()).body
                if not isinstance(statement, ast.Delete)]
        for number, statement in enumerate(body):
            if ast.unparse(statement).startswith(('_base_ =', '\'', '"', 'batch =')):
                continue
            file = folder / f'{name}_without_{number}.py'
            file.write_text('\n'.join(ast.unparse(part) for part in body[:number] + body[number + 1:]))
            if Config.fromfile(file).to_dict() == load(name).to_dict():
                idle.append(f'{name}: {ast.unparse(statement)}')
    assert not idle


@pytest.mark.parametrize('name', RECIPES)
def test_training_is_the_study_s_but_for_what_the_config_says(name):
    wanted, cfg = RECIPES[name], load(name)
    epochs, batch, method = wanted['epochs'], wanted['batch'], wanted['method']
    assert (cfg.train_cfg.type, cfg.train_cfg.max_epochs, cfg.train_cfg.global_batch) == (
        'GlobalBatchTrainLoop', epochs, batch)
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=batch)
    sgd = dict(lr=pytest.approx(wanted['lr']), momentum=.9, nesterov=True)
    if method == 'moco':
        assert cfg.optim_wrapper.optimizer == dict(sgd, type='SGD', weight_decay=1e-4)
        assert cfg.optim_wrapper.paramwise_cfg == dict(norm_decay_mult=0.)
    else:
        assert cfg.optim_wrapper.optimizer == dict(sgd, type='LARS', weight_decay=1e-6, trust=1e-3)
        assert 'paramwise_cfg' not in cfg.optim_wrapper
    hooks = [hook.type for hook in cfg.custom_hooks]
    assert ('MomentumUpdateHook' in hooks) is (method in ('byol', 'moco'))
    assert ('FreezePrototypesHook' in hooks) is (method == 'swav')
    assert hooks[:4] == ['TrainingPlanHook', 'NaNStopHook', 'CollapseAlarmHook', 'UnreadableVideosHook']
    # 64 GPUs of 8 videos, BN over 8 of them, MoCo's over each; iBoot's over all of 8 or 32 x 13.
    assert cfg.sync_bn == (None if method == 'moco' else 'torch')
    on_512 = not wanted['on_iboots_budget']
    assert cfg.model_wrapper_cfg.get('bn_group') == (8 if on_512 else None)
    assert cfg.custom_hooks[0].get('bn_videos', 'batch') == ((8 if method == 'moco' else 64) if on_512 else 'batch')
    assert cfg.train_dataloader.batch_size == (8 if on_512 else 13)
    for hook in cfg.custom_hooks:
        HOOKS.build(hook.to_dict())


def rates(cfg: Config, length: int) -> list[float]:
    """The learning rate of every iteration, ``length`` of them an epoch."""
    optimizer = OPTIMIZERS.build(dict(cfg.optim_wrapper.optimizer, params=[nn.Parameter(torch.zeros(2, 2))]))
    schedulers = [PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=optimizer, epoch_length=length))
                  for schedule in cfg.param_scheduler]
    found = []
    for _ in range(cfg.train_cfg.max_epochs * length):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return found


@pytest.mark.parametrize('name', ON_512)
def test_learning_rate_is_a_half_cosine_from_the_first_step(name):
    """B.1, without warm-up; PySlowFast's begins with a line of 35 epochs from .001 per 64 videos that meets it."""
    wanted, length = RECIPES[name], 2
    found = rates(load(name), length)
    cosine = [wanted['lr'] * (math.cos(math.pi * step / 400) + 1) / 2 for step in range(400)]
    warmup = wanted['warmup'] * length
    assert found[warmup:] == pytest.approx(cosine[warmup:], rel=1e-6)
    line = [wanted['start'] + (cosine[warmup] - wanted['start']) * step / warmup for step in range(warmup)]
    assert found[:warmup] == pytest.approx(line, rel=1e-6)


@pytest.mark.parametrize('name', ['ablations/table1_byol', 'ablations/table9_byol'])
def test_rows_of_iboot_s_tables_keep_its_schedule(name):
    iboot = 'iboot_r50_clip_k400_100e' if 'table1' in name else 'iboot_r50_clip_k400'
    for key in ('param_scheduler', 'optim_wrapper', 'train_cfg', 'model_wrapper_cfg', 'sync_bn', 'val_dataloader'):
        assert load(name)[key] == load(iboot)[key], key


def test_parameters_are_those_of_the_study_s_table_16():
    """With momentum copy; the study counts BYOL's predictor there, too, which nothing uses."""
    def millions(name: str) -> tuple[float, nn.Module]:
        with torch.device('meta'):
            model = MODELS.build(load(f'baselines/{name}').model)
        return sum(p.numel() for p in model.parameters()) / 1e6, model

    assert millions('moco_slow_r50_rho2_k400')[0] == pytest.approx(80.6, abs=.05)
    assert millions('simclr_slow_r50_rho2_k400')[0] == pytest.approx(40.3, abs=.05)
    count, byol = millions('byol_slow_r50_rho2_k400')
    assert count + sum(p.numel() for p in byol.predictor.parameters()) / 1e6 == pytest.approx(86.4, abs=.05)
    assert millions('swav_slow_r50_rho2_k400_pyslowfast')[0] == pytest.approx(40.4, abs=.05)  # 1000 prototypes
    assert millions('swav_slow_r50_rho2_k400')[0] == pytest.approx(40.4 + 2000 * 128 / 1e6, abs=.05)


@pytest.mark.parametrize('method', TYPES)
def test_first_step_of_the_optimizer(method):
    """Two clips of 2 videos at a sixteenth of the width: what LARS scales, and what SGD decays."""
    torch.manual_seed(0)
    cfg = narrowed(load(f'baselines/{method}_slow_r50_rho2_k400'))
    model = MODELS.build(cfg.model).train()
    if method in ('byol', 'moco'):
        model.momentum.attached = True  # MomentumUpdateHook does that
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    samples = [ActionDataSample(metainfo=dict(view_seeds=[2 * n, 2 * n + 1])) for n in range(2)]
    inputs = [torch.randint(256, (2, 3, 8, 32, 32), dtype=torch.uint8) for _ in samples]
    assert model.train_step(dict(inputs=inputs, data_samples=samples), wrapper)['loss'].isfinite()
    decay = {id(p): group['weight_decay'] for group in wrapper.optimizer.param_groups for p in group['params']}
    for name, old in before.items():
        parameter = model.get_parameter(name)
        assert not torch.equal(parameter, old), name
        if method == 'moco':
            assert decay[id(parameter)] == (0 if '.bn.' in name else 1e-4), name
        elif parameter.ndim > 1 and name != 'prototypes.weight':  # which are scaled to unit vectors, too
            change = (parameter.detach() - old).norm() / old.norm()
            assert float(change) == pytest.approx((1 + .9) * 4.8 * 1e-3, rel=.05), name  # Nesterov's first step


@pytest.mark.parametrize('name', EVALUATIONS)
def test_evaluation_is_the_study_s(name):
    iboots, classes, dropout, epochs, batch, lr, decay = EVALUATIONS[name]
    cfg, iboot = load(name), load(f'downstream/{iboots}')
    head = cfg.model.cls_head
    assert (head.num_classes, head.dropout_ratio, cfg.model.get('bn')) == (classes, dropout, iboot.model.get('bn'))
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.global_batch) == (epochs, batch)
    assert epochs % cfg.train_cfg.val_interval == 0 and cfg.auto_scale_lr.base_batch_size == batch
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=lr, momentum=.9, weight_decay=decay, nesterov=True)
    iboot.model.cls_head.num_classes = classes  # the study's linear classifiers are of larger Kinetics, too
    for key in ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'custom_hooks'):
        assert str(cfg[key]) == str(iboot[key]).replace('kinetics400', f'kinetics{classes}'), key
    with torch.device('meta'):
        MODELS.build(cfg.model)


@pytest.mark.parametrize('name, milestones', [('finetune_ucf101_split1', (60, 120, 180)),
                                              ('finetune_hmdb51_split3', (60, 120, 180)), ('finetune_ssv2', (14, 18))])
def test_learning_rate_falls_to_a_tenth(name, milestones):
    cfg = load(f'baselines/downstream/{name}')
    peak = cfg.optim_wrapper.optimizer.lr
    expected = [peak * .1**sum(epoch >= milestone for milestone in milestones)
                for epoch in range(cfg.train_cfg.max_epochs)]
    assert rates(cfg, length=1) == pytest.approx(expected)


def test_learning_rate_of_the_linear_classifier():
    """From 0 to the cosine's value after 8 of 60 epochs (golden/lr_schedule.npz of the peer has the same)."""
    found = rates(load('baselines/downstream/linear_k400'), length=4)
    cosine = [2 * (math.cos(math.pi * step / 240) + 1) for step in range(240)]
    assert found[32:] == pytest.approx(cosine[32:])
    assert found[:32] == pytest.approx([cosine[32] * step / 32 for step in range(32)])


PAGE = (FOLDER / 'baselines/README.md').read_text()


def expanded(name: str) -> list[str]:
    """``{a,b}_c`` is ``a_c`` and ``b_c``."""
    parts = [part.split(',') for part in re.split(r'[{}]', name)]
    return [''.join(choice) for choice in itertools.product(*parts)]


def test_the_page_names_every_config():
    named = {name for pattern in re.findall(r'`([\w{},/]+)\.py`', PAGE) for name in expanded(pattern)} - {
        '_pyslowfast', 'pyslowfast_input', 'tools/evaluate'}
    evaluations = {Path(name).name for name in (*EVALUATIONS, *DETECTION)}
    uncurated = {f'uncurated/{file.stem}' for file in (FOLDER / 'baselines/uncurated').glob('*.py')}
    pretrainings = {name.removeprefix('baselines/') for name in RECIPES if name.startswith('baselines/')}
    assert named == evaluations | uncurated | pretrainings


def docstring(name: str) -> str:
    return ' '.join(ast.get_docstring(ast.parse((FOLDER / f'baselines/{name}.py').read_text())).split())


def test_figures_of_table_2_are_those_in_the_configs():
    rows = re.findall(r'^\| ([1-4])(?:: two crops of a clip)? ((?:\|[^|\n]+){4})\|$', PAGE, re.M)
    assert [rho for rho, _ in rows] == ['1', '2', '3', '4']
    for rho, cells in rows:
        for method, cell in zip(TYPES, cells.split('|')[1:], strict=True):
            text = docstring(f'{method}_slow_r50_rho{rho}_k400')
            assert all(figure in text for figure in re.findall(r'\d\d\.\d|out of memory', cell)), (method, rho)


ROWS = [line for line in PAGE.splitlines() if re.match(r'\|.*`(\w+_rho\d_\w+|ablations/\w+)\.py`', line)]


@pytest.mark.parametrize('row', ROWS)
def test_rows_of_the_page_hold_for_their_configs(row):
    """Without options the figures are the docstring's; options exist in the config."""
    name = re.search(r'`([\w/]+)\.py`', row)[1]
    options = re.findall(r'`([\w.]+)=', row)
    figures = re.findall(r'(?<=\| )\d\d\.\d(?= \|)', row)
    assert figures
    if not options:
        assert [figure for figure in figures if figure not in docstring(name)] == []
    for option in options:
        place = load(f'baselines/{name}')
        for key in option.split('.'):
            place = place[int(key) if key.isdigit() else key]


@pytest.mark.parametrize('pretraining, clip, batches', [
    ('byol_slow_r50_16x4', (16, 4), (8, 1)), ('byol_r2plus1d_32x2', (32, 2), (4, 1)),
    ('byol_s3dg_32x2', (32, 2), (4, 1))])
@pytest.mark.parametrize('data', ['ucf101', 'hmdb51'])
def test_rows_of_table_11_are_fine_tuned_with_their_own_network_and_clips(pretraining, clip, batches, data):
    """What ``tools/evaluate.py --recipes study`` makes of a protocol for a checkpoint of such a config."""
    file = FOLDER / f'baselines/{pretraining}_rho4_augplus_k400.py'
    info = CheckpointInfo(path=file, state={}, **read_recipe(file))
    cfg = load(f'baselines/downstream/finetune_{data}_split1')
    adapt(cfg, info)
    assert set_duration(cfg, info.clip) == '{}x{}'.format(*clip)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        sampling = loader.dataset.pipeline[1]
        assert (sampling.clip_len, sampling.frame_interval) == clip
    assert (cfg.train_dataloader.batch_size, cfg.test_dataloader.batch_size) == batches
    assert cfg.train_cfg.global_batch == 64 and cfg.test_dataloader.dataset.pipeline[1].num_views == 10
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        scores = model.eval().cls_head(model.backbone(torch.zeros(1, 3, clip[0], 64, 64)))
    assert scores.shape == (1, dict(ucf101=101, hmdb51=51)[data])


@pytest.mark.parametrize('row, clip, width', [('r18', (8, 8), 512), ('16x4', (16, 4), 2048), ('s3dg', (32, 2), 1024)])
def test_supervised_rows_of_table_5_train_the_row_s_network_on_its_clips(row, clip, width):
    file = FOLDER / f'baselines/ablations/table5_{row}.py'
    protocol = choose(RECIPES_OF['study'], ['supervised'])[0]
    cfg = load(protocol.configs[0].removesuffix('.py'))
    info = CheckpointInfo(path=file, state={}, **read_recipe(file))
    adapt(cfg, info)
    set_duration(cfg, info.clip)
    assert cfg.model.backbone == load(f'baselines/ablations/table5_{row}').model.backbone
    assert cfg.model.cls_head.in_channels == width and protocol.trains
    assert (cfg.train_dataloader.dataset.pipeline[1].clip_len,
            cfg.train_dataloader.dataset.pipeline[1].frame_interval) == clip
