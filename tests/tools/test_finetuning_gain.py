"""The table of what AdViSe's pre-training wins: its runs, its lists, its figures."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from iboot_mm.datasets.tokens import TokenStore
from iboot_mm.datasets.transforms import OpenTokens

from ..config_files import load_config
from ..scripts import load_tool

ROOT = Path(__file__).resolve().parents[2]
TOOL = load_tool('analysis/finetuning_gain')


@pytest.fixture
def run(tmp_path):
    """A config of stored tokens of 40 empty videos, and a checkpoint of it.

    What is to be told, `motion`, is whether the first channel rises over time; `digit` is noise.
    """
    cfg = load_config(ROOT / 'configs/mini/advise_tmm_digits_cached.py')
    tokens = cfg.train_dataloader.dataset.pipeline[0]
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[0].update(store=str(tmp_path / 'tokens'), root=str(tmp_path))
        loader.update(num_workers=0, persistent_workers=False, batch_size=8)
        loader.dataset.root = str(tmp_path)
    for part in cfg.knn_dataloader.dataset.datasets:
        part.root = str(tmp_path)
    step = OpenTokens(**{key: value for key, value in tokens.items() if key != 'type'})
    store, rng = TokenStore(tmp_path / 'tokens', step.about), np.random.default_rng(0)
    for list_name, count in (('train', 40), ('test', 10)):
        lines = []
        for number in range(count):
            name, up = f'{list_name}{number}.mp4', number % 2
            maps = rng.normal(0, .1, (32, 96, 3, 3))
            maps[:, 0] += (np.arange(32) / 8 * (1 if up else -1) + (0 if up else 4))[:, None, None]
            (tmp_path / name).touch()  # a list of which no file exists is refused
            store.put(name, torch.from_numpy(maps))
            lines.append(f'{name} {number % 3} {up}')
        (tmp_path / f'{list_name}.txt').write_text('\n'.join(lines) + '\n')
    cfg.dump(tmp_path / 'config.py')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'epoch_1.pth')
    return tmp_path


def call(monkeypatch, run, *options):
    monkeypatch.setattr(sys, 'argv', ['finetuning_gain.py', str(run / 'config.py'), str(run / 'epoch_1.pth'), '--out',
                                      str(run / 'out'), *map(str, options)])
    TOOL.main()


def test_table_and_lines_below_it(run, monkeypatch, capsys):
    (run / 'out').mkdir()
    (run / 'out' / 'knn_table.json').write_text(json.dumps(dict(table=dict(
        chance=dict(motion=.5), teacher=dict(motion=.25), AdViSe=dict(motion=.75)))))
    monkeypatch.setattr(TOOL, 'RECIPE', recipe(run))
    call(monkeypatch, run, '--shares', 1, .2, '--steps', 30)
    said = capsys.readouterr().out
    result = json.loads((run / 'out' / 'finetuning_gain.json').read_text())
    assert result['label'] == 'motion' and result['train'] == {'1.0': 40, '0.2': 8} and result['test'] == 10
    assert list(result['table']) == ['chance', "tokens' average", 'from scratch', 'after pre-training']
    assert result['table']['chance'] == [.5, .5]
    assert result['table']['from scratch'][0] == result['table']['after pre-training'][0] == 1  # easy for a module
    assert 'k-NN of frozen features: teacher motion 25.0; AdViSe motion 75.0' in said
    assert (run / 'out' / 'finetuning_gain.txt').read_text() in said


def recipe(run):
    """The fine-tuning's recipe, short and in this process."""
    text = (f"_base_ = '{TOOL.RECIPE}'\n"
            'train_dataloader = dict(num_workers=0, persistent_workers=False)\n'
            'val_dataloader = dict(num_workers=0, persistent_workers=False)\n'
            'train_cfg = dict(max_epochs=2)\n')
    (run / 'recipe.py').write_text(text)
    return run / 'recipe.py'


def test_each_fine_tuning_takes_network_and_tokens_of_the_pretraining(run):
    pretraining = Config.fromfile(run / 'config.py')
    parts = TOOL.lists_of(pretraining)
    pooled, scratch, after = (TOOL.finetuning(pretraining, row, 'digit', 3, parts['gallery'], parts['query'], steps=300)
                              for row in TOOL.ROWS)
    assert scratch.to_dict() == after.to_dict()  # but for the weights
    assert scratch.model.backbone == pretraining.model.backbone and scratch.model.cls_head.num_classes == 3
    assert (pooled.model.backbone.temporal, pooled.model.cls_head.in_channels) == (None, 96)
    for loader, name in ((scratch.train_dataloader, 'train.txt'), (scratch.val_dataloader, 'test.txt')):
        dataset = loader.dataset
        assert dataset.ann_file == name and dataset.pipeline[3].label == 'digit'
        assert dataset.pipeline[0] == pretraining.train_dataloader.dataset.pipeline[0]
    assert scratch.train_cfg.global_batch == 8  # of 40 videos
    assert scratch.train_cfg.max_epochs == 60 == scratch.param_scheduler[-1].end  # 300 steps


@pytest.mark.parametrize('options, words', [(['--label', 'colour'], 'has no label colour, but digit, motion'),
                                            (['--shares', 2], '--share 2.0 is none')])
def test_bad_input_is_one_sentence(run, monkeypatch, options, words):
    with pytest.raises(SystemExit, match=words):
        call(monkeypatch, run, *options)
