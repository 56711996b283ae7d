"""A recognizer's config as users of MMAction2 write it, with nothing of this project in it."""

import pytest
from mmengine.config import Config

from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.recipe import Settings, batch_of
from iboot_mm.dry_run.step import dry_step

PIPELINE = [
    dict(type='DecordInit'), dict(type='SampleFrames', clip_len=4, frame_interval=2, num_clips=1),
    dict(type='DecordDecode'), dict(type='Resize', scale=(-1, 64)),
    dict(type='PytorchVideoWrapper', op='RandAugment', magnitude=7, num_layers=4),  # of a library that is not here
    dict(type='RandomResizedCrop'), dict(type='Resize', scale=(32, 32), keep_ratio=False), dict(type='Flip'),
    dict(type='FormatShape', input_format='NCTHW'), dict(type='PackActionInputs')]
STOCK = dict(
    default_scope='mmaction',
    model=dict(
        type='Recognizer3D',
        backbone=dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, pretrained='torchvision://resnet18',
                      lateral=False, norm_eval=False),
        cls_head=dict(type='I3DHead', in_channels=32, num_classes=5),
        data_preprocessor=dict(type='ActionDataPreprocessor', mean=[128.] * 3, std=[58.] * 3, format_shape='NCTHW')),
    train_dataloader=dict(
        batch_size=2, num_workers=2, sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(type='VideoDataset', ann_file='list.txt', data_prefix=dict(video='videos'), pipeline=PIPELINE)),
    train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=1),
    optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1, momentum=.9), clip_grad=dict(max_norm=40, norm_type=2)))


def test_a_step_of_it() -> None:
    cfg = Config(STOCK)
    plan = batch_of(cfg, ranks=8)
    assert (plan.per_process, plan.accumulation) == (2, 1)
    step = dry_step(cfg, gpu_named('v100-32'), plan, Settings('amp'))
    assert not [str(wait) for wait in step.waits if wait.reason is None]
    assert step.work.total().flops > 0 and step.peak.kinds['optimizer'] == pytest.approx(
        4 * sum(step.parameters.values()), rel=.5)  # SGD's momentum; torch rounds each to 512 bytes
    gradients = [one for one in step.collectives if one.cause == 'gradients']
    assert sum(one.bytes for one in gradients) == 4 * sum(step.parameters.values())


def test_with_cp_lets_go_of_activations() -> None:
    plain, frugal = (dry_step(Config(STOCK), gpu_named('v100-32'), batch_of(Config(STOCK), 1), Settings(with_cp=cp))
                     for cp in (None, True))
    assert frugal.peak.kinds['activations'] < plain.peak.kinds['activations']
    assert frugal.work.total().flops > plain.work.total().flops


def test_what_it_does_not_know_is_told_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="unexpected keyword argument 'channels_last'"):
        dry_step(Config(STOCK), gpu_named('v100-32'), batch_of(Config(STOCK), 1), Settings(channels_last=True))
