"""A protocol's config, made to fit a network and videos of one's own."""

import json
from pathlib import Path

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config

from iboot_mm.checkpoints.description import CheckpointInfo
from iboot_mm.evaluation.protocols.adaptation import adapt, set_duration
from iboot_mm.evaluation.protocols.lists import LabelledVideos, count_videos

from ...videos import moving_frames, write_video

CLIP = dict(clip_len=4, frame_interval=2, target_fps=15, sampling='dense', size=64, short_side=68)


def pipeline(**crop):
    return [dict(type='OpenVideo'), dict(type='SampleViews', num_views=10, clip_len=8, frame_interval=8),
            dict(type='DecodeViews'), dict(type='CropViews', **crop), dict(type='PackViews', label='a')]


def classifier():
    test = dict(type='VideoFolder', root='data/x', ann_file='data/test.txt', test_mode=True,
                pipeline=pipeline(size=256, short_side=256, test_mode=True, crops=3))
    return Config(dict(
        model=dict(type='Recognizer3D', backbone=dict(type='SlowResNet', depth=50),
                   cls_head=dict(type='I3DHead', in_channels=2048, num_classes=400)),
        train_dataloader=dict(dataset=dict(type='VideoFolder', root='data/x', ann_file='data/train.txt',
                                           label_names=('a', 'b'),
                                           pipeline=pipeline(size=224, short_side=(256, 320), flip_prob=0.))),
        val_dataloader=dict(dataset=test), test_dataloader=dict(dataset=test),
        train_cfg=dict(max_epochs=100, global_batch=64), custom_hooks=[dict(type='ClassCountHook')],
        param_scheduler=[dict(type='LinearLR', begin=0, end=8, convert_to_iter_based=True),
                         dict(type='CosineAnnealingLR', begin=8, end=100, convert_to_iter_based=True),
                         dict(type='MultiStepLR', milestones=[60, 80])]))


def features():
    parts = [dict(type='VideoFolder', role=role, root='data/x', ann_file=f'data/{role}.txt', test_mode=True,
                  pipeline=pipeline(size=224, short_side=256, test_mode=True)) for role in ('gallery', 'query')]
    return Config(dict(model=dict(type='VideoEncoder', backbone=dict(type='SlowResNet', depth=50)),
                       test_dataloader=dict(dataset=dict(type='ConcatDataset', datasets=parts)),
                       test_evaluator=[dict(type='ZeroShotMetric', class_names='old.txt', label='a')]))


@pytest.fixture
def videos(tmp_path):
    for name in 'abc':
        write_video(tmp_path / f'{name}.mp4', moving_frames(8))
    (tmp_path / 'train.txt').write_text('a.mp4 0\nb.mp4 3\n')
    (tmp_path / 'test.txt').write_text('c.mp4 1\n')
    return LabelledVideos(tmp_path, tmp_path / 'train.txt', tmp_path / 'test.txt')


def steps(cfg, loader):
    return {step['type']: step for step in cfg[loader].dataset.pipeline}


def info(**changes):
    settings = dict(path=Path('epoch_1.pth'), config='config.py', state={}, feature_dim=128, clip=CLIP, teachers=[],
                    backbone=dict(type='SlowResNet', depth=18, base_channels=16), temporal_pool=True,
                    target_norm='none')
    return CheckpointInfo(**{**settings, **changes})


def test_the_network_takes_the_place_of_the_configs_own():
    cfg = classifier()
    adapt(cfg, info())
    assert cfg.model.backbone == info().backbone and cfg.model.cls_head.in_channels == 128
    cfg = features()
    adapt(cfg, info())
    assert cfg.model.backbone == info().backbone and 'cls_head' not in cfg.model


def test_the_input_is_normalised_as_the_network_knows_it():
    own = info(normalization=dict(mean=[.4, .2, .6], std=[.2, .1, .3]))
    cfg = classifier()
    cfg.model.data_preprocessor = dict(type='ActionDataPreprocessor', mean=[1, 2, 3], std=[4, 5, 6])
    usual = dict(cfg.model.data_preprocessor)
    adapt(cfg, info())
    assert cfg.model.data_preprocessor == usual
    adapt(cfg, own)
    assert cfg.model.data_preprocessor == dict(usual, mean=[102, 51, 153], std=[51, 25.5, 76.5])
    cfg = features()
    adapt(cfg, own)
    assert cfg.model.normalization == own.normalization


CLIP_TEACHER = dict(type='OpenCLIPTeacher', model='ViT-B-16', pretrained='openai', output='embedding', width=512)


def zero_shot():
    cfg = features()
    cfg.model = dict(type='JointSpaceEncoder', backbone=dict(type='SlowResNet', depth=50), feature_dim=2048, width=768)
    cfg.test_evaluator[0].text = dict(type='OpenCLIPText', model='ViT-L-14', pretrained='other')
    return cfg


def test_zero_shot_takes_w_and_the_text_tower_of_the_networks_teacher():
    cfg = zero_shot()
    other = dict(type='TimmTeacher', model='resnet50', width=9)
    own = dict(mean=[.4, .2, .6], std=[.2, .1, .3])
    adapt(cfg, info(teachers=[other, CLIP_TEACHER], target_norm='standardize', temporal_pool=False, normalization=own))
    assert MODELS.build(cfg.model).backbone_mean.flatten().tolist() == pytest.approx(own['mean'])
    assert (cfg.model.feature_dim, cfg.model.width, cfg.model.target) == (128, 512, 1)
    assert (cfg.model.target_norm, cfg.model.temporal_pool) == ('standardize', False)
    assert cfg.test_evaluator[0].text == dict(type='OpenCLIPText', model='ViT-B-16', pretrained='openai')


def test_classes_that_come_as_vectors_need_no_text():
    cfg = zero_shot()
    cfg.test_evaluator[0] = dict(type='ZeroShotMetric', embeddings='classes.npy')
    adapt(cfg, info(teachers=[dict(type='TimmTeacher', model='resnet50', width=9)]))
    assert (cfg.model.width, cfg.model.target) == (9, 0) and 'text' not in cfg.test_evaluator[0]


@pytest.mark.parametrize('teachers, words', [
    ([], 'none is named'), ([dict(type='TimmTeacher', model='resnet50', width=9)], 'resnet50'),
    ([dict(CLIP_TEACHER, output='cls')], 'cls')])
def test_zero_shot_of_a_network_that_knows_no_text_is_told(teachers, words):
    with pytest.raises(ValueError, match=words):
        adapt(zero_shot(), info(teachers=teachers))


def test_linear_classifiers_get_the_seed():
    cfg = features()
    cfg.test_evaluator.append(dict(type='LinearOnFeaturesMetric'))
    adapt(cfg, seed=3)
    assert cfg.test_evaluator[1]['seed'] == 3 and 'seed' not in cfg.test_evaluator[0]


def test_a_teacher_takes_the_place_of_the_model():
    cfg = features()
    adapt(cfg, teacher=dict(type='PatchMeanTeacher'))
    assert cfg.model == dict(type='TeacherEncoder', teacher=dict(type='PatchMeanTeacher'))


def test_clips_are_those_of_the_checkpoint_and_the_number_of_views_is_the_protocols():
    cfg = classifier()
    adapt(cfg, info(), clip=CLIP)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        sample = steps(cfg, loader)['SampleViews']
        assert (sample.clip_len, sample.frame_interval, sample.target_fps, sample.num_views) == (4, 2, 15, 10)
    crop = steps(cfg, 'train_dataloader')['CropViews']
    assert (crop['size'], crop.short_side, crop.flip_prob) == (64, (73, 91), 0.)  # 64 x 256 / 224, 64 x 320 / 224
    crop = steps(cfg, 'test_dataloader')['CropViews']
    assert (crop['size'], crop.short_side, crop.crops) == (68, 68, 3)
    cfg = features()
    adapt(cfg, info())
    assert cfg.test_dataloader.dataset.datasets[0].pipeline[1].clip_len == 8  # a published protocol's own
    adapt(cfg, info(), clip=CLIP)
    crop = cfg.test_dataloader.dataset.datasets[0].pipeline[3]
    assert (crop['size'], crop.short_side) == (64, 68)


def test_own_videos_train_on_the_first_list_and_test_on_the_second(videos):
    cfg = classifier()
    adapt(cfg, videos=videos)
    assert cfg.model.cls_head.num_classes == 4
    assert cfg.custom_hooks[0] == dict(type='ClassCountHook', exact=False)  # the last class may be the test's alone
    assert cfg.train_cfg.global_batch == 2  # no more than there are
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    assert train.root == test.root == str(videos.root) and train.label_names is None
    assert 'label' not in train.pipeline[4]
    assert (train.ann_file, test.ann_file) == (str(videos.train), str(videos.test))
    assert {name: count['videos'] for name, count in count_videos(cfg).items()} == dict(train=2, test=1)
    cfg = features()
    with pytest.raises(ValueError, match='--class-names FILE'):
        adapt(cfg, videos=videos)
    cfg = features()
    adapt(cfg, videos=LabelledVideos(videos.root, videos.train, videos.test, videos.root / 'names.txt'))
    assert [part.ann_file for part in cfg.test_dataloader.dataset.datasets] == [str(videos.train), str(videos.test)]
    assert cfg.test_evaluator[0] == dict(type='ZeroShotMetric', class_names=str(videos.root / 'names.txt'))
    (videos.root / 'counts.json').write_text(json.dumps(dict(lists={'train.txt': dict(listed=2, official=5)})))
    assert count_videos(cfg) == dict(gallery=dict(videos=2, official=5), query=dict(videos=1, official=None))


def test_lists_without_classes_are_told(videos):
    videos.test.write_text('c.mp4\n')
    with pytest.raises(ValueError, match='need a class after each path'):
        adapt(classifier(), videos=videos)


def test_a_schedule_is_stretched_as_a_whole(videos):
    videos.train.write_text('a.mp4 0\n' * 1280)  # 20 steps of 64
    cfg = classifier()
    adapt(cfg, videos=videos, epochs=25)
    assert cfg.train_cfg.max_epochs == 25
    assert [(s.begin, s.end) for s in cfg.param_scheduler[:2]] == [(0, 2), (2, 25)]
    assert cfg.param_scheduler[2].milestones == [15, 20]
    adapt(cfg, epochs=1)
    assert [(s.begin, s.end) for s in cfg.param_scheduler[:2]] == [(0, .08), (.08, 1)]  # .08 epochs: one step
    videos.train.write_text('a.mp4 0\n' * 64)
    cfg = classifier()
    adapt(cfg, videos=videos, epochs=1)
    assert [s.type for s in cfg.param_scheduler] == ['CosineAnnealingLR', 'MultiStepLR']  # no room for a warm-up


def test_a_warm_up_inside_its_scheduler_is_stretched(videos):
    videos.train.write_text('a.mp4 0\n' * 1280)
    cfg = classifier()
    cfg.param_scheduler = [dict(type='WarmupCosineLR', start_factor=0., warmup=8, end=100, convert_to_iter_based=True)]
    adapt(cfg, videos=videos, epochs=25)
    assert (cfg.param_scheduler[0].warmup, cfg.param_scheduler[0].end) == (2, 25)


@pytest.mark.parametrize('backbone, shown', [('SlowResNet', '4x2'), ('ImageTMM', ''), ('FrameResNetV2', '')])
def test_duration_of_clips(backbone, shown):
    cfg = classifier()
    cfg.model.backbone.type = backbone
    cfg.train_dataloader.batch_size = cfg.val_dataloader.batch_size = cfg.test_dataloader.batch_size = 16
    assert set_duration(cfg, CLIP) == shown
    views = cfg.test_dataloader.dataset.pipeline[1]
    assert (views.clip_len, views.frame_interval, views.get('target_fps')) == ((4, 2, 15) if shown else (8, 8, None))
    assert views.num_views == 10 and cfg.train_dataloader.batch_size == 16  # shorter clips come in the same batches
