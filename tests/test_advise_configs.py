"""AdViSe's configs: the paper's numbers, every file builds, a step from files to gradients, a mini epoch."""

import copy
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from PIL import Image
from torch.nn.functional import interpolate

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.transforms import TakeTokens

from .config_files import load_config
from .distributed import run_in_processes
from .scripts import load_tool
from .videos import moving_frames, write_video

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
FILES = {str(path.relative_to(CONFIGS / 'advise').with_suffix('')): path
         for path in sorted((CONFIGS / 'advise').rglob('*.py')) if '_base_' not in path.parts}
PRETRAINING = [name for name in FILES if not name.startswith('downstream') and 'pool' not in name]
MODULES = [name for name in PRETRAINING if 'r3d50' not in name]  # with an image model and a temporal module
PIXELS = {name: 112 if '112px' in name else 224 for name in FILES}
FINETUNING = [name for name in FILES if name not in PRETRAINING]
CLASSES = dict(ucf101=101, hmdb51=51, diving48=48, ssv2=174)
IMAGE_MODELS = dict(clip_vit_b16='ViT-B-16', clip_vit_l14='ViT-L-14', mae_vit_l16='vit_large_patch16_224.mae',
                    dinov2_vit_l14='vit_large_patch14_dinov2.lvd142m')
TINY = dict(type='TimmTeacher', model='vit_tiny_patch16_224', pretrained=False, input_size=32,
            model_args=dict(img_size=32, patch_size=8, embed_dim=16, depth=1, num_heads=2))


def with_small_teachers(cfg):
    if 'teacher' not in cfg.model.backbone:
        return cfg
    teacher = cfg.model.backbone.teacher
    small = [dict(TINY, name=part.name) for part in (teacher if isinstance(teacher, list) else [teacher])]
    cfg.model.backbone.teacher = small if isinstance(teacher, list) else small[0]
    for key in ('resolution', 'channels'):
        if key in cfg.model.backbone:
            cfg.model.backbone[key] = min(cfg.model.backbone[key], dict(resolution=4, channels=16)[key])
            while 16 % cfg.model.backbone.get('channels', 1):
                cfg.model.backbone.channels -= 1
    if cfg.model.backbone.get('temporal', True) is None:
        cfg.model.cls_head.in_channels = 16
    return cfg


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    for number in range(2):
        write_video(folder / f'{number}.mp4', moving_frames(130, seed=number))
    (folder / 'list.txt').write_text('0.mp4 0\n1.mp4 1\n')
    return folder


def check_schedule(cfg, weight_decay):
    assert cfg.optim_wrapper.optimizer == dict(
        type='AdamW', lr=1e-3 * cfg.train_cfg.global_batch / 64, weight_decay=weight_decay)
    warm_up, cosine = cfg.param_scheduler
    assert (warm_up.type, warm_up.begin, warm_up.end, warm_up.start_factor) == ('LinearLR', 0, 5, 1e-3)
    assert (cosine.type, cosine.begin, cosine.end, cosine.eta_min) == (
        'CosineAnnealingLR', 5, cfg.train_cfg.max_epochs, 0)
    assert warm_up.convert_to_iter_based and cosine.convert_to_iter_based


@pytest.mark.parametrize('name', [name for name in MODULES if 'public' not in name])
def test_pretraining_is_the_paper_s(name):
    cfg = load_config(FILES[name])
    assert cfg.train_cfg.global_batch == 32  # so the peak is 5e-4
    epochs = 200 if name.endswith(('k400', '200e')) else 800
    assert cfg.train_cfg.max_epochs == epochs
    check_schedule(cfg, weight_decay=1e-6)
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert steps['PlaybackRate'] == dict(type='PlaybackRate', num_views=4, clip_len=8, frame_interval=2,
                                         rates=(1, 2, 4, 8), jitter=.2, wrap=True)
    assert steps['CropViews'] == dict(type='CropViews', size=PIXELS[name], area=(.76, 1.), flip_prob=0.)
    assert cfg.model.data_preprocessor == dict(
        type='ClipPreprocessor', color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.1), color_prob=.8,
        gray_prob=.2, blur_prob=0.)
    assert cfg.model.cls_head == dict(type='MLPHead', in_channels=1024, num_classes=4, topk=(1, ), dropout_ratio=0.,
                                      label_smooth_eps=.05, average_clips='prob')
    shown = next(step for step in cfg.val_dataloader.dataset.pipeline if step.type == 'PlaybackRate')
    assert shown == dict(steps['PlaybackRate'], test_mode=True)
    assert cfg.val_evaluator == dict(type='PlaybackRateMetric', names=('1x', '2x', '4x', '8x'))
    assert ('kinetics400' if 'k400' in name else 'ucf101') in cfg.train_dataloader.dataset.ann_file
    assert cfg.test_dataloader == cfg.val_dataloader and 'randomness' not in cfg


@pytest.mark.parametrize('data', ['ucf101', 'k400'])
def test_the_public_recipe_differs_where_its_code_does(data):
    paper, public = (load_config(FILES[f'advise_clip_b16_{data}{suffix}']) for suffix in ('', '_public'))
    imagenet = dict(mean=(.485, .456, .406), std=(.229, .224, .225))
    assert public.model.backbone == dict(paper.model.backbone, teacher=dict(paper.model.backbone.teacher, **imagenet))
    assert public.model.cls_head == dict(paper.model.cls_head, batch_norm=True)
    colours = dict(brightness=.2, contrast=.2, saturation=.2, hue=0.)
    assert public.model.data_preprocessor == dict(paper.model.data_preprocessor, color_jitter=colours, gray_prob=0.)
    theirs, ours = (cfg.train_dataloader.dataset for cfg in (public, paper))
    assert theirs.pipeline[3] == dict(type='CropViews', size=224, resize=(320, 256), flip_prob=0.)
    assert dict(theirs, pipeline=theirs.pipeline[:3]) == dict(ours, pipeline=ours.pipeline[:3])
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'val_dataloader', 'custom_hooks'):
        assert public[key] == paper[key]


def test_r3d50_learns_the_same_pretext_by_the_public_code_s_settings():
    cfg = load_config(FILES['ablations/table6_r3d50'])
    assert cfg.model.backbone == dict(type='SlowResNet', depth=50) and cfg.train_cfg.global_batch == 32
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=.02, momentum=.9, weight_decay=5e-4)
    warm_up, cosine = cfg.param_scheduler
    assert (warm_up.begin, warm_up.end, cosine.begin, cosine.end) == (0, 10, 10, 200)
    assert warm_up.start_factor * 4e-2 == pytest.approx(1e-3)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        step = loader.dataset.pipeline[1]
        assert (step.rates, step.frame_interval, step.wrap) == ((1, 2, 4, 8), 1, True)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.backbone.parameters()) / 1e6 == pytest.approx(31.6, abs=.06)  # paper: 31.8


@pytest.mark.parametrize('name', MODULES)
def test_backbone_is_what_the_name_says(name):
    backbone = load_config(FILES[name]).model.backbone
    row = re.fullmatch(r'ablations/(?:fig4|fig6|table1)_(resolution|channels|blocks|hidden)_(\d+).*', name)
    if row:
        assert (dict(backbone, **backbone.temporal))[row[1]] == int(row[2])
        assert backbone.temporal.hidden == (2048 if 'fig6' not in name else int(row[2]) if row[1] == 'hidden' else 256)
    if 'module' in name:
        assert backbone.temporal.type == name.rpartition('_')[2]
    else:
        kernel = 3 if 'kernel_3' in name else 1  # ImageTMM's default of r3d
        assert (backbone.temporal.type, backbone.temporal.get('kernel', 1)) == ('r3d', kernel)
    teachers = backbone.teacher if isinstance(backbone.teacher, list) else [backbone.teacher]
    wanted = name.partition('table4_')[2].split('_') if 'table4' in name else ['clip']
    assert [teacher.name.partition('_')[0] for teacher in teachers] == wanted
    large = 'l16' if wanted == ['mae'] else 'l14'
    assert teachers[0].name.endswith(large if 'l14' in name or 'table4' in name else 'b16')
    assert all(teacher.model == IMAGE_MODELS[teacher.name] for teacher in teachers)


@pytest.mark.parametrize('name', FINETUNING)
def test_finetuning_keeps_the_backbone(name):
    cfg = load_config(FILES[name])
    assert cfg.model.cls_head.num_classes == CLASSES[next(data for data in CLASSES if data in name)]
    assert cfg.model.cls_head.dropout_ratio == .5 and cfg.train_cfg.max_epochs == (40 if 'ssv2' in name else 100)
    check_schedule(cfg, weight_decay=.01)
    theirs = load_config(FILES['advise_clip_b16_ucf101']).model.backbone
    if 'pool' in name:
        assert cfg.model.backbone.temporal is None
        teacher = cfg.model.backbone.teacher
        assert cfg.model.cls_head.in_channels == (768 if teacher.name.endswith('b16') else 1024)
        assert teacher.model == IMAGE_MODELS[teacher.name]
        assert 'table5' not in name or teacher.name.startswith(name.partition('table5_')[2].partition('_')[0])
    else:
        assert cfg.model.backbone == theirs
        assert 'StartingWeightsHook' in [hook.type for hook in cfg.custom_hooks]
    assert 'load_from' in cfg and cfg.load_from is None
    train, val, test = (cfg[f'{part}_dataloader'].dataset.pipeline[3] for part in ('train', 'val', 'test'))
    side = PIXELS[name]
    assert (train.size, train.short_side) == (side, (side * 256 // 224, side * 320 // 224))
    assert (val.size, val.short_side) == (test.size, test.short_side) == (side, side * 256 // 224)


@pytest.mark.parametrize('name', ['downstream/finetune_ucf101_split1', 'downstream/finetune_diving48'])
def test_things_are_as_large_for_the_image_model_in_test_as_in_training(name):
    """A bar of 40 of the frame's 256 lines; squares of 256 that the teacher scaled to 224 made it 35."""
    frame = np.zeros((1, 256, 256, 3), np.uint8)
    frame[:, 108:148] = 255
    cfg, heights = load_config(FILES[name]), {}
    for part in ('train', 'val', 'test'):
        crop = TRANSFORMS.build(cfg[f'{part}_dataloader'].dataset.pipeline[3])
        views = crop(dict(frames=frame.copy(), frame_positions=np.zeros((20, 1), int), view_seeds=list(range(20))))
        shown = interpolate(torch.from_numpy(views['imgs'][:, 0]).permute(0, 3, 1, 2).float() / 255, (224, 224))
        heights[part] = shown[:, 0, :, 112].sum(1)
    assert heights['train'].min() >= 39.5 and heights['train'].max() <= 50.5
    assert heights['val'] == pytest.approx(40, abs=.5) and heights['test'] == pytest.approx(40, abs=.5)


@pytest.mark.parametrize('name', FILES)
def test_model_builds_and_only_its_own_parameters_train(name):
    with torch.device('meta'):
        model = MODELS.build(with_small_teachers(load_config(FILES[name])).model)
    keys = {key.partition('.')[0] + '.' + key.split('.')[1] for key in model.state_dict()}
    if name in MODULES + FINETUNING:
        assert keys == {'backbone.temporal', 'cls_head.fc_cls'} - ({'backbone.temporal'} if 'pool' in name else set())
    assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in model.parameters() if p.requires_grad)
    if name in MODULES + FINETUNING:
        assert model.cls_head.in_channels == model.backbone.out_channels


@pytest.mark.parametrize('name', ['advise_clip_b16_ucf101', 'advise_clip_b16_ucf101_public',
                                  'downstream/finetune_ucf101_split1', 'downstream/pool_diving48',
                                  'ablations/table4_clip_dinov2'])
def test_a_step_from_files_to_gradients(name, videos):
    torch.manual_seed(0)
    cfg = with_small_teachers(load_config(FILES[name]))
    if 'pool' not in name:
        cfg.model.backbone.temporal.hidden = 32  # 42 million weights otherwise
    dataset = cfg.train_dataloader.dataset
    dataset.update(root=str(videos), ann_file=str(videos / 'list.txt'))
    samples = [DATASETS.build(dataset)[i] for i in range(2)]
    views = samples[0]['inputs'].shape[0]
    assert samples[0]['inputs'].shape == (4 if name in PRETRAINING else 1, 3, 8, 224, 224)
    model = MODELS.build(cfg.model).train()
    batch = model.data_preprocessor(pseudo_collate(samples), training=True)
    assert batch['inputs'].shape[:2] == (2 * views, 1)
    model(**batch, mode='loss')['loss_cls'].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_video_without_a_clip_is_counted_and_replaced(videos, tmp_path):
    write_video(tmp_path / 'short.mp4', moving_frames(14))
    (tmp_path / 'list.txt').write_text(f'short.mp4 0\n{videos}/0.mp4 0\n')
    dataset = load_config(FILES['advise_clip_b16_ucf101']).train_dataloader.dataset
    dataset.update(root=str(tmp_path), ann_file=str(tmp_path / 'list.txt'))
    sample = DATASETS.build(dataset)[0]['data_samples']
    (path, reason), = sample.unreadable  # UnreadableVideosHook logs and counts these
    assert path.endswith('short.mp4') and reason == 'its 14 frames hold no clip at the lowest rate, which takes 15'
    assert sample.replaced and sample.filename.endswith('0.mp4')


def test_the_page_names_every_file():
    page = (CONFIGS / 'advise' / 'README.md').read_text()
    found = re.findall(r'`(\w[\w*]*\.py)`', page)
    patterns = [re.compile(re.escape(name).replace(r'\*', r'\w+')) for name in found]
    for name in FILES:
        if not name.startswith('downstream'):
            assert any(p.fullmatch(f"{name.rpartition('/')[2]}.py") for p in patterns), name


@pytest.fixture(scope='module')
def digits(tmp_path_factory):
    out = tmp_path_factory.mktemp('mini') / 'digits'
    load_tool('data/make_moving_digits').make(out, workers=1, limit=8)
    return out


def mini(name, digits):
    cfg = load_config(CONFIGS / 'mini' / f'{name}.py')
    cfg.model.backbone.teacher.pop('checkpoint', None)
    cfg.model.backbone.teacher.update(pretrained=False, model=cfg.model.backbone.teacher.model.split('.')[0])
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader, cfg.knn_dataloader):
        for part in loader.dataset.get('datasets', [loader.dataset]):
            part.root = str(digits)
        loader.update(num_workers=0, persistent_workers=False)
    return cfg


@pytest.mark.parametrize('name', ['advise_tmm_digits', 'advise_tmm_digits_cached'])
def test_a_mini_epoch_then_the_table(name, digits, tmp_path, monkeypatch, capsys):
    cfg = mini(name, digits)
    cfg.train_cfg.update(max_epochs=1, val_interval=1, global_batch=4)
    cfg.param_scheduler = [dict(cfg.param_scheduler[-1], begin=0, end=1)]
    cfg.knn_evaluator.k = 500  # of a handful of videos
    if stored := name.endswith('cached'):
        for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            loader.dataset.pipeline[0].update(store=str(tmp_path / 'tokens'), root=str(digits))
            loader.dataset.pipeline[0].teacher = cfg.model.backbone.teacher
    cfg.dump(tmp_path / 'run.py')
    if stored:
        monkeypatch.setattr(sys, 'argv', ['cache_tokens', str(tmp_path / 'run.py'), '--workers', '0'])
        load_tool('data/cache_tokens').main()
    monkeypatch.setattr(sys, 'argv', ['train.py', str(tmp_path / 'run.py'), '--work-dir', str(tmp_path / 'run')])
    runpy.run_path(str(CONFIGS.parent / 'tools' / 'train.py'), run_name='__main__')
    log = next((tmp_path / 'run').glob('2*/*.log')).read_text()
    assert 'Playback rates, clips as shown (rows) and as recognised' in log and 'rate/chance: 0.3333' in log
    checkpoint = tmp_path / 'run' / 'epoch_1.pth'
    monkeypatch.setattr(sys, 'argv', ['knn_table', str(tmp_path / 'run.py'), str(checkpoint), '--out',
                                      str(checkpoint.parent), '--queries', '2', '--tsne', 'motion'])
    load_tool('analysis/knn_table').main()
    table = capsys.readouterr().out
    assert Image.open(checkpoint.parent / 'tsne_motion.png').size[0] > 1500  # four panels
    gallery, k = (int(re.search(pattern, table)[1]) for pattern in (r'gallery of (\d+)', r'k = (\d+)'))
    assert k == gallery
    assert all(row in table for row in ('raw pixels', 'random network', 'teacher', 'AdViSe', 'digit', 'motion'))
    monkeypatch.setattr(sys, 'argv', ['report', str(checkpoint.parent), '--config', str(tmp_path / 'run.py')])
    load_tool('analysis/report').main()
    assert (checkpoint.parent / 'report.html').read_text().count('<figure class="look">') == 2  # live or stored
    info = describe_checkpoint(checkpoint, tmp_path / 'run.py')
    assert info.clip == dict(clip_len=8, frame_interval=1, target_fps=None, sampling='dense', size=48, short_side=48)
    assert info.feature_dim == 128 and all(key.startswith('backbone.temporal.') for key in info.state)


@pytest.mark.parametrize('name', ['advise_tmm_digits', 'advise_tmm_folder', 'advise_tmm_digits_cached'])
def test_mini_models_and_schedules(name, digits):
    cfg = mini(name, digits)
    model = MODELS.build(cfg.model)
    assert model.cls_head.in_channels == model.backbone.out_channels
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_epochs
    assert [part.role for part in cfg.knn_dataloader.dataset.datasets] == ['gallery', 'query']
    if 'cached' in name:
        live = copy.deepcopy(load_config(CONFIGS / 'mini' / 'advise_tmm_digits.py').model.backbone)
        assert dict(live, teacher=cfg.model.backbone.teacher, stored_width=96) == cfg.model.backbone
        live.teacher.pop('checkpoint')
        assert MODELS.build(dict(live, teacher=dict(live.teacher, pretrained=False))).teachers[0].width == 96
        assert TakeTokens.__name__ in [step.type for step in cfg.train_dataloader.dataset.pipeline]


def test_mini_checkpoint_of_stored_tokens_is_evaluated_on_clips(digits, tmp_path):
    cfg = mini('advise_tmm_digits_cached', digits)
    cfg.dump(tmp_path / 'config.py')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'epoch_1.pth')
    encoder = describe_checkpoint(tmp_path / 'epoch_1.pth', tmp_path / 'config.py').build_encoder()
    assert encoder.extract_feat(torch.rand(1, 3, 8, 48, 48)).shape == (1, 8, 128)


def go_on(rank, world_size, digits, checkpoint, folder):
    """The second epoch, by processes that share each batch."""
    two_epochs(Path(digits), folder, 4 // world_size, launcher='pytorch', load_from=checkpoint, resume=True)


def two_epochs(digits, folder, batch_size, **changes):
    cfg = mini('advise_tmm_digits', digits)
    cfg.train_cfg.update(max_epochs=2, global_batch=4)
    cfg.param_scheduler = [dict(cfg.param_scheduler[-1], begin=0, end=2)]
    cfg.train_dataloader.batch_size = batch_size
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.update(work_dir=str(folder), randomness=dict(seed=0), **changes)
    Runner.from_cfg(cfg).train()


def test_one_process_goes_on_as_two(digits, tmp_path):
    """At the steps and learning rates of a run of one. Its BN sees half of each batch, so losses differ a little."""
    two_epochs(digits, tmp_path / 'one', 4)
    run_in_processes(go_on, 2, str(digits), str(tmp_path / 'one' / 'epoch_1.pth'), str(tmp_path / 'two'))
    start, one, two = (torch.load(tmp_path / f'{name}.pth') for name in ('one/epoch_1', 'one/epoch_2', 'two/epoch_2'))
    assert two['meta']['epoch'] == 2 and two['meta']['iter'] == one['meta']['iter'] == 2 * start['meta']['iter']
    assert two['param_schedulers'] == one['param_schedulers']
    (rates, loss), (expected_rates, expected_loss) = (
        [run['message_hub']['log_scalars'][f'train/{name}'].data[0] for name in ('lr', 'loss')] for run in (two, one))
    assert (rates == expected_rates).all() and len(loss) == len(expected_loss) == one['meta']['iter']
    first = start['meta']['iter']
    assert loss[first] == pytest.approx(expected_loss[first], rel=.2)
    assert two['state_dict'].keys() == one['state_dict'].keys()
    assert all(step['step'] == 2 * first for step in two['optimizer']['state'].values())
