"""The frame encoder against timm's own networks: shapes, values, files."""

import pytest
import timm
import torch
from mmaction.registry import MODELS
from torch import nn

from iboot_mm.models.backbones import FrameResNetV2
from iboot_mm.models.encoders.video import VideoEncoder

SMALL = dict(channels=(128, 128, 128, 256), stem_chs=32)  # timm's BiT has all layers of a ResNet-50
STOCK = dict(bn='resnetv2_50', gn='resnetv2_50x1_bit')


def stock(norm: str, **options) -> nn.Module:
    """timm's network of the small widths; kernels are drawn already, norms and statistics here."""
    torch.manual_seed(1)
    network = timm.create_model(STOCK[norm], **{'num_classes': 0, **SMALL, **options})
    for value in network.state_dict().values():
        if value.ndim == 1:
            value.uniform_(.5, 1.5)
    return network.eval()


@pytest.mark.parametrize('options, name, theirs, millions', [
    (dict(), 'resnetv2_50', dict(), 23.500),
    (dict(width_factor=3), 'resnetv2_50', dict(width_factor=3), 211.174),
    (dict(norm='gn'), 'resnetv2_50x1_bit', dict(), 23.500),
    (dict(norm='gn', width_factor=3), 'resnetv2_50x3_bit', dict(), 211.174)])
def test_weights_are_timms(options, name, theirs, millions):
    with torch.device('meta'):
        ours, reference = FrameResNetV2(**options), timm.create_model(name, num_classes=0, **theirs)
    shapes = [{key: value.shape for key, value in network.state_dict().items()} for network in (ours, reference)]
    assert shapes[0] == shapes[1]
    assert sum(weight.numel() for weight in ours.parameters()) / 1e6 == pytest.approx(millions, abs=6e-4)
    assert ours.num_features == 2048 * options.get('width_factor', 1)


@pytest.mark.parametrize('norm', ['bn', 'gn'])
@pytest.mark.parametrize('training', [False, True])
def test_maps_and_gradients_are_timms(norm, training):
    reference, ours = stock(norm).train(training), FrameResNetV2(norm=norm, **SMALL).train(training)
    ours.load_state_dict(reference.state_dict())
    images = torch.rand(3, 3, 48, 48)
    maps, expected = ours(images), reference.forward_features(images)
    assert maps.shape == (3, 256, 2, 2) and maps.equal(expected)
    for features in (maps, expected):
        features.square().mean().backward()
    for one, other in zip(ours.parameters(), reference.parameters(), strict=True):
        assert one.grad.equal(other.grad)
    for one, other in zip(ours.buffers(), reference.buffers(), strict=True):
        assert one.equal(other)


@pytest.mark.parametrize('norm', ['bn', 'gn'])
def test_frames_of_a_clip_are_images(norm):
    network = FrameResNetV2(norm=norm, **SMALL).eval()
    clips = torch.rand(2, 3, 4, 32, 32)
    with torch.no_grad():
        maps = network(clips)
        for t in range(4):
            torch.testing.assert_close(maps[:, :, t], network(clips[:, :, t]), rtol=1e-4, atol=1e-6)
        assert maps.shape == (2, 256, 4, 1, 1)
        encoder = VideoEncoder(dict(type='FrameResNetV2', norm=norm, **SMALL)).eval()
        encoder.backbone.load_state_dict(network.state_dict())
        expected = network(encoder.normalize(clips)).mean(dim=(3, 4)).transpose(1, 2)  # (N, T, D)
        torch.testing.assert_close(encoder.extract_feat(clips), expected)


def test_group_norm_leaves_images_to_themselves_and_standardises_kernels():
    images = torch.rand(2, 3, 48, 48)
    for norm, alone in (('gn', True), ('bn', False)):
        network = FrameResNetV2(norm=norm, **SMALL).train()
        network.load_state_dict(stock(norm).state_dict())
        with torch.no_grad():
            maps = network(images)
            assert torch.allclose(network(images[:1]), maps[:1], rtol=1e-4, atol=1e-4) is alone
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.mul_(3.).add_(.5)
            assert torch.allclose(network(images), maps, rtol=1e-3, atol=1e-3) is alone


def test_a_tuple_for_mmpretrain():
    network = FrameResNetV2(as_tuple=True, **SMALL).eval()
    images = torch.rand(1, 3, 32, 32)
    maps = network(images)
    network.as_tuple = False
    assert isinstance(maps, tuple) and len(maps) == 1 and maps[0].equal(network(images))


def test_initialisation_is_that_of_a_seed_with_branches_alive():
    model = VideoEncoder(dict(type='FrameResNetV2', **SMALL))
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        model.init_weights()
        model._is_init = False
        states.append({key: value.clone() for key, value in model.backbone.state_dict().items()})
    assert all(value.equal(states[1][key]) for key, value in states[0].items())
    last = model.backbone.stages[0].blocks[1].conv3.weight
    assert last.std().item() == pytest.approx((2 / last.shape[0])**.5, rel=.1)  # by fan-out
    network = FrameResNetV2(init_cfg=dict(type='Constant', layer='Conv2d', val=.25), **SMALL)
    network.init_weights()
    assert (network.stem.conv.weight == .25).all()


# Files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('way, nest', [
    ('pretrained', lambda state: state),  # timm's own, with a classifier
    ('init_cfg', lambda state: dict(state_dict={
        f'backbone.{key}': value for key, value in state.items() if not key.startswith('head')
    } | {'pool.weight': torch.zeros(1)}, meta={}))])
def test_files_load_by_value(way, nest, tmp_path):
    source, file = stock('bn', num_classes=5), str(tmp_path / 'weights.pth')
    torch.save(nest(source.state_dict()), file)
    options = dict(pretrained=file) if way == 'pretrained' else dict(
        init_cfg=dict(type='Pretrained', checkpoint=file, prefix='backbone.'))
    network = MODELS.build(dict(type='FrameResNetV2', **SMALL, **options))
    network.init_weights()
    for key, value in network.state_dict().items():
        assert value.equal(source.state_dict()[key]), key


@pytest.mark.parametrize('other, message', [
    (dict(layers=(3, 4, 6, 2)), r'missing \(stages\.3\.blocks\.2\.norm1\.weight'),
    (dict(layers=(3, 4, 6, 4)), r'unexpected \(stages\.3\.blocks\.3\.norm1\.weight'),
    (dict(channels=(128, 128, 128, 512)), r'misshapen \(stages\.3\.blocks\.0\.downsample\.conv\.weight')])
def test_a_file_of_another_network_changes_nothing(other, message, tmp_path):
    torch.save(stock('bn', **other).state_dict(), tmp_path / 'other.pth')
    network = FrameResNetV2(pretrained=str(tmp_path / 'other.pth'), **SMALL)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=message) as error:
        network.init_weights()
    assert 'other.pth' in str(error.value)
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize('options, message', [
    (dict(norm='ln'), "norm is 'bn' or 'gn', got 'ln'"),
    (dict(layers=(1, 1, 1)), r'one entry per stage, got \(1, 1, 1\) and \(128, '),
    (dict(norm='gn', channels=(64, 128, 128, 256)), r'multiples of 32, got channels=\(64, ')])
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        FrameResNetV2(**{**SMALL, **options})
