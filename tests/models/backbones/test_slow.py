import pytest
import timm
import torch
import torchvision
from mmaction.registry import MODELS
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import iboot_mm  # noqa: F401  registers the components
from iboot_mm.models.backbones import SlowResNet
from iboot_mm.models.backbones.inflation import inflate, name_in_2d


def count(depth: int, size: int, kind: str = 'SlowResNet') -> tuple[float, float]:
    """Millions of parameters with a 400-way classifier, and 1e9 multiply-adds of convolutions at 8 x size x size."""
    with torch.device('meta'):
        network = MODELS.build(dict(type=kind, depth=depth))
        network.eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            features = network(torch.zeros(1, 3, 8, size, size))
    assert features.shape[2:] == (8, size // 32, size // 32)
    width = features.shape[1]
    parameters = sum(parameter.numel() for parameter in network.parameters()) + 401 * width - width + 400
    return parameters / 1e6, counter.get_total_flops() / 2e9


@pytest.mark.parametrize(
    'depth, size, millions, billions',
    [
        (18, 224, 20.229, 20.058),
        (50, 224, 32.454, 41.740),
        (101, 224, 51.446, 71.438),
        (101, 256, 51.446, 93.306),
    ],
)
def test_papers_parameters_and_multiply_adds(depth, size, millions, billions):
    assert count(depth, size) == pytest.approx((millions, billions), abs=6e-4)


def test_stock_networks_stay_what_they_are():
    assert count(18, 224, 'ResNet3dSlowOnly') == pytest.approx((32.026, 27.456), abs=6e-4)
    assert count(101, 224, 'ResNet3dSlowOnly') == pytest.approx((60.359, 85.413), abs=6e-4)


def test_r50_is_mmactions_network():
    ours = MODELS.build(dict(type='SlowResNet', base_channels=4)).eval()
    stock = MODELS.build(dict(type='ResNet3dSlowOnly', base_channels=4))
    stock.eval()
    assert list(ours.state_dict()) == list(stock.state_dict())
    stock.load_state_dict(ours.state_dict())
    clips = torch.randn(2, 3, 4, 32, 32)
    assert ours(clips).equal(stock(clips))


def test_residual_branches_start_alive():
    network = MODELS.build(dict(type='SlowResNet', depth=18, base_channels=4))
    network.init_weights()
    assert (network.layer1[0].conv2.bn.weight == 1).all()
    network = MODELS.build(dict(type='SlowResNet', depth=18, base_channels=4, zero_init_residual=True))
    network.init_weights()
    assert (network.layer1[0].conv2.bn.weight == 0).all()


def test_train_returns_the_network_and_keeps_frozen_stages():
    network = SlowResNet(depth=18, base_channels=4, frozen_stages=1)
    assert network.eval() is network and network.train() is network
    assert not network.conv1.training and not network.layer1.training and network.layer2.training
    assert not network.layer1[0].conv1.conv.weight.requires_grad


def test_unknown_depth():
    with pytest.raises(ValueError, match='18, 34, 50, 101, 152'):
        SlowResNet(depth=20)


# Inflation ------------------------------------------------------------------------------------------------------------


def randomise(network: nn.Module) -> nn.Module:
    """Random affine parameters and statistics of the norms, which start out as ones and zeros."""
    for norm in network.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                value.data.uniform_(0.5, 1.5)
    network.eval()  # not chained: mmpretrain's returns None
    return network


def resnet2d(library: str, depth: int) -> nn.Module:
    if library == 'torchvision':
        return getattr(torchvision.models, f'resnet{depth}')(num_classes=3)
    if library == 'timm':
        return timm.create_model(f'resnet{depth}', num_classes=3)
    from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS

    return MMPRETRAIN_MODELS.build(dict(type='mmpretrain.ResNet', depth=depth))


def features2d(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    if hasattr(network, 'forward_features'):
        return network.forward_features(images)
    if hasattr(network, 'out_indices'):
        return network(images)[-1]
    return nn.Sequential(*list(network.children())[:-2])(images)


NESTINGS = {
    'torchvision': lambda state: state,
    'timm': lambda state: {'state_dict': {f'module.{key}': value for key, value in state.items()}},
    'mmpretrain': lambda state: {
        'state_dict': {'head.fc.weight': torch.zeros(2, 2)} | {f'backbone.{key}': value for key, value in state.items()}
    },
}


@pytest.mark.parametrize('depth', [18, 50])
@pytest.mark.parametrize('library', list(NESTINGS))
def test_an_inflated_resnet_starts_as_the_2d_one(library, depth, tmp_path):
    """By value: kernels sum to the 2D ones over time, norms are equal, and a still clip has the 2D features."""
    source = randomise(resnet2d(library, depth))
    torch.save(NESTINGS[library](source.state_dict()), tmp_path / 'resnet.pth')
    network = SlowResNet(depth=depth, pretrained=str(tmp_path / 'resnet.pth'))
    network.init_weights()
    network.eval()
    state = source.state_dict()
    inflated = 0
    for name, value in network.state_dict().items():
        original = state[name_in_2d(name)]
        if value.dim() == 5:
            inflated += value.shape[2] > 1
            torch.testing.assert_close(value.sum(2), original)
        else:
            assert value.equal(original)
    assert inflated == {18: 4, 50: 9}[depth]
    images = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    clips = images.unsqueeze(2).expand(-1, -1, 2 * inflated + 1, -1, -1)  # zero padding doesn't reach the middle frame
    with torch.no_grad():
        expected = features2d(source.double(), images)
        torch.testing.assert_close(network.double()(clips)[:, :, inflated], expected, rtol=1e-5, atol=1e-5)


def test_inflate_spreads_a_kernel_over_time():
    kernel = torch.randn(2, 3, 1, 1)
    assert inflate(kernel, 3).shape == (2, 3, 3, 1, 1)
    torch.testing.assert_close(inflate(kernel, 3)[:, :, 1], kernel / 3)


def test_the_online_encoder_of_moco(tmp_path):
    state = torchvision.models.resnet18().state_dict()
    nested = {f'module.encoder_q.{key}': value for key, value in state.items()}
    nested |= {f'module.encoder_k.{key}': value * 0 for key, value in state.items()}
    torch.save({'state_dict': nested}, tmp_path / 'moco.pth')
    network = SlowResNet(depth=18, pretrained=str(tmp_path / 'moco.pth'))
    network.init_weights()
    assert network.conv1.conv.weight[:, :, 0].equal(state['conv1.weight'])


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda state: {'something.weight': torch.zeros(2)}, 'holds no plain 2D ResNet'),
        (
            lambda state: {key: value for key, value in state.items() if 'layer4.1' not in key},
            r'missing \(layer4\.1\.conv1\.conv\.weight',
        ),
        (
            lambda state: state | {'layer4.1.conv2.weight': torch.zeros(8, 8, 3, 3)},
            r'misshapen \(layer4\.1\.conv2\.conv\.weight \(8, 8',
        ),
    ],
)
def test_what_does_not_match_is_an_error(spoil, message, tmp_path):
    torch.save(spoil(torchvision.models.resnet18().state_dict()), tmp_path / 'spoilt.pth')
    network = SlowResNet(depth=18, pretrained=str(tmp_path / 'spoilt.pth'))
    before = network.conv1.conv.weight.clone()
    with pytest.raises(ValueError, match=message) as error:
        network.init_weights()
    assert 'spoilt.pth' in str(error.value)
    assert network.conv1.conv.weight.equal(before)


def test_a_3d_file_is_not_inflated_and_a_2d_file_is_not_taken_as_3d(tmp_path):
    source = SlowResNet(depth=18, base_channels=4)
    torch.save(source.state_dict(), tmp_path / '3d.pth')
    with pytest.raises(ValueError, match='pretrained2d=False'):
        SlowResNet(depth=18, base_channels=4, pretrained=str(tmp_path / '3d.pth')).init_weights()
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / '2d.pth')
    with pytest.raises(ValueError, match='missing'):
        SlowResNet(depth=18, pretrained=str(tmp_path / '2d.pth'), pretrained2d=False).init_weights()


@pytest.mark.parametrize(
    'nest',
    [
        lambda state: state,
        lambda state: {
            'state_dict': {f'backbone.{key}': value for key, value in state.items()}
            | {'projectors.0.weight': torch.zeros(1)},
            'meta': {},
        },
    ],
)
@pytest.mark.parametrize('way', ['pretrained', 'init_cfg'])
def test_weights_of_a_pretrained_video_backbone(nest, way, tmp_path):
    source = randomise(SlowResNet(depth=18, base_channels=4))
    file = str(tmp_path / 'iboot.pth')
    torch.save(nest(source.state_dict()), file)
    options = (
        dict(pretrained=file, pretrained2d=False)
        if way == 'pretrained'
        else dict(init_cfg=dict(type='Pretrained', checkpoint=file, prefix='backbone'))
    )
    network = SlowResNet(depth=18, base_channels=4, **options)
    network.init_weights()
    for name, value in network.state_dict().items():
        assert value.equal(source.state_dict()[name]), name


def test_missing_file():
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        SlowResNet(depth=18, base_channels=4, pretrained='nowhere.pth').init_weights()
