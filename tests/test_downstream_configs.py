"""Configs that train on labels: their numbers are the papers' (section 4.2; [19] appendix B), and each one builds."""

import math
import re
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, HOOKS, LOOPS, METRICS, MODELS, OPTIMIZERS, PARAM_SCHEDULERS
from mmengine.config import Config
from torch import nn

from .config_files import load_config

FOLDER = Path(__file__).resolve().parents[1] / 'configs/downstream'

# config: model, classes, dropout, epochs, batch, peak learning rate, weight decay, warm-up epochs and where it starts
LINEAR = ('LinearProbe', 400, 0., 100, 64, 1., 0., 8, 0.)
KINETICS = ('Recognizer3D', 400, .5, 100, 64, .01, 0., 8, 0.)
SSV2 = ('Recognizer3D', 174, .5, 40, 64, .15, 1e-4, 3, .08)
UCF101 = ('Recognizer3D', 101, .8, 196, 128, .0025, 0., 0, None)
SCRATCH = ('Recognizer3D', 400, .5, 200, 64, .1, 1e-4, 34, .01)
HMDB51 = ('Recognizer3D', 51, .8, 196, 128, .0025, 0., 0, None)
# sampling, frames, flip, test views: clips x crops; data: folder and training list
DENSE = ('dense', 8, .5, 10, 3)
SEGMENTS = ('segments', 8, 0., 1, 1)
RECIPES = {
    'linear_k400': (LINEAR, DENSE, 'kinetics400', 'kinetics400_train_list_videos.txt'),
    'linear_k400_adapting_bn': (LINEAR, DENSE, 'kinetics400', 'kinetics400_train_list_videos.txt'),
    'finetune_k400': (KINETICS, DENSE, 'kinetics400', 'kinetics400_train_list_videos.txt'),
    'semi_k400_1pct': (KINETICS, DENSE, 'kinetics400', 'kinetics400_train_1pct_list_videos.txt'),
    'semi_k400_10pct': (KINETICS, DENSE, 'kinetics400', 'kinetics400_train_10pct_list_videos.txt'),
    **{f'finetune_ucf101_split{k}': (UCF101, DENSE, 'ucf101', f'ucf101_train_split_{k}_videos.txt') for k in (1, 2, 3)},
    **{f'supervised_k{k}': ((SCRATCH[0], k, *SCRATCH[2:]), DENSE, f'kinetics{k}', f'kinetics{k}_train_list_videos.txt')
       for k in (400, 600, 700)},
    'finetune_ucf101_split1_32frames': (UCF101, ('dense', 32, .5, 10, 3), 'ucf101', 'ucf101_train_split_1_videos.txt'),
    **{f'finetune_hmdb51_split{k}': (HMDB51, DENSE, 'hmdb51', f'hmdb51_train_split_{k}_videos.txt') for k in (1, 2, 3)},
    'finetune_ssv2_8x8_1view': (SSV2, SEGMENTS, 'sthv2', 'sthv2_train_list_videos.txt'),
    'finetune_ssv2_8x8_3views': (SSV2, ('segments', 8, 0., 1, 3), 'sthv2', 'sthv2_train_list_videos.txt'),
    'finetune_ssv2_16x8_3views': (SSV2, ('segments', 16, 0., 1, 3), 'sthv2', 'sthv2_train_list_videos.txt'),
    'finetune_ssv2_8x8_dense': (SSV2, ('dense', 8, 0., 1, 1), 'sthv2', 'sthv2_train_list_videos.txt'),
    'finetune_ssv2_8x8_dense_3views': (SSV2, ('dense', 8, 0., 1, 3), 'sthv2', 'sthv2_train_list_videos.txt'),
    'finetune_ssv2_16x8_dense_3views': (SSV2, ('dense', 16, 0., 1, 3), 'sthv2', 'sthv2_train_list_videos.txt'),
    'finetune_diving48': (('Recognizer3D', 48, *SSV2[2:]), ('segments', 16, .5, 1, 1), 'diving48',
                          'diving48_train_list_videos.txt'),
}
# What no training is: read from stored features.
FROZEN = ('knn_', 'retrieval_', 'linear_fast_', 'zero_shot_', 'order_')


def load(name: str) -> Config:
    return load_config(FOLDER / f'{name}.py')


def test_no_config_is_forgotten():
    assert {path.stem for path in FOLDER.glob('*.py') if not path.stem.startswith(FROZEN)} == set(RECIPES)


@pytest.mark.parametrize('name', RECIPES)
def test_training_is_the_paper_s(name):
    kind, classes, dropout, epochs, batch, lr, decay, warm_up, start = RECIPES[name][0]
    cfg = load(name)
    head = cfg.model.cls_head
    assert (cfg.model.type, head.num_classes, head.dropout_ratio) == (kind, classes, dropout)
    assert head.average_clips == 'prob'
    assert cfg.model.get('bn') == {'linear_k400': 'frozen', 'linear_k400_adapting_bn': 'adapting'}.get(name)
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.global_batch) == (epochs, batch)
    assert epochs % cfg.train_cfg.val_interval == 0  # the last epoch is validated
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=batch)
    nesterov = dict(nesterov=True) if name.startswith('supervised') else {}
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=lr, momentum=.9, weight_decay=decay, **nesterov)
    rates = learning_rates(cfg)
    if name.startswith('supervised'):  # the line ends on the cosine of the whole run
        cosine = [lr * (math.cos(math.pi * epoch / epochs) + 1) / 2 for epoch in range(epochs)]
        assert rates[0] == pytest.approx(start) and rates[warm_up:] == pytest.approx(cosine[warm_up:])
        assert rates[warm_up // 2] == pytest.approx((start + cosine[warm_up]) / 2)
    elif warm_up:
        assert rates[0] == pytest.approx(start, abs=1e-5) and rates[warm_up] == pytest.approx(lr)
        assert rates[warm_up // 2] == pytest.approx(start + (lr - start) * (warm_up // 2) / warm_up, rel=1e-3, abs=1e-5)
        middle = (warm_up + epochs) // 2
        assert rates[middle] == pytest.approx(lr / 2, rel=.05) and rates[-1] < 2e-3 * lr  # cosine
    else:  # [19], B.6: a tenth at epochs 60, 120 and 180
        assert [rates[e] for e in (0, 59, 60, 119, 120, 179, 180, 195)] == pytest.approx(
            [lr, lr, lr / 10, lr / 10, lr / 100, lr / 100, lr / 1000, lr / 1000])


def learning_rates(cfg: Config) -> list[float]:
    """At the start of each epoch, from the schedulers themselves, with one step per epoch."""
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = OPTIMIZERS.build(dict(cfg.optim_wrapper.optimizer, params=[parameter]))
    schedulers = []
    for scheduler in cfg.param_scheduler:
        scheduler = {key: value for key, value in scheduler.items() if key != 'convert_to_iter_based'}
        if scheduler['type'] == 'LinearLR':
            scheduler['end'] += 1  # by iterations it ends where the next begins; by epochs one earlier
        schedulers.append(PARAM_SCHEDULERS.build(dict(scheduler, optimizer=optimizer)))
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


@pytest.mark.parametrize('name', RECIPES)
def test_data_are_the_paper_s(name):
    sampling, clip_len, flip, clips, crops = RECIPES[name][1]
    cfg = load(name)
    train, val, test = (DATASETS.build(dict(cfg[f'{split}_dataloader'].dataset, lazy_init=True))
                        for split in ('train', 'val', 'test'))
    for dataset, views in ((train, 1), (val, 1), (test, clips)):
        sampler, cropper = dataset.pipeline.transforms[1], dataset.pipeline.transforms[3]
        interval = 2 if clip_len == 32 else 8
        assert (sampler.sampling, sampler.clip_len, sampler.frame_interval) == (sampling, clip_len, interval)
        assert (sampler.num_views, sampler.test_mode, sampler.target_fps) == (views, dataset is not train, None)
        assert cropper.test_mode == (dataset is not train)
    crop = train.pipeline.transforms[3]
    assert (crop.size, crop.short_side, crop.area, crop.flip_prob) == (224, (256, 320), None, flip)
    for dataset, squares in ((val, 1), (test, crops)):
        crop = dataset.pipeline.transforms[3]
        assert (crop.size, crop.short_side, crop.crops) == (256, (256, 256), squares)
    folder, list_file = RECIPES[name][2:]
    assert train.ann_file == f'data/{folder}/{list_file}'
    held_out = re.sub('_train(_1pct|_10pct)?_', '_val_', list_file)  # always the whole of it
    assert val.ann_file == test.ann_file == f'data/{folder}/{held_out}'
    kinetics = folder.startswith('kinetics')
    assert train.root == f'data/{folder}/videos{"_train" if kinetics else ""}'
    assert val.root == test.root == f'data/{folder}/videos{"_val" if kinetics else ""}'
    assert not train.test_mode and val.test_mode and test.test_mode


@pytest.mark.parametrize('name', RECIPES)
def test_model_and_runtime_build(name):
    cfg = load(name)
    with torch.device('meta'):  # no memory, no time
        model = MODELS.build(cfg.model)
    assert model.cls_head.fc_cls.in_features == 2048 and model.backbone.depth == 50
    assert [hook.type for hook in cfg.custom_hooks] == [
        'TrainingPlanHook', 'StartingWeightsHook', 'ClassCountHook', 'NaNStopHook', 'UnreadableVideosHook',
        'MissedValidationHook']
    for hook in [*cfg.default_hooks.values(), *cfg.custom_hooks]:
        HOOKS.build(dict(hook))
    METRICS.build(cfg.test_evaluator)
    assert LOOPS.get(cfg.train_cfg.type) and cfg.train_dataloader.sampler.type == 'EpochSampler'
    assert cfg.train_cfg.global_batch % cfg.train_dataloader.batch_size == 0


@pytest.mark.parametrize('name', ['linear_k400', 'finetune_ucf101_split2', 'finetune_ssv2_8x8_1view'])
def test_without_the_data_one_sentence_names_the_list(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = load(name).train_dataloader.dataset
    with pytest.raises(FileNotFoundError, match=f"There is no list '{dataset.ann_file}'"):
        DATASETS.build(dataset).full_init()
    list_file = tmp_path / dataset.ann_file
    list_file.parent.mkdir(parents=True)
    list_file.write_text('a.mp4 0\n')
    with pytest.raises(FileNotFoundError, match=f'{dataset.root}.*set `root`'):
        DATASETS.build(dataset).full_init()
