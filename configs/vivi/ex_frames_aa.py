"""ex_frames.py with AutoAugment in place of the colours. The paper reports 61.8 on VTAB (Table 2)."""
_base_ = './ex_frames.py'
_base_.train_dataloader.dataset.pipeline.insert(4, dict(type='AutoAugmentViews'))
model = dict(data_preprocessor=dict(color_jitter=None))
