"""What the tools make of checkpoints of the methods that have no teacher: the backbone, and no scaffolding."""

import json

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from safetensors.torch import load_file

import iboot_mm
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.evaluation.protocols.adaptation import adapt
from iboot_mm.evaluation.protocols.networks import load_network

from ..checkpoint_files import CONFIG, write_checkpoint
from ..scripts import TOOLS, load_tool
from ..videos import moving_frames, write_video

BACKBONE, CLIPS = CONFIG[:CONFIG.index('    teacher=')], CONFIG[CONFIG.index('val_dataloader'):]
HEADS = dict(
    VideoBYOL='projector=dict(hidden_dim=8, out_dim=4), predictor=dict(hidden_dim=8)',
    VideoMoCo='projector=dict(hidden_dim=8, out_dim=4), queue_size=32',
    VideoSimCLR='projector=dict(hidden_dim=8, out_dim=4)',
    VideoSwAV='projector=dict(hidden_dim=8, out_dim=4), num_prototypes=5')


@pytest.fixture(params=HEADS)
def trained(request, tmp_path):
    """A work dir of a method, and what its network makes of a video."""
    text = BACKBONE.replace('IBoot', request.param) + f'    {HEADS[request.param]})\n{CLIPS}'
    trained = write_checkpoint(tmp_path / 'run', text)
    write_video(tmp_path / 'a.mp4', moving_frames(12))
    return dict(trained, folder=tmp_path / 'run', video=tmp_path / 'a.mp4', out=tmp_path / 'out')


def test_only_the_backbone_is_given_away_and_all_of_it_works(trained):
    own = {key: value for key, value in trained['state'].items() if key.startswith('backbone.')}
    assert any(key.startswith('projector.') for key in trained['state'])
    alone, whole = load_tool('convert/publish').publish(trained['checkpoint'], trained['out'])
    folder = load_tool('convert/export_hub').export(trained['checkpoint'], trained['out'] / 'hub')
    for state in (torch.load(whole, weights_only=True)['state_dict'], load_file(folder / 'model.safetensors')):
        assert state.keys() == own.keys() and all(torch.equal(state[key], own[key]) for key in own)
    assert torch.load(alone, weights_only=True)['state_dict'].keys() == {key.removeprefix('backbone.') for key in own}
    assert json.loads((folder / 'config.json').read_text())['teachers'] == []
    assert 'Teacher' not in (folder / 'README.md').read_text()
    features = [iboot_mm.load(source, device='cpu')([trained['video']])
                for source in (trained['folder'], alone, whole, folder)]
    assert features[0].shape == (1, 64) and all(torch.equal(features[0], other) for other in features[1:])


def test_what_needs_a_teacher_is_told(trained):
    info = describe_checkpoint(trained['folder'])
    cfg = Config.fromfile(TOOLS.parent / 'configs' / 'downstream' / 'zero_shot_k400.py')
    with pytest.raises(ValueError, match='no teacher of this checkpoint shares its space with words'):
        adapt(cfg, info)
    with pytest.raises(ValueError, match='no teacher of this checkpoint shares its space with words'):
        load_tool('search_videos').search('a cat', str(trained['video'].parent), info, str(trained['out']))
    with pytest.raises(ValueError, match='my_recipe.py has no teacher: name a config with one'):
        load_network('teacher', 0, trained['config'], trained['out'])


def test_an_evaluation_starts_from_its_backbone(trained):
    network = load_network(str(trained['folder']), 0, None, trained['out'])
    assert network.weights == trained['checkpoint'].resolve()  # which VideoEncoder takes as it is
    cfg = Config.fromfile(TOOLS.parent / 'configs' / 'mini' / 'downstream' / 'knn_digits.py')
    adapt(cfg, network.info)
    encoder = MODELS.build(cfg.model)
    encoder.load_state_dict(torch.load(network.weights, weights_only=False)['state_dict'], strict=False)
    for key, value in encoder.backbone.state_dict().items():
        assert torch.equal(value, trained['state'][f'backbone.{key}'])
