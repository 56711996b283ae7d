"""Batches of noise."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from iboot_mm.dry_run.recipe import loaders
from iboot_mm.dry_run.samples import sample, widths_of

from ..config_files import load_config

CONFIGS = Path(__file__).parents[2] / 'configs'
FOLDERS = ('vivi', 'downstream')  # where the pipelines differ most; tests/dry_run/test_step.py has the mini configs


def test_every_pipeline_makes_a_sample() -> None:
    seen: set[str] = set()
    for file in sorted(file for folder in FOLDERS for file in (CONFIGS / folder).glob('*.py')):
        if not (cfg := load_config(file)).get('train_dataloader'):
            continue
        for loader in loaders(cfg):
            if (key := repr(pipeline_of(loader['dataset']))) in seen:
                continue
            seen.add(key)
            inputs = sample(loader['dataset'], widths_of(cfg))['inputs']
            assert all(torch.is_tensor(part) for part in (inputs if isinstance(inputs, list) else [inputs])), file
    assert len(seen) > 8


def test_what_is_not_known_is_told_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="Flip of VideoDataset wants 'imgs' of a video"):
        sample(dict(type='VideoDataset', pipeline=[
            dict(type='SampleFrames', clip_len=1), dict(type='Flip'), dict(type='PackActionInputs')]))


def pipeline_of(dataset: Config) -> list:
    while 'pipeline' not in dataset:
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    return dataset['pipeline']
