"""What a teacher is shown of a clip: the same numbers by hand, for every kind of teacher."""

import pytest
import torch
from mmaction.registry import MODELS

from iboot_mm.models.modules.motion import correspondences, dynamic_image

SMALL = dict(type='TimmTeacher', model='test_resnet', pretrained=False, model_args=dict(num_classes=5), input_size=32)
CLIPS = torch.rand(3, 3, 5, 40, 36, generator=torch.Generator().manual_seed(0))


def build(**options):
    torch.manual_seed(0)
    return MODELS.build(dict(SMALL, **options))


def maps_by_hooks(teacher, layer, clips):
    """What a layer gives for each frame: ``(N, T, D, h, w)``."""
    seen = []
    handle = teacher.network.get_submodule(layer).register_forward_hook(lambda module, inputs, out: seen.append(out))
    teacher.network(teacher.prepare(clips.transpose(1, 2).flatten(0, 1)))
    handle.remove()
    return seen[0].unflatten(0, (len(clips), -1))


def test_a_dynamic_image_is_one_frame_of_its_own():
    teacher, plain = build(shown='dynamic_image'), build()
    features = teacher(CLIPS)
    assert features.shape == (3, 1, plain.width) and teacher.width == plain.width
    torch.testing.assert_close(features, plain(dynamic_image(CLIPS)[:, :, None]))


@pytest.mark.parametrize('stride, layer', [(None, 'layer2'), (4, 'layer1'), (8, 'layer2'), (16, 'layer3')])
def test_correspondences_are_those_of_the_map_of_that_stride(stride, layer):
    """In chunks of whole clips, of which two hold the three clips."""
    teacher = build(shown=dict(type='correspondences', stride=stride, reach=1), chunk_size=10)
    features = teacher(CLIPS)
    assert features.shape == (3, 1, 9) and teacher.width == 9
    torch.testing.assert_close(features[:, 0], correspondences(maps_by_hooks(teacher, layer, CLIPS), reach=1))


@pytest.mark.parametrize('kind, options, stride', [
    ('OpenCLIPTeacher', dict(model='RN50', model_args=dict(force_image_size=32)), 8),
    ('OpenCLIPTeacher', dict(model='ViT-B-32', model_args=dict(force_image_size=64)), 32),
    ('TimmTeacher', dict(model='test_vit', model_args=dict(num_classes=5, img_size=64), input_size=64), 16),
    ('TimmTeacher', dict(model='mobilenetv2_100', input_size=64), 8),
    ('MMPretrainTeacher', dict(model=dict(type='ResNet', depth=18, out_indices=(1, )), input_size=64), 8),
])
def test_convolutions_and_transformers(kind, options, stride):
    if kind == 'MMPretrainTeacher':
        pytest.importorskip('mmpretrain')
    teacher = MODELS.build(dict(type=kind, pretrained=False, shown='correspondences', **options))
    side = teacher.input_size[0] // stride
    features = teacher(CLIPS)
    assert features.shape == (3, 1, 25)
    torch.testing.assert_close(features.sum(-1), torch.ones(3, 1))
    maps = teacher.encode_maps(teacher.prepare(CLIPS[:, :, 0]), teacher._shown.level)
    assert len(maps) == 1 and maps[0].shape[2:] == (side, side)
    with pytest.raises(ValueError, match='has no maps of stride 5; set stride .* to one of '):
        MODELS.build(dict(type=kind, pretrained=False, shown=dict(type='correspondences', stride=5), **options))


def test_a_vits_map_is_its_grid_of_tokens():
    options = dict(model='test_vit', model_args=dict(num_classes=5, img_size=64), input_size=64)
    teacher, tokens = build(**options, shown='correspondences'), build(**options, output='tokens')
    grid = tokens(CLIPS).transpose(2, 3).unflatten(3, (4, 4))  # (N, T, D, 4, 4)
    torch.testing.assert_close(teacher(CLIPS)[:, 0], correspondences(grid))


def test_it_is_part_of_the_identity_only_where_it_is_given():
    assert 'shown' not in build().identity()
    shown = dict(type='correspondences', stride=4)
    assert build(shown=shown).identity()['shown'] == shown


@pytest.mark.parametrize('shown, sentence', [
    ('movie', "Teacher test_resnet: there is nothing to show called 'movie'; set shown to one of frames, "
              'dynamic_image, correspondences'),
    (dict(stride=8), 'there is nothing to show called None'),
    (dict(type='dynamic_image', stride=8), "shown='dynamic_image' takes no options, got stride"),
    (dict(type='correspondences', radius=2), "shown='correspondences' takes stride, reach, gap and temperature, got r"),
    (dict(type='correspondences', temperature=0), 'correspondences: temperature must be above 0, got 0'),
])
def test_bad_options(shown, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(shown=shown)


def test_a_backbone_of_images_needs_every_frame():
    with pytest.raises(ValueError, match="ImageTMM: teacher.shown='dynamic_image' leaves out frames .* remove it"):
        MODELS.build(dict(type='ImageTMM', teacher=dict(SMALL, shown='dynamic_image')))
