"""Published files: what is in them, how they load, and what cannot be published."""

import hashlib
import re
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.runner import Runner, save_checkpoint

from iboot_mm.checkpoints.description import describe_checkpoint

from ..checkpoint_files import CONFIG, write_checkpoint
from ..processes import run_script
from ..scripts import load_tool

publish = load_tool('convert/publish')


@pytest.fixture
def trained(tmp_path) -> dict:
    return dict(write_checkpoint(tmp_path), out=tmp_path / 'published')


def run(trained: dict, **changes) -> tuple[Path, Path]:
    arguments = {**trained, **changes}
    return publish.publish(arguments['checkpoint'], arguments['out'], arguments['config'])


def test_the_backbone_alone_loads_strictly_into_a_bare_backbone(trained):
    path, _ = run(trained)
    content = torch.load(path, weights_only=True)
    backbone = MODELS.build(dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False))
    backbone.load_state_dict(content['state_dict'], strict=True)
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, trained['state'][f'backbone.{key}'])
    assert (content['meta']['config'], content['meta']['teachers']) == ('my_recipe.py', [])


def test_the_whole_file_holds_backbone_w_statistics_and_teachers_and_nothing_else(trained):
    _, path = run(trained)
    content = torch.load(path, weights_only=True)
    state, meta = content['state_dict'], content['meta']
    expected = {key for key in trained['state'] if key.startswith((
        'backbone.', 'projectors.0.', 'projectors.1.', 'target_norms.0.', 'target_norms.1.'))}
    assert {'projectors.0.weight', 'target_norms.1.mean'} < expected
    assert 'projectors.2.weight' in trained['state']  # of the momentum copy, which is not published
    assert not any(key.startswith('backbone_') for key in state)
    assert state.keys() == expected
    assert all(torch.equal(state[key], trained['state'][key]) for key in state)
    assert [teacher['width'] for teacher in meta['teachers']] == [8, 6]
    assert all(teacher['licence'] == 'none' and teacher['output'] == 'embedding' for teacher in meta['teachers'])
    assert (meta['target_norm'], meta['temporal_pool'], meta['feature_dim']) == ('standardize', True, 64)
    assert meta['backbone']['depth'] == 18
    assert meta['clip'] == dict(
        clip_len=4, frame_interval=2, target_fps=None, sampling='dense', size=32, short_side=40)


@pytest.mark.parametrize('start', ['pretrained', 'init_cfg', 'load_from'])
def test_both_start_a_stock_recognizer(trained, tmp_path, start):
    alone, whole = map(str, run(trained))
    backbone = dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False, pretrained=None)
    if start == 'pretrained':
        backbone.update(pretrained=alone, pretrained2d=False)
    elif start == 'init_cfg':
        backbone.update(init_cfg=dict(type='Pretrained', checkpoint=whole, prefix='backbone.'))
    model = dict(type='Recognizer3D', backbone=backbone, cls_head=dict(type='I3DHead', in_channels=64, num_classes=3))
    runner = Runner(model=model, work_dir=str(tmp_path), load_from=whole if start == 'load_from' else None,
                    default_scope='mmaction', experiment_name=f'{tmp_path.name}_{start}', log_level='ERROR')
    runner._init_model_weights()
    runner.load_or_resume()
    for key, value in runner.model.backbone.state_dict().items():
        assert torch.equal(value, trained['state'][f'backbone.{key}']), key


def test_names_carry_the_hash_and_the_same_weights_give_the_same_name(trained):
    first, second = run(trained), run(trained)
    assert first == second
    for path in first:
        assert path.stem.rpartition('-')[2] == hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    assert first[0].name.startswith('my_recipe_backbone-') and first[1].name.startswith('my_recipe-')
    assert sorted(trained['out'].iterdir()) == sorted(first)  # no half-written file is left


def test_a_failed_write_leaves_nothing(trained, monkeypatch):
    def full(*_):
        raise OSError('no space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(OSError, match='no space'):
        run(trained)
    assert list(trained['out'].iterdir()) == []


def test_a_missing_checkpoint_is_named(trained):
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        run(trained, checkpoint=trained['checkpoint'].with_name('nowhere.pth'))


def test_a_missing_config_is_named(trained):
    with pytest.raises(FileNotFoundError, match='nowhere.py'):
        run(trained, config=trained['config'].with_name('nowhere.py'))


def test_a_file_without_a_backbone_is_refused(trained):
    save_checkpoint(dict(state_dict={'head.weight': torch.ones(1)}), str(trained['checkpoint']))
    with pytest.raises(ValueError, match='no key that starts with "backbone."'):
        run(trained)


def test_another_backbone_than_the_config_s_is_refused(trained):
    trained['config'].write_text(CONFIG.replace('base_channels=8', 'base_channels=16'))
    with pytest.raises(ValueError, match='not the one of'):
        run(trained)


def test_a_teacher_of_another_width_is_refused(trained):
    trained['config'].write_text(CONFIG.replace('width=6', 'width=7'))
    with pytest.raises(ValueError, match='projectors.1 .* 6 dimensions, .* has 7'):
        run(trained)


def test_more_teachers_than_maps_are_refused(trained):
    dropped = ('projectors.1', 'projectors.2')
    state = {key: value for key, value in trained['state'].items() if not key.startswith(dropped)}
    save_checkpoint(dict(state_dict=state), str(trained['checkpoint']))
    with pytest.raises(ValueError, match='no "projectors.1.weight"'):
        run(trained)


def test_a_file_that_holds_code_is_refused(trained):
    class Runs:
        def __reduce__(self):
            return print, ('this must not run', )

    torch.save(dict(state_dict=Runs()), trained['checkpoint'])
    with pytest.raises(ValueError, match='can not be read as plain weights'):
        run(trained)


def test_a_cut_file_is_refused(trained):
    data = trained['checkpoint'].read_bytes()
    trained['checkpoint'].write_bytes(data[:len(data) // 2])
    with pytest.raises(ValueError, match='epoch_3.pth is cut off or damaged'):
        run(trained)


def test_the_command_publishes_what_loads_without_a_config(tmp_path):
    teacher = "dict(type='TimmTeacher', model='test_resnet', pretrained=False)"
    trained = write_checkpoint(tmp_path, re.sub(r'teacher=\[.*\]', f'teacher=[{teacher}]', CONFIG))
    done = run_script(publish.__file__, trained['checkpoint'], tmp_path / 'out')
    assert done.returncode == 0, done.stdout
    printed = [line.split('  ') for line in done.stdout.splitlines() if str(tmp_path / 'out') in line]
    assert [hashlib.sha256(Path(path).read_bytes()).hexdigest() for _, path in printed] == [sha for sha, _ in printed]
    whole = describe_checkpoint(printed[1][1])
    assert (whole.teachers[0]['model'], whole.clip['size']) == ('test_resnet', 32)


def test_the_command_says_what_is_wrong_in_one_line(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['publish.py', 'nowhere.pth', 'out', '--config', 'nowhere.py'])
    with pytest.raises(SystemExit, match='^publish: no checkpoint at nowhere.pth$'):
        publish.main()
