"""configs/downstream/order_ucf101.py at mini size: moving digits forward, reversed, shuffled and frozen."""
_base_ = './_base_/features_digits.py'
_base_.test_dataloader.dataset.datasets[1].pipeline.insert(4, dict(type='ReorderFrames'))
test_evaluator = dict(type='OrderSensitivityMetric', k=20, temperature=.07)
