"""ex_shots.py with AutoAugment in place of the colours. The paper reports 62.8 on VTAB (Table 2)."""
_base_ = './ex_shots.py'
_base_.train_dataloader.dataset.pipeline.insert(4, dict(type='AutoAugmentViews'))
model = dict(data_preprocessor=dict(color_jitter=None))
