"""A teacher that sees some frames of a clip sees the middle ones of equal parts."""

import pytest
import torch
from mmaction.registry import MODELS

from iboot_mm.models.teachers.base import middle_frames

SMALL = dict(type='TimmTeacher', model='test_resnet', pretrained=False, model_args=dict(num_classes=5), input_size=32)
CLIPS = torch.rand(2, 3, 8, 40, 32, generator=torch.Generator().manual_seed(0))


def build(**options):
    torch.manual_seed(0)
    return MODELS.build(dict(SMALL, **options))


@pytest.mark.parametrize('frames, places', [(1, [4]), (2, [2, 6]), (3, [1, 4, 6]), (4, [1, 3, 5, 7]),
                                            (8, [0, 1, 2, 3, 4, 5, 6, 7])])
def test_features_are_those_of_the_chosen_frames(frames, places):
    """Places are the centres of T / frames frames each: floor((i + .5) T / frames)."""
    whole, some = build(), build(frames=frames)
    assert torch.equal(middle_frames(CLIPS, frames), CLIPS[:, :, places])
    features = some(CLIPS)
    assert features.shape == (2, frames, whole.width)
    torch.testing.assert_close(features, whole(CLIPS)[:, places])
    if frames == 8:
        assert torch.equal(features, whole(CLIPS))


@pytest.mark.parametrize('kind, options', [
    ('OpenCLIPTeacher', dict(model='RN50', model_args=dict(force_image_size=32), input_size=None)),
    ('MMPretrainTeacher', dict(model=dict(type='ResNet', depth=18))),
])
def test_every_kind_of_teacher_takes_it(kind, options):
    if kind == 'MMPretrainTeacher':
        pytest.importorskip('mmpretrain')
    options = {**SMALL, 'type': kind, 'frames': 2, **options}
    if kind == 'MMPretrainTeacher':
        options.pop('model_args')
    teacher = MODELS.build(options)
    assert teacher(CLIPS).shape == (2, 2, teacher.width) and teacher.identity()['frames'] == 2


def test_it_is_part_of_the_identity_only_where_it_is_given():
    assert 'frames' not in build().identity() and build(frames=4).identity()['frames'] == 4


def test_bad_numbers():
    with pytest.raises(ValueError, match='Teacher test_resnet: frames must be at least 1, or None for all of a clip'):
        build(frames=0)
    with pytest.raises(ValueError, match='frames=9 of a teacher are more than the 8 of a clip: set frames to 8'):
        build(frames=9)(CLIPS)


def test_per_time_step_a_teacher_needs_as_many_frames_as_the_backbone(slow_backbone):
    def student(frames, temporal_pool):
        return MODELS.build(dict(type='IBoot', backbone=slow_backbone, feature_dim=64, temporal_pool=temporal_pool,
                                 teacher=dict(SMALL, frames=frames, name='small')))
    views = torch.rand(2, 2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="target 'small' has 4 frames of a clip for 8 time steps of the backbone: set "
                                         'temporal_pool=True, or frames of the teacher to at least 8'):
        student(4, False)(views, mode='loss')
    assert student(8, False)(views, mode='loss')['loss_small'] > 0
    assert student(1, True)(views, mode='loss')['loss_small'] > 0


def test_frames_of_another_size_are_told_once(capsys):
    teacher = build()
    for size in (40, 40, 32, 40, 48, 48):
        teacher(torch.rand(1, 3, 2, size, 32))
    told = [line for line in capsys.readouterr().out.splitlines() if 'are scaled' in line]
    assert [line.partition('frames of ')[2] for line in told] == [
        f'{size} x 32 pixels are scaled to its input of 32 x 32.' for size in (40, 48)]
