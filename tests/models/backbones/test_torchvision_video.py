"""torchvision's networks without their heads, against torchvision's own."""

import pytest
import torch
import torchvision
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.models.backbones import TorchvisionVideoBackbone
from tests.models.backbones.test_slow import randomise


def torchvisions(name: str) -> torch.nn.Module:
    """With a classifier of 3 classes and norms that are not the identity."""
    return randomise(torchvision.models.get_model(name, num_classes=3))


@pytest.fixture(scope='module')
def file(tmp_path_factory):
    """torchvision's own kind of weight file, of S3D."""
    file = tmp_path_factory.mktemp('weights') / 's3d.pth'
    torch.save(torchvisions('s3d').state_dict(), file)
    return file


@pytest.mark.parametrize('name, shape', [('r2plus1d_18', (512, 1, 2, 2)), ('mc3_18', (512, 8, 2, 2)),
                                         ('s3d', (1024, 1, 1, 1))])
def test_the_map_is_what_torchvision_classifies(name, shape):
    source = torchvisions(name)
    network = TorchvisionVideoBackbone(name).eval()
    own = network.state_dict()
    network.load_state_dict({key: value for key, value in source.state_dict().items() if key in own})
    clips, seen = torch.rand(2, 3, 8, 32, 32), []
    source.avgpool = torch.nn.AdaptiveAvgPool3d(1)  # S3D's own wants 16 x 224 x 224
    source.avgpool.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        features = network(clips)
        source(clips)
    assert features.shape == (2, *shape)
    torch.testing.assert_close(features, seen[0], rtol=0, atol=0)
    assert {key.split('.')[0] for key in source.state_dict().keys() - own.keys()} <= {'fc', 'classifier'}


def test_a_file_of_torchvisions_loads_without_its_classifier(file):
    network = TorchvisionVideoBackbone('s3d', pretrained=str(file))
    network.init_weights()
    saved = torch.load(file)
    for key, value in network.state_dict().items():
        assert value.equal(saved[key]), key


def test_a_checkpoint_loads_in_a_stock_recognizer(file, tmp_path):
    """``backbone.*`` of a training checkpoint, through MMAction2's way of initialising."""
    source = TorchvisionVideoBackbone('s3d', pretrained=str(file))
    source.init_weights()
    state = {f'backbone.{key}': value for key, value in source.state_dict().items()}
    torch.save(dict(state_dict=state | {'projector.0.weight': torch.zeros(1)}), tmp_path / 'checkpoint.pth')
    model = MODELS.build(dict(
        type='Recognizer3D', cls_head=dict(type='I3DHead', num_classes=5, in_channels=1024, average_clips='prob'),
        backbone=dict(type='TorchvisionVideoBackbone', name='s3d', pretrained=str(tmp_path / 'checkpoint.pth'))))
    model.init_weights()
    assert all(value.equal(source.state_dict()[key]) for key, value in model.backbone.state_dict().items())
    with torch.no_grad():
        scores = model.eval().predict(torch.rand(1, 1, 3, 8, 32, 32), [ActionDataSample()])[0].pred_score
    torch.testing.assert_close(scores.sum(), torch.tensor(1.))


@pytest.mark.parametrize('name, width, size', [('r2plus1d_18', 512, 16), ('s3d', 1024, 32)])
def test_a_step_of_iboot(name, width, size):
    torch.manual_seed(0)
    model = MODELS.build(dict(type='IBoot', backbone=dict(type='TorchvisionVideoBackbone', name=name),
                              feature_dim=width, teacher=dict(type='PatchMeanTeacher'))).train()
    inputs = torch.rand(4, 2, 3, 8, size, size)
    before = model.parse_losses(model(inputs, mode='loss'))[0]
    before.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
    torch.optim.SGD(model.parameters(), lr=1e-5).step()
    with torch.no_grad():
        assert model.parse_losses(model(inputs, mode='loss'))[0] < before - 1e-2


@pytest.mark.parametrize('spoil, message', [
    (lambda state: {key: value for key, value in state.items() if not key.startswith('features.15')},
     r'missing \(features\.15'),
    (lambda state: state | {'features.99.weight': torch.zeros(1)}, r'unexpected \(features\.99'),
    (lambda state: torchvision.models.video.r3d_18(num_classes=2).state_dict(), r'missing \(features.*stem'),
])
def test_a_file_that_does_not_fit_changes_nothing(file, spoil, message, tmp_path):
    torch.save(spoil(torch.load(file)), tmp_path / 'spoilt.pth')
    network = TorchvisionVideoBackbone('s3d', pretrained=str(tmp_path / 'spoilt.pth'))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=message) as error:
        network.init_weights()
    assert 'spoilt.pth' in str(error.value)
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())


def test_running_statistics_move_as_in_the_other_backbones():
    network = TorchvisionVideoBackbone('s3d')
    clips = torch.rand(2, 3, 8, 32, 32)
    with torch.no_grad():
        network(clips)
        first = network.features[0][0]  # convolution and BN of the stem
        expected = .1 * first[0](clips).mean((0, 2, 3, 4))
    torch.testing.assert_close(first[1].running_mean, expected)


def test_unknown_name():
    with pytest.raises(ValueError, match="r2plus1d_18, s3d, got 'mvit_v2_s'"):
        TorchvisionVideoBackbone('mvit_v2_s')
