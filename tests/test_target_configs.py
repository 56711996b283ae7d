"""Configs that train from stored targets, and those that write them, belong together."""

import json
from pathlib import Path

import pytest
import torch
from mmaction.registry import HOOKS, LOOPS, MODELS

from iboot_mm.engine.hooks.target_check import differences
from iboot_mm.models.encoders import motion_teacher
from iboot_mm.stores.identity import teacher_identity, without_places

from .config_files import load_config

ROOT = Path(__file__).resolve().parents[1]
PAIRS = {  # the live recipe, the one that writes, width of the teacher
    'iboot_r50_clip_k400': ('targets/clip_vit_b16_k400', 512),
    'mini/iboot_r18_digits': ('mini/targets/digits', 96),
    'mini/iboot_motion_r18_digits': ('mini/targets/digits_motion', 96),
}


def pair(name):
    """Their configs, the one that trains from stored targets second."""
    return [load_config(ROOT / f'configs/{path}.py') for path in (name, f'{name}_cached', PAIRS[name][0])]


def test_all_of_them_are_tested_here():
    configs = {str(path.relative_to(ROOT / 'configs').with_suffix('')) for path in (ROOT / 'configs').rglob('*.py')}
    cached = {name for name in configs if 'iboot' in name and name.endswith('_cached')}
    assert cached == {f'{name}_cached' for name in PAIRS}
    assert {name for name in configs if 'targets/' in name} == {writer for writer, _ in PAIRS.values()}


@pytest.mark.parametrize('name', PAIRS)
def test_only_the_targets_differ_from_the_live_recipe(name):
    live, cached, _ = (cfg.to_dict() for cfg in pair(name))
    pipeline = cached['train_dataloader']['dataset']['pipeline']
    store = pipeline.pop(2)
    assert store.pop('type') == 'LoadTargets' and store.keys() == {'store'}
    views = live['train_dataloader']['dataset']['pipeline'][1].pop('num_views')
    assert pipeline[1].pop('num_views') == views - 1
    assert cached['custom_hooks'].pop() == dict(type='TargetCheckHook')
    assert (cached['model'].pop('type'), cached['model'].pop('width')) == ('CachedIBoot', PAIRS[name][1])
    assert live['model'].pop('type') == 'IBoot'
    assert ('motion' in live['model']) == (cached['model'].pop('motion_width', 0) == 25)
    for cfg in (live, cached):
        cfg.pop('train_pipeline', None)
    assert cached == live


@pytest.mark.parametrize('name', PAIRS)
def test_the_writer_writes_what_training_reads(name):
    _, cached, writer = pair(name)
    assert writer.test_cfg.store == cached.train_dataloader.dataset.pipeline[2].store
    data = writer.test_dataloader.dataset
    assert (data.root, data.ann_file) == tuple(cached.train_dataloader.dataset[key] for key in ('root', 'ann_file'))
    network = dict(config=without_places(writer.model), teacher=teacher_identity(writer.model.teacher))
    if 'motion' in writer.model:
        network['motion'] = teacher_identity(motion_teacher(writer.model.teacher, writer.model.motion))
    identity = json.loads(json.dumps(dict(network=network, data=dict(videos=3, config=without_places(data)))))
    assert list(differences(identity, cached.model, cached.train_dataloader.dataset, 3)) == []
    assert LOOPS.get(writer.test_cfg.type) and [HOOKS.build(dict(hook)) for hook in cached.custom_hooks]
    with torch.device('meta'):
        assert MODELS.build(cached.model).projectors[0].out_features == PAIRS[name][1]


def test_headline_file_size_is_the_docstrings():
    _, cached, writer = pair('iboot_r50_clip_k400')
    size = 240_000 * writer.test_dataloader.dataset.pipeline[1].num_views * cached.model.width * 2
    text = (ROOT / 'configs/iboot_r50_clip_k400_cached.py').read_text()
    assert f'{size / 1e9:.1f} GB' in text and '8 clips' in text
