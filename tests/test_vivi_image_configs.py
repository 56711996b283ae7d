"""VIVI's baselines that learn from ImageNet alone: passes, schedules, a step of each from pictures to gradients."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.dataset import pseudo_collate

from .test_vivi_configs import load, small

SSL, LABELLED = ('ex_imagenet', 'rot_imagenet'), ('semi_ex_imagenet10', 'sup_rot_imagenet')
IMAGENET = 1_281_167


@pytest.fixture(scope='module')
def pictures(tmp_path_factory) -> str:
    root = tmp_path_factory.mktemp('imagenet')
    rng = np.random.default_rng(0)
    for synset in ('n01', 'n02'):
        (root / synset).mkdir()
        for number in range(2):
            cv2.imwrite(str(root / synset / f'{number}.JPEG'), rng.integers(0, 256, (40, 48, 3), dtype=np.uint8))
    return str(root)


def samples(dataset, root: str) -> list:
    dataset.update(root=root, num_classes=2, share=1.)
    next(step for step in dataset.pipeline if step.type == 'CropViews').size = 32
    built = DATASETS.build(dataset)
    assert len(built) == 4
    return [built[i] for i in range(4)]


@pytest.mark.parametrize('name', [*SSL, *LABELLED])
def test_a_step_from_pictures_to_gradients(name, pictures):
    torch.manual_seed(0)
    cfg = small(load(name))
    images = samples(cfg.train_dataloader.dataset, pictures)
    assert len(images[0]['inputs']) == (8 if 'ex' in name else 1)
    batch = pseudo_collate(images)
    if name in LABELLED:
        loader, = cfg.train_cfg.other_loaders
        cfg.model.num_classes = 2
        batch = (batch, pseudo_collate(samples(loader.dataset, pictures)))
    model = MODELS.build(cfg.model).train()
    losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    parts = [key for key in losses if key.startswith('loss')]
    assert parts == ['loss_shot'] + ['loss_image'] * (name in LABELLED)
    sum(losses[key] for key in parts).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_labels_alone(pictures):
    cfg = small(load('sup_imagenet'))
    del cfg.model.feature_dim  # of `small`
    cfg.model.cls_head.update(in_channels=32, num_classes=2)
    model = MODELS.build(cfg.model).train()
    batch = model.data_preprocessor(pseudo_collate(samples(cfg.train_dataloader.dataset, pictures)), training=True)
    losses = model(**batch, mode='loss')
    losses['loss_cls'].backward()
    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    predicted = model(**batch, mode='predict')
    assert [int(sample.gt_label) for sample in predicted] == [0, 0, 1, 1]


def test_passes_and_schedules():
    for name in SSL:
        cfg = load(name)
        assert cfg.train_cfg.global_batch * cfg.train_dataloader.sampler.steps <= IMAGENET
        assert cfg.train_dataloader.dataset.num_classes == 1000
    semi, both, alone = (load(name) for name in (*LABELLED, 'sup_imagenet'))
    for cfg, images, labelled, passes in ((semi, 512, 128_000, 200), (both, 256, IMAGENET, 90)):
        loader, = cfg.train_cfg.other_loaders
        assert 32 * cfg.train_dataloader.batch_size == cfg.train_dataloader.sampler.multiple_of == images
        steps = cfg.train_cfg.max_epochs * cfg.train_dataloader.sampler.steps
        assert steps * 32 * loader.batch_size / labelled == pytest.approx(passes, rel=1e-3)
    assert alone.train_cfg.max_epochs == both.train_cfg.max_epochs and alone.train_cfg.global_batch == 1024
    assert [(s.type, s.get('milestones')) for s in alone.param_scheduler] == [
        (s.type, s.get('milestones')) for s in both.param_scheduler]


@pytest.mark.parametrize('name, figure', [('ex_imagenet', '59.5'), ('semi_ex_imagenet10', '65.3'),
                                          ('sup_imagenet', '66.4'), ('sup_rot_imagenet', '68.0')])
def test_figures_are_on_the_page(name, figure):
    folder = Path(__file__).resolve().parents[1] / 'configs/vivi'
    assert f'reports {figure} on VTAB (Table 1)' in (folder / f'{name}.py').read_text().splitlines()[0]
    row = next(line for line in (folder / 'README.md').read_text().splitlines() if line.startswith(f'| `{name}.py`'))
    assert row.endswith(f'| {figure} |')
