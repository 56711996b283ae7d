"""Writes the checkpoints that tests read."""

from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.runner import save_checkpoint

CONFIG = '''
model = dict(
    type='IBoot',
    backbone=dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False),
    feature_dim=64,
    teacher=[dict(type='PatchMeanTeacher', width=8), dict(type='PatchMeanTeacher', width=6, name='other', seed=1)],
    target_norm='standardize',
    momentum=dict(base=.9))
val_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[dict(type='VideoFolder', root='.', pipeline=[
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=4, frame_interval=2, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=32, short_side=40, test_mode=True),
    dict(type='PackViews')])]))
'''
STOCK_CONFIG = '''
model = dict(
    type='Recognizer3D',
    backbone=dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False, pretrained='somewhere.pth'),
    cls_head=dict(type='I3DHead', in_channels=64, num_classes=3),
    data_preprocessor=dict(type='ActionDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           format_shape='NCTHW'))
test_dataloader = dict(dataset=dict(type='VideoDataset', pipeline=[
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=4, frame_interval=16, num_clips=10, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 48)),
    dict(type='ThreeCrop', crop_size=48),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')]))
'''


def write_checkpoint(work_dir: Path, text: str = CONFIG, config_name: str = 'my_recipe.py') -> dict:
    """A work dir with a config, the checkpoint of a network of random weights, and its name in ``last_checkpoint``.

    Returns:
        ``config`` and ``checkpoint`` (paths) and ``state`` (the whole model's).
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    config, checkpoint = work_dir / config_name, work_dir / 'epoch_3.pth'
    config.write_text(text)
    torch.manual_seed(3)
    model = MODELS.build(Config.fromfile(config).model)
    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):  # as trained: none is the identity or 0
            module.weight.data.uniform_(.5, 1.5)
            module.running_mean.normal_(std=.1)
            module.running_var.uniform_(.5, 1.5)
    if hasattr(model, 'target_norms'):
        model.target_norms[-1].mean.fill_(.25)
    history = dict(log_scalars={'train/loss': HistoryBuffer([1.], [1])})
    save_checkpoint(dict(meta=dict(epoch=3, cfg=text), state_dict=model.state_dict(), message_hub=history),
                    str(checkpoint))
    (work_dir / 'last_checkpoint').write_text(str(checkpoint))
    return dict(config=config, checkpoint=checkpoint, state=model.state_dict())
