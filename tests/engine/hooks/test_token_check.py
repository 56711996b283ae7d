"""A network is not trained or tested on token maps of another image model than its own."""

from pathlib import Path

import pytest
from mmengine.config import Config

from iboot_mm.engine.hooks import TokenCheckHook

from ...config_files import load_config

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'


class Run:
    def __init__(self, cfg):
        self.cfg = cfg


@pytest.mark.parametrize('name', ['advise_tmm_digits_cached', 'advise_tmm_folder', 'downstream/advise_finetune_digits',
                                  'advise_tmm_digits', 'iboot_r18_digits'])
def test_shipped_configs_pass(name):
    TokenCheckHook().before_run(Run(load_config(CONFIGS / 'mini' / f'{name}.py')))


@pytest.mark.parametrize('name', ['advise_tmm_digits_cached', 'advise_tmm_folder', 'downstream/advise_finetune_digits'])
def test_configs_with_stored_tokens_have_the_hook(name):
    assert 'TokenCheckHook' in [hook.type for hook in load_config(CONFIGS / 'mini' / f'{name}.py').custom_hooks]


def test_folders_and_speed_make_no_other_model():
    cfg = load_config(CONFIGS / 'mini' / 'advise_tmm_digits_cached.py')
    cfg.model.backbone.teacher.update(checkpoint='/elsewhere/teacher.pth', precision='bf16', name='mine', chunk_size=3)
    TokenCheckHook().before_run(Run(cfg))


@pytest.mark.parametrize('loader', ['train_dataloader', 'val_dataloader', 'test_dataloader'])
@pytest.mark.parametrize('key, value', [('model', 'resnet18'), ('input_size', 64), ('checkpoint', 'other.pth'),
                                        ('mean', (.4, .4, .4))])
def test_another_image_model_is_named(loader, key, value):
    cfg = load_config(CONFIGS / 'mini' / 'advise_tmm_digits_cached.py')
    cfg[loader].dataset.pipeline[0].teacher[key] = value
    for other in {'train_dataloader', 'val_dataloader', 'test_dataloader'} - {loader}:
        cfg[other] = None
    with pytest.raises(ValueError, match=f'^{loader} reads token maps of .*{value if key != "mean" else "0.4"}'):
        TokenCheckHook().before_run(Run(cfg))


def test_joined_data_sets_and_no_image_model():
    stored = dict(type='OpenTokens', store='a', root='b', teacher=dict(type='TimmTeacher', model='resnet18'))
    loader = dict(dataset=dict(type='ConcatDataset', datasets=[dict(pipeline=[]), dict(pipeline=[stored])]))
    cfg = Config(dict(model=dict(backbone=dict(type='SlowResNet')), train_dataloader=loader))
    with pytest.raises(ValueError, match="resnet18.* but model.backbone.teacher is {'teachers': \\[\\]"):
        TokenCheckHook().before_run(Run(cfg))
