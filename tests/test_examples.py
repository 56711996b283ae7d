"""What the pages show in Python runs; commands are in test_commands.py, CONTRIBUTING.md's in test_contributing.py."""

import ast
import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import mmaction.registry
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import Registry, init_default_scope
from mmengine.runner import Runner

import iboot_mm
from iboot_mm.models.teachers.shown import SHOWN

from .checkpoint_files import write_checkpoint
from .pages import PAGES, ROOT, blocks, name, snippet
from .videos import moving_frames, write_video

DOCS = ROOT / 'docs'
REGISTRIES = [value for value in vars(mmaction.registry).values() if isinstance(value, Registry)]
PROGRAMS = ('import ', "_base_ = './")  # examples that are more than settings have a test of their own
CONFIGS = [(page, number) for page in PAGES for number, block in enumerate(blocks(page, 'python'))
           if not name(page).startswith(('CONTRIBUTING', 'configs/')) and not any(word in block for word in PROGRAMS)]


def settings(block: str) -> list:
    """The value of each line of a config; ``...`` stands for what the reader fills in."""
    names = dict(_base_=SimpleNamespace(train_pipeline=[]))
    values = []
    for line in ast.parse(re.sub(r', \.\.\.(?=,)', '', block)).body:
        exec(compile(ast.Module([line], []), 'page', 'exec'), names)
        values += [names[target.id] for target in line.targets]
    return values


def components(value: object) -> list[dict]:
    """Every ``dict(type=...)`` in a value."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return [value] * (isinstance(value, dict) and 'type' in value) + [found for v in inside for found in components(v)]


def options(kind: type) -> set[str]:
    """What the constructor takes, by itself and through its ``**kwargs``."""
    taken: set[str] = set()
    for base in kind.__mro__:
        if '__init__' in vars(base):
            parameters = inspect.signature(base.__init__).parameters
            taken |= set(parameters)
            if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
                break
    return taken


@pytest.mark.parametrize('page, number', CONFIGS, ids=lambda value: name(value) if isinstance(value, Path) else value)
def test_a_config_names_what_there_is(page, number):
    found = components(settings(blocks(page, 'python')[number]))
    assert found
    for part in found:
        kind = SHOWN.get(part['type']) or next(
            (kind for registry in REGISTRIES if (kind := registry.get(part['type']))), None)
        assert kind, f'{part["type"]} is not registered'
        assert set(part) - {'type', '_delete_'} <= options(kind), f'{part["type"]} takes {sorted(options(kind))}'


def test_no_other_program_is_shown():
    others = [block for page in PAGES if page.parent in (ROOT, DOCS) and page.name != 'CONTRIBUTING.md'
              for block in blocks(page, 'python') if any(word in block for word in PROGRAMS)]
    assert len(others) == 4 and all(block.startswith(PROGRAMS) for block in others)  # those of the tests below


@pytest.mark.parametrize('shown', range(3))
def test_the_motion_target_is_built(shown):
    model = settings(snippet(DOCS / 'motion_target.md', "model = dict(type='IBoot'"))[shown]
    model |= dict(feature_dim=64, backbone=dict(type='SlowResNet', depth=18, base_channels=8),
                  teacher=dict(type='TimmTeacher', model='resnet18', pretrained=False, mean=(.5, .5, .5),
                               std=(.5, .5, .5), input_size=32))
    assert MODELS.build(model).motion is not None


@pytest.mark.parametrize('page', [ROOT / 'README.md', DOCS / 'weights.md'], ids=name)
def test_features(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path / 'work_dirs/iboot_r50_clip_k400')
    (tmp_path / 'videos').mkdir()
    for seed in range(2):
        write_video(tmp_path / f'videos/{seed}.mp4', moving_frames(12, seed=seed))
    names: dict = {}
    exec(snippet(page, 'import iboot_mm'), names)
    assert names['features'].shape == (2, 64) and len(names['extract'].files('videos/')) == 2


def test_pretraining_from_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'my_videos').mkdir()
    write_video(tmp_path / 'my_videos/a.mp4', moving_frames(12))
    called, signature = [], inspect.signature(iboot_mm.pretrain)

    def pretrain(*args, **kwargs):
        called.append(signature.bind(*args, **kwargs).arguments)
        return write_checkpoint(tmp_path / 'run')['checkpoint'].parent
    monkeypatch.setattr(iboot_mm, 'pretrain', pretrain)
    names: dict = {}
    exec(snippet(DOCS / 'command_line.md', 'import iboot_mm'), names)
    assert called == [dict(videos='my_videos/', out='run', teacher='clip_vit_b16')]
    assert names['features'].shape == (1, 64)


def test_a_config_of_ones_own_videos(tmp_path):
    videos = tmp_path / 'videos/nested'
    videos.mkdir(parents=True)
    write_video(videos / 'a.mp4', moving_frames(70))
    text = snippet(DOCS / 'your_videos.md', "_base_ = './configs/")
    text = text.replace('./configs', f'{ROOT}/configs').replace('/data/my_videos', str(tmp_path / 'videos'))
    (tmp_path / 'my_videos.py').write_text(text)
    cfg = Config.fromfile(tmp_path / 'my_videos.py')
    init_default_scope('mmaction')
    assert DATASETS.build(cfg.train_dataloader.dataset)[0]['inputs'].shape == (3, 3, 8, 224, 224)
    cfg.model.teacher, cfg.model.feature_dim = dict(type='PatchMeanTeacher'), 128
    cfg.model.backbone.base_channels = 4
    cfg.update(work_dir=str(tmp_path / 'run'), log_level='ERROR', experiment_name='own_videos')
    runner = Runner.from_cfg(cfg)  # checks that nothing of the validation is left over
    assert runner.val_loop is None and runner.test_loop is None


def test_a_teacher_of_ones_own():
    namespace: dict = {}
    exec(snippet(DOCS / 'teachers.md', 'teacher = dict('), namespace)
    teacher = MODELS.build(dict(namespace['teacher'], pretrained=False))
    assert teacher.width == 1280
    assert teacher(torch.rand(1, 3, 1, 32, 32)).shape == (1, 1, 1280)
