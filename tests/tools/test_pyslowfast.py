"""Files of PySlowFast and back: who takes them, with which features, and what is told when it does not work."""

import sys
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor

import iboot_mm
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.checkpoints.pyslowfast import from_peer
from iboot_mm.evaluation.protocols.adaptation import adapt
from iboot_mm.evaluation.protocols.networks import load_network

from ..checkpoint_files import write_checkpoint
from ..peer_checkpoints import byol, supervised
from ..scripts import load_tool
from ..videos import moving_frames, write_video

pyslowfast = load_tool('convert/pyslowfast')
DOWNSTREAM = Path(__file__).resolve().parents[2] / 'configs/downstream'
WIDTH = dict(backbone=dict(base_channels=4), cls_head=dict(in_channels=128, num_classes=5))


@pytest.fixture(scope='module')
def files(tmp_path_factory) -> dict[str, Path]:
    """A contrastive and a supervised checkpoint, and what was made of them."""
    folder = tmp_path_factory.mktemp('peer')
    for name, content in (('byol', byol()), ('classifier', supervised())):
        torch.save(content, folder / f'{name}.pyth')
        pyslowfast.convert(folder / f'{name}.pyth', folder / f'{name}.pth')
    return {path.name: path for path in folder.iterdir()}


def peer_features(state: dict[str, Tensor], clips: Tensor) -> Tensor:
    """What the network gives for clips in [0, 1] that are normalised as the peer does it."""
    conversion = from_peer(state)
    network = MODELS.build(conversion.backbone).eval()
    network.load_state_dict({name.removeprefix('backbone.'): value for name, value in conversion.state.items()
                             if name.startswith('backbone.')})
    with torch.no_grad():
        return network((clips - .45) / .225).mean(dim=(2, 3, 4))


def test_what_was_done_is_said(files):
    said = pyslowfast.convert(files['byol.pyth'], files['byol.pth'])
    for part in ('Slow R50 16x4 (as the file says), training byol; 318 entries converted', '334 of the momentum copy',
                 '16 of projection and prediction heads', "the same as MMAction2's ResNet3dSlowOnly",
                 'mean [0.45, 0.45, 0.45] and std [0.225, 0.225, 0.225]'):
        assert part in said
    assert 'left out: nothing' in pyslowfast.convert(files['classifier.pyth'], files['classifier.pth'])


def test_without_settings_the_clips_are_a_guess_or_an_argument(files, tmp_path):
    torch.save(byol()['model_state'], tmp_path / 'bare.pyth')  # a state dict alone
    said = pyslowfast.convert(tmp_path / 'bare.pyth', tmp_path / 'a.pth')
    assert '8x8 (a guess, the file does not say: see --clip), training unknown' in said
    said = pyslowfast.convert(tmp_path / 'bare.pyth', tmp_path / 'b.pth', clip_size=(32, 2))
    assert '32x2 (as --clip says)' in said
    clips = [describe_checkpoint(path).clip for path in (tmp_path / 'a.pth', tmp_path / 'b.pth', files['byol.pth'])]
    assert [(clip['clip_len'], clip['frame_interval'], clip['target_fps']) for clip in clips] == [
        (8, 8, 30), (32, 2, 30), (16, 4, 30)]


@pytest.mark.parametrize('kind, name', [('SlowResNet', 'byol'), ('ResNet3dSlowOnly', 'classifier')])
def test_a_recognizer_loads_it_bit_by_bit(files, tmp_path, name, kind):
    head = dict(type='I3DHead', in_channels=128, num_classes=5)
    model = dict(type='Recognizer3D', backbone=dict(type=kind, depth=50, base_channels=4), cls_head=head)
    model['backbone'] |= dict(pretrained=None) if kind == 'ResNet3dSlowOnly' else {}
    runner = Runner(model=model, work_dir=str(tmp_path), load_from=str(files[f'{name}.pth']), log_level='ERROR',
                    default_scope='mmaction', experiment_name=f'{tmp_path.name}_{kind}_{name}')
    runner.load_or_resume()
    expected = from_peer(torch.load(files[f'{name}.pyth'], weights_only=True)['model_state']).state
    own = runner.model.state_dict()
    assert len(expected) == 318 + 2 * (name == 'classifier')
    assert all(torch.equal(own[key], value) for key, value in expected.items())


def test_features_need_the_peer_s_normalisation_and_get_it(files):
    encoder = describe_checkpoint(files['byol.pth']).build_encoder()
    views = torch.rand(2, 1, 3, 4, 32, 32)  # (N, V, C, T, H, W)
    expected = peer_features(byol()['model_state'], views[:, 0])
    samples = encoder(views, [ActionDataSample(), ActionDataSample()], mode='predict')
    torch.testing.assert_close(torch.stack([sample.feature for sample in samples]), expected)
    encoder.backbone_mean.fill_(.5)
    assert (encoder(views).mean(dim=(1, 2)) - expected).abs().max() > 1e-2


def test_one_line_of_python_gives_them_for_videos(files, tmp_path):
    write_video(tmp_path / 'a.mp4', moving_frames(40))
    extract = iboot_mm.load(files['byol.pth'], device='cpu')
    views = extract.pipeline(dict(filename=str(tmp_path / 'a.mp4'), sample_idx=0))['inputs']
    assert views.shape == (1, 3, 16, 224, 224)
    torch.testing.assert_close(extract(tmp_path / 'a.mp4'), peer_features(byol()['model_state'], views / 255),
                               atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('way', ['tools/evaluate.py', 'pyslowfast_input.py'])
@pytest.mark.parametrize('name', ['knn_k400', 'linear_k400'])
def test_evaluations_feed_it_as_it_was_trained(files, tmp_path, name, way):
    if way == 'tools/evaluate.py':
        network = load_network(str(files['byol.pth']), 0, None, tmp_path)
        assert network.weights == files['byol.pth']  # the file itself is load_from
        cfg = Config.fromfile(DOWNSTREAM / f'{name}.py')
        adapt(cfg, network.info)
    else:
        part = 'encoder' if name == 'knn_k400' else 'recognizer'
        (tmp_path / 'mine.py').write_text(
            f"_base_ = ['{DOWNSTREAM}/{name}.py', '{DOWNSTREAM}/_base_/pyslowfast_input.py']\n"
            f'model = _base_.pyslowfast_{part}\n')
        cfg = Config.fromfile(tmp_path / 'mine.py')
        cfg.merge_from_dict(dict(model={key: value for key, value in WIDTH.items() if key in cfg.model}))
    model = MODELS.build(cfg.model).eval()
    model.load_state_dict(torch.load(files['byol.pth'], weights_only=True)['state_dict'], strict=False)
    clips = torch.randint(256, (1, 1, 3, 4, 32, 32), dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=[clips[0]], data_samples=[ActionDataSample()]))
    with torch.no_grad():
        features = (model(data['inputs']) if name == 'knn_k400' else
                    model.extract_feat(data['inputs'])[0].mean(dim=(3, 4)).transpose(1, 2)[None])
    torch.testing.assert_close(features.mean(dim=(1, 2)), peer_features(byol()['model_state'], clips[:, 0] / 255),
                               atol=1e-5, rtol=1e-5)


def test_there_and_back_is_bit_by_bit_and_keeps_the_input(files, tmp_path):
    said = pyslowfast.revert(files['classifier.pth'], tmp_path / 'back.pyth')
    assert 'DATA.MEAN [0.45, 0.45, 0.45]' in said and 'guess' not in said and 'RESNET.WIDTH_PER_GROUP 4' in said
    back, before = (torch.load(path, weights_only=True) for path in (tmp_path / 'back.pyth', files['classifier.pyth']))
    assert back['model_state'].keys() == before['model_state'].keys()
    assert all(torch.equal(value, before['model_state'][key]) for key, value in back['model_state'].items())
    assert back.keys() == {'model_state', 'cfg'}  # with an epoch, the peer would want an optimizer's state too
    pyslowfast.convert(tmp_path / 'back.pyth', tmp_path / 'again.pth')
    again, first = (describe_checkpoint(path) for path in (tmp_path / 'again.pth', files['classifier.pth']))
    assert (again.clip, again.normalization, again.backbone) == (first.clip, first.normalization, first.backbone)


IBOOT = '''
model = dict(type='IBoot', backbone=dict(type='SlowResNet', depth=50, base_channels=4), feature_dim=128,
             teacher=dict(type='PatchMeanTeacher'), target_norm='center', momentum=dict(base=.9))
'''


def test_an_iboot_checkpoint_goes_to_the_peer_with_its_backbone_alone(tmp_path):
    trained = write_checkpoint(tmp_path, IBOOT)
    said = pyslowfast.revert(trained['checkpoint'], tmp_path / 'iboot.pyth')
    assert '318 entries converted' in said and ' of projectors.*' in said and ' of momentum.*' in said
    assert 'DATA.MEAN [0.485, 0.456, 0.406], DATA.STD [0.229, 0.224, 0.225]' in said and 'a guess' in said
    content = torch.load(tmp_path / 'iboot.pyth', weights_only=True)
    assert yaml.safe_load(content['cfg'])['DATA']['STD'] == [.229, .224, .225]
    back = from_peer(content['model_state']).state
    expected = {key: value for key, value in trained['state'].items() if key.startswith('backbone.')}
    assert back.keys() == expected.keys() and all(torch.equal(back[key], value) for key, value in expected.items())


class CfgNode(dict):
    """As of a file whose settings were pickled as an object."""


@pytest.mark.parametrize('content, message', [
    (dict(model_state={}, cfg=CfgNode()), r'plain weights, and nothing in it was executed.*test_pyslowfast\.CfgNode'),
    (dict(epoch=3), 'holds no model_state'), ([1], 'holds a list'), (OrderedDict(a=1), 'holds no model_state'),
    (dict(model_state=dict(what=torch.ones(1))), 'in.pyth was not converted: 1 of its entries are unknown: what')])
def test_a_file_that_is_refused_leaves_nothing_behind(content, message, tmp_path, monkeypatch):
    torch.save(content, tmp_path / 'in.pyth')
    monkeypatch.setattr(sys, 'argv', ['pyslowfast.py', str(tmp_path / 'in.pyth'), str(tmp_path / 'out' / 'out.pth')])
    with pytest.raises(SystemExit, match=f'^pyslowfast: .*{message}'):
        pyslowfast.main()
    assert [path.name for path in tmp_path.iterdir()] == ['in.pyth']


def test_the_command(files, tmp_path, monkeypatch, capsys):
    def call(*arguments) -> str:
        monkeypatch.setattr(sys, 'argv', ['pyslowfast.py', *map(str, arguments)])
        pyslowfast.main()
        return capsys.readouterr().out

    assert '334 of the online network' in call(files['byol.pyth'], tmp_path / 'copy.pth', '--momentum')
    copy, online = (torch.load(path, weights_only=True)['state_dict']
                    for path in (tmp_path / 'copy.pth', files['byol.pth']))
    assert not torch.equal(copy['backbone.conv1.conv.weight'], online['backbone.conv1.conv.weight'])
    assert '4x16 (as --clip says)' in call(files['byol.pyth'], tmp_path / 'clip.pth', '--clip', '4x16')
    assert 'TRAIN.CHECKPOINT_FILE_PATH' in call('--reverse', tmp_path / 'copy.pth', tmp_path / 'back.pyth')
    for wrong in (['--clip', 'long'], ['--clip', '8x0'], ['--reverse', '--momentum']):
        with pytest.raises(SystemExit):
            call(files['byol.pyth'], tmp_path / 'no.pth', *wrong)
        assert wrong[0] == '--reverse' or f'{wrong[1]!r} is not frames x stride, such as 8x8' in capsys.readouterr().err
    with pytest.raises(SystemExit, match='^pyslowfast: there is no file nowhere.pyth'):
        call('nowhere.pyth', tmp_path / 'no.pth')
    assert not (tmp_path / 'no.pth').exists()


@pytest.mark.parametrize('name, options, message', [
    ('byol.pth', [], "it is one of MMAction2's, which --reverse takes"),
    ('byol.pyth', ['--reverse'], "it is one of PySlowFast's: leave --reverse out")])
def test_the_other_way_is_named(files, tmp_path, monkeypatch, name, options, message):
    monkeypatch.setattr(sys, 'argv', ['pyslowfast.py', str(files[name]), str(tmp_path / 'out'), *options])
    with pytest.raises(SystemExit, match=message):
        pyslowfast.main()


def test_the_source_is_not_overwritten(files, tmp_path):
    link = tmp_path / 'link.pyth'
    link.symlink_to(files['byol.pyth'])
    before = files['byol.pyth'].read_bytes()
    for out in (files['byol.pyth'], link):
        with pytest.raises(ValueError, match='is the checkpoint to read, most of which would be lost'):
            pyslowfast.convert(files['byol.pyth'], out)
    assert files['byol.pyth'].read_bytes() == before
