"""vivi_ex4_big.py with AutoAugment in place of the colours. The paper reports 64.4 on VTAB (Table 2)."""
_base_ = './vivi_ex4_big.py'
_base_.train_dataloader.dataset.pipeline.insert(4, dict(type='AutoAugmentViews'))
model = dict(data_preprocessor=dict(color_jitter=None))
