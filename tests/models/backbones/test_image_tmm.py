"""AdViSe's backbone: what time does and does not change, what is trained and saved, what does not serve."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.functional import avg_pool2d

from iboot_mm.models.encoders.video import BACKBONE_MEAN, BACKBONE_STD
from iboot_mm.models.modules.temporal_modules import TEMPORAL_MODULES
from iboot_mm.models.teachers import FrozenTeacher

# 32 pixels in patches of 8: a grid of 4 x 4 tokens of width 16.
TEACHER = dict(type='TimmTeacher', model='vit_tiny_patch16_224', pretrained=False, input_size=32, name='tiny',
               model_args=dict(img_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2))


def backbone(**options):
    torch.manual_seed(0)
    return MODELS.build(dict(dict(type='ImageTMM', teacher=TEACHER, out_channels=24,
                                  temporal=dict(type='r3d', hidden=64)), **options))


@pytest.mark.parametrize('name', TEMPORAL_MODULES)
def test_modules_keep_time_and_space_and_train(name):
    net = backbone(temporal=dict(type=name, hidden=64, blocks=2))
    maps = net(torch.randn(2, 3, 5, 32, 32))
    assert maps.shape == (2, 24, 5, 4, 4)
    maps.square().mean().backward()
    assert len(list(net.parameters())) > 2 and all(p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.parametrize('name, options, blind', [
    ('r3d', {}, True), ('r3d', dict(kernel=1), True), ('r3d', dict(kernel=3), False),
    ('bottleneck', dict(kernel=1), True), ('bottleneck', dict(kernel=3), False), ('bottleneck', {}, False),
    ('conv3d', dict(kernel=1), True), ('conv3d', {}, False), ('swin', {}, False), ('transformer', {}, False)])
def test_order_of_frames(name, options, blind):
    net = backbone(temporal=dict(type=name, hidden=64, **options)).eval()
    clips = torch.randn(2, 3, 8, 32, 32)
    pooled, shuffled = (net(x).mean(dim=(2, 3, 4)) for x in (clips, clips[:, :, [3, 1, 7, 0, 5, 2, 6, 4]]))
    assert ((pooled - shuffled).abs().max() < 2e-6).item() is blind


def test_the_image_model_sees_its_own_normalisation_and_is_reduced_by_averages():
    net = backbone(temporal=None, resolution=2, channels=4)
    frames = torch.rand(2, 3, 3, 32, 32)
    mean, std = (torch.tensor(value).view(3, 1, 1, 1) for value in (BACKBONE_MEAN, BACKBONE_STD))
    maps = net((frames - mean) / std)
    tokens = MODELS.build(dict(TEACHER, output='tokens'))
    tokens.network.load_state_dict(net.teachers[0].network.state_dict())
    expected = tokens(frames).unflatten(2, (4, 4))  # (N, T, h, w, D)
    expected = avg_pool2d(expected.permute(0, 1, 4, 2, 3).flatten(0, 1), 2).unflatten(0, (2, 3))
    expected = torch.stack([expected[:, :, i:i + 4].mean(2) for i in range(0, 16, 4)], dim=1)
    torch.testing.assert_close(maps, expected, rtol=1e-4, atol=1e-5)
    assert net.out_channels == 4 and not list(net.parameters())


def test_joined_image_models_meet_at_the_smaller_grid():
    coarse = dict(TEACHER, model_args=dict(TEACHER['model_args'], patch_size=16, embed_dim=8), name='coarse')
    net = backbone(teacher=[TEACHER, coarse], temporal=None)
    clips = torch.rand(1, 3, 2, 32, 32)
    maps = net.image_maps(clips)
    assert maps.shape == (1, 24, 2, 2, 2)
    own = net.teachers[1](clips).unflatten(2, (2, 2)).permute(0, 4, 1, 2, 3)
    torch.testing.assert_close(maps[:, 16:], own)


def test_stored_maps_give_what_clips_give():
    live, stored = backbone(resolution=2, channels=4), backbone(resolution=2, channels=4, stored_width=16)
    stored.load_state_dict(live.state_dict())
    assert not stored.teachers
    clips = torch.rand(1, 3, 2, 32, 32)
    whole = backbone(temporal=None)
    whole.teachers = live.teachers
    torch.testing.assert_close(stored(whole(clips)), live(clips), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('options, channels', [({}, 16), (dict(stored_width=16), 3)])
def test_clips_and_stored_maps_are_not_mistaken_for_each_other(options, channels):
    with pytest.raises(ValueError, match=f'channels are expected with stored_width=.* but {channels} came'):
        backbone(**options)(torch.rand(1, channels, 2, 4, 4))


def test_a_checkpoint_holds_the_temporal_module_alone():
    net = backbone()
    assert all(key.startswith('temporal.') for key in net.state_dict())
    assert sum(p.numel() for p in net.parameters()) == sum(p.numel() for p in net.temporal.parameters())
    assert not net(torch.rand(1, 3, 2, 32, 32)).isnan().any()


def test_nothing_of_the_image_model_is_kept_for_backward():
    net, kept = backbone(), []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        net(torch.rand(1, 3, 2, 32, 32)).sum()
    weights = {weight.data_ptr() for weight in net.teachers[0].network.parameters()}
    assert kept and not weights & {tensor.data_ptr() for tensor in kept}


@pytest.mark.parametrize('options, words', [
    (dict(temporal=dict(type='lstm')), "no temporal module 'lstm'; choose one of r3d, bottleneck, conv3d, swin"),
    (dict(temporal=dict(type='r3d', depth=2)), "'r3d' has no option 'depth'; it takes blocks, hidden, kernel"),
    (dict(temporal=dict(type='swin', kernel=3)), "'swin' has no option 'kernel'"),
    (dict(temporal=dict(type='r3d', kernel=2)), 'kernel 1 or 3'),
    (dict(temporal=dict(hidden=64)), "does not say which module: add type='r3d'.*or type='bottleneck'.*no type stood"),
    (dict(temporal=dict(kernel=3)), "temporal={'kernel': 3} does not say which module"),
    (dict(temporal=dict(type='transformer', hidden=100)), 'hidden must be a multiple'),
    (dict(channels=5), 'channels=5 does not divide the 16 channels of tiny'),
    (dict(resolution=0), 'resolution=0'),
    (dict(resolution=5), 'resolution=5 is finer than the grid of 4 x 4 patches'),
    (dict(teacher=dict(TEACHER, input_size=(32, 16), model_args=dict(TEACHER['model_args'], img_size=(32, 16)))),
     '8 tokens a frame, which are no square grid')])
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        backbone(**options)(torch.rand(1, 3, 2, 32, 32))


def test_a_stock_recognizer_trains_the_module_and_not_the_image_model():
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='Recognizer3D', backbone=dict(type='ImageTMM', teacher=TEACHER, temporal=dict(type='r3d', hidden=64),
                                           out_channels=24),
        cls_head=dict(type='I3DHead', num_classes=3, in_channels=24, average_clips='prob'),
        data_preprocessor=dict(type='ActionDataPreprocessor', mean=[123.675, 116.28, 103.53],
                               std=[58.395, 57.12, 57.375], format_shape='NCTHW'))).train()
    network = model.backbone.teachers[0].network
    before = [{key: value.clone() for key, value in net.state_dict().items()} for net in (network, model)]
    batch = dict(inputs=[torch.randint(256, (1, 3, 2, 32, 32), dtype=torch.uint8) for _ in range(2)],
                 data_samples=[ActionDataSample().set_gt_label(label) for label in (0, 2)])
    model.train_step(batch, OptimWrapper(torch.optim.AdamW(model.parameters(), lr=.1)))
    assert not any(layer.training for layer in network.modules())
    assert all((value == before[0][key]).all() for key, value in network.state_dict().items())
    assert all((value != before[1][key]).any() for key, value in model.state_dict().items())
    scores = model.eval().test_step(batch)[0].pred_score
    assert scores.shape == (3, ) and scores.sum().item() == pytest.approx(1)


def test_it_is_a_student_of_iboot():
    model = MODELS.build(dict(
        type='IBoot', feature_dim=24, teacher=dict(TEACHER, output='embedding'),
        backbone=dict(type='ImageTMM', teacher=TEACHER, temporal=dict(type='r3d', hidden=64), out_channels=24)))
    views = torch.rand(2, 3, 3, 2, 32, 32)  # (N, V, C, T, H, W)
    model(views, mode='loss')['loss_tiny'].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.backbone.parameters())
    with torch.no_grad():
        assert model.eval().extract_feat(views[:, 0]).shape == (2, 2, 24)


def test_half_precision_stays_within_the_image_model():
    whole, half = backbone(temporal=None), backbone(temporal=None, teacher=dict(TEACHER, precision='bf16'))
    clips = torch.rand(1, 3, 2, 32, 32)
    assert half(clips).dtype == torch.float32
    torch.testing.assert_close(half(clips), whole(clips), rtol=.05, atol=.05)
    assert (half(clips) != whole(clips)).any()


@MODELS.register_module()
class AverageColour(FrozenTeacher):
    """Without patch tokens; it takes an ``output``, but has one feature a frame all the same."""

    def __init__(self, output='embedding'):
        super().__init__(nn.Conv2d(3, 4, 32), model='colour', output=output, mean=(.5, ) * 3, std=(.5, ) * 3,
                         input_size=32, licence='none', pretrained=None, checkpoint=None, precision='fp32',
                         chunk_size=8, name='colour')

    def encode(self, images):
        return self.network(images).flatten(1)


@MODELS.register_module()
class AverageColourOnly(AverageColour):
    """As CONTRIBUTING.md's example: without the argument."""

    def __init__(self):
        super().__init__()


@pytest.mark.parametrize('teacher, words', [
    (dict(type='OpenCLIPTeacher', model='coca_ViT-B-32', pretrained=False, name='coca'),
     "ImageTMM needs the patch tokens .* set teacher to another one: Teacher coca has no output 'tokens'.*pooling$"),
    (dict(type='AverageColourOnly'), "needs the patch tokens .* unexpected keyword argument 'output'"),
    (dict(type='AverageColour'), 'colour gives one feature a frame and no patch tokens'),
    (dict(TEACHER, frames=1), 'teacher.frames=1 leaves out frames .* remove it'),
    (dict(TEACHER, chunk_size=0), '^Teacher vit_tiny_patch16_224: chunk_size'),
    ([], r'or a list of them; got \[\]'),
    ('clip_vit_b16', "teacher is the config of an image model, .*; got 'clip_vit_b16'")])
def test_an_image_model_that_does_not_serve_is_refused(teacher, words):
    with pytest.raises(ValueError, match=words):
        backbone(teacher=teacher)(torch.rand(1, 3, 2, 32, 32))
