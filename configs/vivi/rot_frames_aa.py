"""rot_frames.py with AutoAugment in place of the colours. The paper reports 58.9 on VTAB (Table 2)."""
_base_ = './rot_frames.py'
_base_.train_dataloader.dataset.pipeline.insert(4, dict(type='AutoAugmentViews'))
model = dict(data_preprocessor=dict(color_jitter=None))
