"""What is read from each kind of checkpoint, and what is refused."""

import shutil

import pytest
import timm
import torch

from iboot_mm.checkpoints.description import describe_checkpoint

from ..checkpoint_files import CONFIG, STOCK_CONFIG, write_checkpoint
from ..scripts import load_tool

export_hub = load_tool('convert/export_hub')
publish = load_tool('convert/publish')


@pytest.fixture
def trained(tmp_path) -> dict:
    return dict(write_checkpoint(tmp_path / 'run'), work_dir=tmp_path / 'run', out=tmp_path / 'published')


def edit(trained: dict, old: str, new: str) -> None:
    text = trained['config'].read_text()
    assert old in text
    trained['config'].write_text(text.replace(old, new))


def test_a_training_checkpoint_with_its_config(trained):
    info = describe_checkpoint(trained['checkpoint'], trained['config'])
    assert (info.path, info.config) == (trained['checkpoint'], 'my_recipe.py')
    assert info.backbone == dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False)
    assert info.clip == dict(clip_len=4, frame_interval=2, target_fps=None, sampling='dense', size=32, short_side=40)
    assert (info.feature_dim, info.temporal_pool, info.target_norm) == (64, True, 'standardize')
    assert info.teachers == [dict(type='PatchMeanTeacher', width=8),
                             dict(type='PatchMeanTeacher', width=6, name='other', seed=1)]


def test_the_state_is_that_of_backbone_teachers_maps_and_statistics(trained):
    state = describe_checkpoint(trained['checkpoint'], trained['config']).state
    assert {key.split('.')[0] for key in trained['state']} > {'backbone', 'projectors', 'target_norms'}
    # Projector 2 is of the momentum copy.
    assert state.keys() == {key for key in trained['state'] if key.startswith((
        'backbone.', 'projectors.0.', 'projectors.1.', 'target_norms.0.', 'target_norms.1.'))}
    assert all(torch.equal(state[key], trained['state'][key]) for key in state)


def test_without_a_config_the_one_beside_the_checkpoint_is_taken(trained):
    assert describe_checkpoint(trained['checkpoint']).clip['size'] == 32


def test_a_work_dir_stands_for_its_last_checkpoint_wherever_it_is_moved(trained, tmp_path):
    assert describe_checkpoint(trained['work_dir']).path == trained['checkpoint']
    moved = shutil.move(trained['work_dir'], tmp_path / 'moved')
    assert describe_checkpoint(moved).path == tmp_path / 'moved' / 'epoch_3.pth'


def test_published_files_say_the_same_without_a_config(trained):
    backbone, whole = publish.publish(trained['checkpoint'], trained['out'], trained['config'])
    expected = describe_checkpoint(trained['checkpoint'], trained['config'], build_teachers=True)
    for path in (backbone, whole):
        info = describe_checkpoint(path)
        assert (info.path, info.config, info.feature_dim) == (path, 'my_recipe.py', 64)
        assert (info.backbone, info.clip) == (expected.backbone, expected.clip)
        assert info.teachers == (expected.teachers if path == whole else [])
        kept = [key for key in expected.state if path == whole or key.startswith('backbone.')]
        assert list(info.state) == kept
        assert all(torch.equal(info.state[key], trained['state'][key]) for key in kept)


def test_an_exported_folder_and_its_file_say_the_same(trained):
    folder = export_hub.export(trained['checkpoint'], trained['out'], trained['config'])
    expected = describe_checkpoint(trained['checkpoint'], build_teachers=True)
    for path in (folder, folder / 'model.safetensors'):
        info = describe_checkpoint(path)
        assert info.path == folder / 'model.safetensors'
        assert (info.backbone, info.clip, info.teachers) == (expected.backbone, expected.clip, expected.teachers)
        assert all(torch.equal(info.state[key], expected.state[key]) for key in expected.state)
    assert describe_checkpoint(folder / 'model.safetensors', trained['config']).config == 'my_recipe.py'
    (folder / 'config.json').write_text('{"cut')
    with pytest.raises(ValueError, match='config.json is no JSON file'):
        describe_checkpoint(folder)
    (folder / 'model.safetensors').unlink()
    with pytest.raises(FileNotFoundError, match='no checkpoint at .*model.safetensors'):
        describe_checkpoint(folder)


def test_teachers_that_are_built_name_their_licence(trained):
    assert not any('licence' in t for t in describe_checkpoint(trained['checkpoint']).teachers)
    teachers = describe_checkpoint(trained['checkpoint'], build_teachers=True).teachers
    assert [(t['width'], t['licence']) for t in teachers] == [(8, 'none'), (6, 'none')]


def test_the_width_of_a_teacher_is_that_of_w(trained):
    edit(trained, 'width=8', 'size=8')  # a teacher whose config does not say
    assert [t['width'] for t in describe_checkpoint(trained['checkpoint']).teachers] == [8, 6]


def test_a_stock_recognizer_is_a_backbone_too(tmp_path):
    stock = write_checkpoint(tmp_path, STOCK_CONFIG)
    info = describe_checkpoint(stock['checkpoint'], stock['config'])
    assert info.clip == dict(clip_len=4, frame_interval=16, target_fps=None, sampling='dense', size=48, short_side=48)
    assert (info.feature_dim, info.teachers, info.backbone['pretrained']) == (64, [], None)
    assert info.state.keys() == {key for key in stock['state'] if key.startswith('backbone.')}


def test_the_encoder_has_the_weights_of_the_checkpoint(trained):
    encoder = describe_checkpoint(trained['checkpoint']).build_encoder()
    assert not encoder.training
    for key, value in encoder.backbone.state_dict().items():
        assert torch.equal(value, trained['state'][f'backbone.{key}'])


@pytest.mark.parametrize('dataloaders, size, short_side', [
    ("test_dataloader = dict(dataset=dict(type='RepeatDataset', dataset=dict(pipeline=[dict(type='SampleViews'), "
     "dict(type='CropViews', size=56, short_side=64)])))\n", 56, 64),  # before validation's
    ("val_dataloader = dict(dataset=dict(pipeline=[dict(type='SampleViews'), "
     "dict(type='CropViews', size=56, short_side=(60, 70), test_mode=True)]))\n", 56, 56),  # as CropViews does
    ("val_dataloader = None\ntrain_dataloader = dict(dataset=dict(pipeline=[dict(type='SampleViews'), "
     "dict(type='CropViews', size=56, short_side=(60, 70))]))\n", 56, 60)])
def test_which_pipeline_the_clips_are_read_from(trained, dataloaders, size, short_side):
    trained['config'].write_text(CONFIG + dataloaders)
    clip = describe_checkpoint(trained['checkpoint']).clip
    assert (clip['clip_len'], clip['frame_interval'], clip['size'], clip['short_side']) == (8, 8, size, short_side)


@pytest.mark.parametrize('old, new, sentence', [
    ('depth=18', 'depth=34', 'in .*epoch_3.pth is not the one of my_recipe.py: it has no backbone.layer1.2'),
    ('base_channels=8', 'base_channels=16', r'conv1.conv.weight is \(8, .* there and \(16, '),
    ('width=6,', "width=6), dict(type='Third'), dict(type='Fourth',",
     'no "projectors.3.weight", but my_recipe.py names 4 teacher'),
    ('feature_dim=64,', '', 'neither model.feature_dim nor model.cls_head.in_channels'),
    ('backbone=', 'network=', 'my_recipe.py has no model.backbone'),
    ('SampleViews', 'UniformSample', 'no telling which clips')])
def test_a_config_that_does_not_fit(trained, old, new, sentence):
    edit(trained, old, new)
    with pytest.raises(ValueError, match=sentence):
        describe_checkpoint(trained['checkpoint'])


def test_the_encoder_normalises_as_the_recognizer_did_also_after_export(tmp_path):
    stock = write_checkpoint(tmp_path / 'run', STOCK_CONFIG.replace('123.675, 116.28, 103.53', '127.5, 102, 51'))
    folder = export_hub.export(stock['checkpoint'], tmp_path / 'exported')
    for path in (stock['checkpoint'], folder, *publish.publish(stock['checkpoint'], tmp_path / 'published')):
        encoder = describe_checkpoint(path).build_encoder()
        clips = torch.tensor([.5, .4, .2]).view(1, 3, 1, 1, 1).expand(1, 3, 2, 4, 4)
        torch.testing.assert_close(encoder.normalize(clips), torch.zeros(1, 3, 2, 4, 4))
        assert encoder.backbone_std.flatten().tolist() == pytest.approx([58.395 / 255, 57.12 / 255, 57.375 / 255])
    assert describe_checkpoint(write_checkpoint(tmp_path / 'usual', STOCK_CONFIG)['checkpoint']).normalization is None


def test_the_encoder_normalises_as_the_method_did(tmp_path):
    own = 'normalization=dict(mean=[.5, .4, .2], std=[.25, .2, .1]), '
    run = write_checkpoint(tmp_path, CONFIG.replace('feature_dim=64', f'{own}feature_dim=64'))
    info = describe_checkpoint(run['checkpoint'])
    assert info.normalization == dict(mean=[.5, .4, .2], std=[.25, .2, .1])
    assert info.build_encoder().backbone_std.flatten().tolist() == pytest.approx([.25, .2, .1])


def test_missing_and_ambiguous_files_are_named(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match='no checkpoint at .*nowhere.pth'):
        describe_checkpoint(tmp_path / 'nowhere.pth')
    with pytest.raises(FileNotFoundError, match='no config at .*nowhere.py'):
        describe_checkpoint(trained['checkpoint'], tmp_path / 'nowhere.py')
    with pytest.raises(FileNotFoundError, match='neither a work dir'):
        describe_checkpoint(tmp_path)
    (trained['work_dir'] / 'second.py').touch()
    with pytest.raises(FileNotFoundError, match='beside it lies my_recipe.py, second.py: name one'):
        describe_checkpoint(trained['checkpoint'])


@pytest.mark.parametrize('component', ['subprocess.Popen', 'antigravity'])
def test_a_stranger_s_file_can_not_name_code_to_run(trained, component):
    path, _ = publish.publish(trained['checkpoint'], trained['out'], trained['config'])
    content = torch.load(path, weights_only=True)
    content['meta']['backbone']['norm_cfg'] = dict(type=component, args='touch never')
    torch.save(content, path)
    with pytest.raises(ValueError, match=f"asks for '{component}', which is not a registered component"):
        describe_checkpoint(path)


def test_a_published_file_without_its_clips_is_refused(trained):
    _, path = publish.publish(trained['checkpoint'], trained['out'], trained['config'])
    content = torch.load(path, weights_only=True)
    del content['meta']['clip']
    torch.save(content, path)
    with pytest.raises(ValueError, match="has no 'clip': give the config"):
        describe_checkpoint(path)
    assert describe_checkpoint(path, trained['config']).clip['clip_len'] == 4


@pytest.mark.parametrize('temporal', ["type='r3d', hidden=8", "type='swin', hidden=64"])
def test_a_backbone_on_an_image_model_is_described_too(tmp_path, temporal, recwarn):
    weights = tmp_path / 'vit.pth'
    torch.save(timm.create_model('test_vit', pretrained=False).state_dict(), weights)
    run = write_checkpoint(tmp_path / 'run', CONFIG.replace(
        "dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False)",
        f"dict(type='ImageTMM', teacher=dict(type='TimmTeacher', model='test_vit', checkpoint={str(weights)!r}), "
        f'out_channels=64, temporal=dict({temporal}))'))
    folder = export_hub.export(run['checkpoint'], tmp_path / 'exported')
    state = describe_checkpoint(folder).build_encoder().backbone.state_dict()
    assert state and all(torch.equal(value, run['state'][f'backbone.{key}']) for key, value in state.items())
    assert not [warning for warning in recwarn if 'meta parameter' in str(warning.message)]
