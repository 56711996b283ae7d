"""Real loading code with small weights made here: ResNets as SwAV and mmpretrain publish them, a vision transformer."""

import pytest
import torch
from mmaction.registry import MODELS
from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS

from iboot_mm.models.teachers import MMPretrainTeacher
from iboot_mm.models.teachers.mmpretrain import resolve

RESNET = dict(type='ResNet', depth=50, base_channels=8, stem_channels=8)
VIT = dict(
    type='VisionTransformer',
    img_size=32,
    patch_size=8,
    arch=dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48),
)


def resnet() -> torch.nn.Module:
    torch.manual_seed(0)
    network = MMPRETRAIN_MODELS.build(dict(RESNET, type='mmpretrain.ResNet'))
    for buffer in network.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    network.eval()
    return network


FILES = {
    'swav': lambda state: (
        {f'module.{key}': value for key, value in state.items()}
        | {'module.projection_head.0.weight': torch.zeros(2, 2), 'module.prototypes.weight': torch.zeros(2, 2)}
    ),
    'classifier': lambda state: {
        'state_dict': {f'backbone.{key}': value for key, value in state.items()}
        | {'head.fc.weight': torch.zeros(2, 2)},
        'meta': {},
    },
    'torchvision': lambda state: state | {'fc.weight': torch.zeros(2, 2), 'fc.bias': torch.zeros(2)},
}


@pytest.mark.parametrize('file', list(FILES))
def test_published_files(file, tmp_path):
    network = resnet()
    torch.save(FILES[file](network.state_dict()), tmp_path / f'{file}.pth.tar')
    teacher = MODELS.build(
        dict(type='MMPretrainTeacher', model=RESNET, checkpoint=str(tmp_path / f'{file}.pth.tar'), input_size=64)
    )
    clips = torch.rand(2, 3, 2, 64, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.no_grad():
        expected = network((clips.transpose(1, 2).flatten(0, 1) - mean) / std)[-1].mean((2, 3)).unflatten(0, (2, 2))
    assert teacher.width == 256
    torch.testing.assert_close(teacher(clips), expected, atol=1e-4, rtol=1e-4)
    assert teacher.identity()['checkpoint'] == f'{file}.pth.tar'
    assert teacher.licence == ('CC-BY-NC-4.0' if file == 'swav' else 'unknown')


def test_the_rest_loads_strictly(tmp_path):
    state = FILES['swav'](resnet().state_dict())
    del state['module.layer4.2.conv3.weight']
    torch.save(state | {'module.neck2.weight': torch.zeros(1)}, tmp_path / 'bad.pth')
    with pytest.raises(
        ValueError, match=r'bad\.pth.*missing \(layer4\.2\.conv3\.weight\).*unexpected \(neck2\.weight\)'
    ):
        MMPretrainTeacher(RESNET, checkpoint=str(tmp_path / 'bad.pth'))


@pytest.mark.parametrize(
    'model, output, shape',
    [
        (RESNET, 'tokens', (1, 2, 1, 256)),
        (RESNET, 'mean', (1, 2, 256)),
        (VIT, 'embedding', (1, 2, 24)),
        (VIT, 'cls', (1, 2, 24)),
        (VIT | dict(out_type='raw'), 'tokens', (1, 2, 16, 24)),
        (VIT | dict(out_type='raw'), 'cls', (1, 2, 24)),
        (VIT | dict(out_type='featmap'), 'mean', (1, 2, 24)),
    ],
)
def test_outputs(model, output, shape):
    teacher = MMPretrainTeacher(model, pretrained=False, output=output, input_size=32)
    assert teacher(torch.rand(1, 3, 2, 32, 32)).shape == shape
    assert not any(module.training for module in teacher.network.modules())


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(model=RESNET), 'ResNet has no weights: give checkpoint=FILE'),
        (dict(model='resnet50_8xb32_in2k'), "no model 'resnet50_8xb32_in2k'; did you mean .*resnet50_8xb32_in1k"),
        (dict(model=RESNET, pretrained=False, output='cls'), "no output 'cls': it has no class token"),
        (dict(model=VIT, pretrained=False, output='tokens', input_size=32), "out_type='featmap'"),
    ],
)
def test_one_sentence_for_bad_options(options, message):
    with pytest.raises(ValueError, match=message) as error:
        MMPretrainTeacher(**options)
    assert '\n' not in str(error.value)


def test_models_by_name_bring_their_weights_and_scaling():
    backbone, weights, mean, std = resolve('resnet50_8xb32_in1k')
    assert backbone.type == 'ResNet' and weights.startswith('https://') and weights.endswith('.pth')
    assert mean == pytest.approx((0.485, 0.456, 0.406), abs=1e-3) and std == pytest.approx(
        (0.229, 0.224, 0.225), abs=1e-3
    )
