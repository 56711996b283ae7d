import pytest
import torch
from mmaction.registry import MODELS
from safetensors.torch import save_file

from iboot_mm.evaluation.protocols.networks import load_network

CONFIG = '''
model = dict(type='IBoot', feature_dim=64, teacher=dict(type='PatchMeanTeacher'), backbone=dict(
    type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False, pretrained='somewhere.pth'))
test_dataloader = dict(dataset=dict(type='VideoFolder', pipeline=[
    dict(type='SampleViews', clip_len=4, frame_interval=2),
    dict(type='CropViews', size=32, short_side=36, test_mode=True)]))
'''


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    return path


def test_a_random_network_is_a_function_of_its_seed(config, tmp_path):
    first, again, other = (load_network('random', seed, config, tmp_path / folder)
                           for seed, folder in ((0, 'a'), (0, 'b'), (1, 'a')))
    states = [torch.load(n.weights, weights_only=True)['state_dict'] for n in (first, again, other)]
    key = 'backbone.layer1.0.conv1.conv.weight'
    assert torch.equal(states[0][key], states[1][key]) and not torch.equal(states[0][key], states[2][key])
    assert first.info.clip['clip_len'] == 4 and first.info.feature_dim == 64
    backbone = MODELS.build(first.info.backbone)  # without the weights that its training would start from
    backbone.load_state_dict({key.removeprefix('backbone.'): value for key, value in states[0].items()})


def test_a_network_without_weights_of_its_own_has_no_file(config, tmp_path):
    config.write_text(CONFIG + '''
teacher = dict(type='TimmTeacher', model='vit_tiny_patch16_224', pretrained=False,
               model_args=dict(img_size=32, patch_size=8, embed_dim=16, depth=1, num_heads=2))
model = dict(type='Recognizer3D', cls_head=dict(in_channels=16), backbone=dict(
    type='ImageTMM', teacher=teacher, temporal=None))
''')
    network = load_network('random', 0, config, tmp_path / 'out')
    assert network.weights is network.sha256 is None and network.info.backbone['temporal'] is None
    assert not (tmp_path / 'out').exists()  # an empty file is refused as load_from


def test_a_training_checkpoint_is_used_as_it_is_and_a_safetensors_file_is_copied(config, tmp_path):
    network = load_network('random', 0, config, tmp_path)
    state = dict(torch.load(network.weights, weights_only=True)['state_dict'])
    state['projectors.0.weight'] = torch.zeros(8, 64)
    torch.save(dict(meta=dict(epoch=1), state_dict=state), tmp_path / 'epoch_1.pth')
    loaded = load_network(str(tmp_path / 'epoch_1.pth'), 0, config, tmp_path / 'out')
    assert loaded.weights == tmp_path / 'epoch_1.pth' and len(loaded.sha256) == 64
    torch.save(dict(state_dict={k.removeprefix('backbone.'): v for k, v in state.items() if k.startswith('backbone.')},
                    meta=dict(loaded.info.description(), teachers=[])), tmp_path / 'bare.pth')
    bare = load_network(str(tmp_path / 'bare.pth'), 0, None, tmp_path / 'out')
    assert bare.weights.parent == tmp_path / 'out'
    copied = torch.load(bare.weights, weights_only=True)['state_dict']
    assert all(torch.equal(copied[key], value) for key, value in state.items() if key.startswith('backbone.'))
    state['backbone.conv1.conv.weight'] += 1
    save_file(state, tmp_path / 'other.safetensors')
    other = load_network(str(tmp_path / 'other.safetensors'), 0, config, tmp_path / 'out')
    assert other.weights != bare.weights  # or the results of one would pass for the other's


def test_a_teacher_is_that_of_the_config(config, tmp_path):
    network = load_network('teacher', 2, config, tmp_path)
    assert network.teacher == dict(type='PatchMeanTeacher') and network.weights is network.sha256 is None
    assert network.clip == load_network('random', 0, config, tmp_path).clip
    config.write_text(CONFIG.replace("dict(type='PatchMeanTeacher')", "[dict(type='A'), dict(type='B')]"))
    with pytest.raises(ValueError, match='several teachers'):
        load_network('teacher', 0, config, tmp_path)


@pytest.mark.parametrize('name', ['random', 'teacher'])
def test_without_a_config_it_is_told(name, tmp_path):
    with pytest.raises(ValueError, match=f'{name} needs --config'):
        load_network(name, 0, None, tmp_path)
    with pytest.raises(FileNotFoundError, match='there is no config .*nope.py: name the one of the pre-training'):
        load_network(name, 0, tmp_path / 'nope.py', tmp_path)
