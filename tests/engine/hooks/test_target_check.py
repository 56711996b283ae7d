"""Training is refused on targets of another teacher, other clips or another augmentation."""

import copy
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmaction.registry import DATASETS, HOOKS
from mmengine.config import ConfigDict
from mmengine.logging import MMLogger

from iboot_mm.engine.hooks.target_check import differences
from iboot_mm.stores.identity import teacher_identity, without_places
from tests.targets import PREPROCESSOR, TEACHER, dataset_config, write_list, write_targets

MODEL = dict(type='CachedIBoot', teacher=TEACHER, data_preprocessor=PREPROCESSOR)


def identity(teacher=TEACHER, **changes):
    model = dict(dict(type='TeacherEncoder', teacher=teacher, data_preprocessor=PREPROCESSOR, augment=True), **changes)
    return json.loads(json.dumps(dict(
        network=dict(config=without_places(model), teacher=teacher_identity(teacher)),
        data=dict(videos=6, config=without_places(dataset_config(Path('a'), 8))))))


def found(teacher=TEACHER, model=MODEL, sampling=None, videos=6, **changes):
    data = copy.deepcopy(dataset_config(Path('b'), 2, Path('store')))
    data['pipeline'][1].update(sampling or {})
    data['pipeline'][4].update(changes)
    return list(differences(identity(), dict(model, teacher=teacher), data, videos))


def test_the_same_teacher_and_clips():
    assert found() == []
    assert found(teacher=dict(TEACHER, name='another name', chunk_size=3)) == []
    hub, file = dict(TEACHER, checkpoint='here/w.pth'), dict(TEACHER, checkpoint='/there/w.pth')
    assert teacher_identity(hub) == teacher_identity(file) != teacher_identity(dict(TEACHER, checkpoint='v.pth'))


@pytest.mark.parametrize('change, phrase', [
    (dict(teacher=dict(TEACHER, output='mean')), "teacher.output is None there and 'mean' here"),
    (dict(teacher=dict(TEACHER, model='test_vit')), "teacher.model is 'test_resnet' there and 'test_vit' here"),
    (dict(teacher=dict(TEACHER, pretrained='dino')), "teacher.pretrained is False there and 'dino' here"),
    (dict(teacher=dict(TEACHER, checkpoint='x/w.pth')), "teacher.checkpoint is None there and 'w.pth' here"),
    (dict(teacher=dict(TEACHER, input_size=64)), 'teacher.input_size is 32 there and 64 here'),
    (dict(teacher=dict(TEACHER, frames=2)), 'teacher.frames is None there and 2 here'),
    (dict(model=dict(MODEL, data_preprocessor=dict(PREPROCESSOR, gray_prob=0.))),
     'data_preprocessor.gray_prob is None there and 0.0 here'),
    (dict(sampling=dict(clip_len=8)), "SampleViews is {'clip_len': 4, 'frame_interval': 2} there and {'clip_len': 8, "
                                      "'frame_interval': 2} here"),
    (dict(size=16), "CropViews is {'size': 32, 'short_side': [34, 40]} there and {'size': 16, 'short_side': [34, 40]} "
                    'here'),
    (dict(model=dict(MODEL, motion=dict(teacher=dict(type='TimmTeacher', model='a')))),
     "motion.teacher.type is None there and 'TimmTeacher' here"),
    (dict(videos=7), 'number of videos is 6 there and 7 here'),
])
def test_what_differs_is_named(change, phrase):
    assert found(**change)[:1] == [phrase]
    assert len(found(**change)) == 1 or 'motion' in phrase  # of which all is new


@pytest.mark.parametrize('option', [dict(max_span=1.), dict(same_clip=True)])
def test_views_cannot_be_tied_to_a_clip_drawn_before(option):
    assert found(sampling=option)[-1] == ('max_span and same_clip of SampleViews tie views to the reference clip, '
                                          'which is drawn by itself')


def test_clips_that_are_sampled_otherwise():
    data = dataset_config(Path('b'), 2, Path('store'))
    data['pipeline'][1]['type'] = 'Others'
    assert [phrase.split()[0] for phrase in differences(identity(), MODEL, data, 6)] == ['SampleViews', 'Others']


def test_clips_have_to_be_augmented():
    data = dataset_config(Path('b'), 2, Path('store'))
    assert list(differences(identity(augment=False), MODEL, data, 6)) == [
        'its clips were not augmented, for want of model.augment=True']


def test_before_training_it_reads_what_the_loop_wrote(tmp_path):
    videos = write_list(tmp_path / 'videos')
    write_targets(videos, tmp_path / 'store')

    def start(model=MODEL, store=tmp_path / 'store', dataset=None):
        config = ConfigDict(dataset or dataset_config(videos, 2, store))
        cfg = ConfigDict(model=model, train_dataloader=dict(dataset=config))
        runner = SimpleNamespace(cfg=cfg, logger=MMLogger.get_current_instance(),
                                 train_dataloader=SimpleNamespace(dataset=DATASETS.build(config)))
        HOOKS.build(dict(type='TargetCheckHook')).before_train(runner)

    start()
    with pytest.raises(ValueError, match='The targets in .* are not those of this training: teacher.output is None '
                                         "there and 'mean' here. Set the config to what they were written with"):
        start(dict(MODEL, teacher=dict(TEACHER, output='mean')))
    with pytest.raises(ValueError, match='the training pipeline needs one LoadTargets, got 0'):
        start(store=None)
    joined = dict(type='ConcatDataset', datasets=[dataset_config(videos, 2, tmp_path / 'store')] * 2)
    for dataset in (joined, dict(type='RepeatDataset', dataset=joined, times=2)):
        with pytest.raises(ValueError, match=r'joined data sets \(train_dataloader.dataset is a ConcatDataset of 2\).*'
                                             'list all videos in one ann_file, or train IBoot'):
            start(dataset=dataset)
