# Loaders of a classifier's training, validation and test; what they show comes from dense_views.py or segment_views.py.
train_dataloader = dict(
    batch_size=16,  # the most videos a GPU takes at once; the loop divides the global batch (see train_cfg)
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(type='VideoFolder'))
val_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoFolder', test_mode=True))
test_dataloader = dict(
    batch_size=1,  # of 30 views, where a test has 10 x 3
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoFolder', test_mode=True))
val_evaluator = dict(type='ReadableAccMetric')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
