"""Fine-tuning AdViSe's temporal module on moving digits, from stored tokens, to tell their motion.

    python tools/train.py THIS --cfg-options load_from=work_dirs/advise_tmm_digits_cached/epoch_20.pth
    python tools/train.py THIS                                                        # from scratch
    python tools/train.py THIS --cfg-options train_dataloader.dataset.pipeline.3.label=digit \\
        val_dataloader.dataset.pipeline.3.label=digit model.cls_head.num_classes=10   # the digit instead

Without a temporal module, average pooling: `model.backbone.temporal=None model.cls_head.in_channels=96`.
"""
_base_ = '../advise_tmm_digits_cached.py'

clip = dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=2)
take, pack = dict(type='TakeTokens'), dict(type='PackViews', label='motion')
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=[_base_.tokens, clip, take, pack]))
val_dataloader = dict(dataset=dict(pipeline=[_base_.tokens, dict(clip, test_mode=True), take, pack]))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='ReadableAccMetric')
test_evaluator = val_evaluator
model = dict(cls_head=dict(num_classes=8), data_preprocessor=dict(_delete_=True, type='TokenPreprocessor'))

custom_hooks = [
    dict(type='TrainingPlanHook', bn_videos=None),
    dict(type='NaNStopHook'),
    dict(type='UnreadableVideosHook', max_share=.05),
    dict(type='ClassCountHook', exact=False),
    dict(type='StartingWeightsHook'),
    dict(type='MissedValidationHook'),
    dict(type='TokenCheckHook'),
]
train_cfg = dict(max_epochs=20, global_batch=32, val_interval=20)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=.01))
_base_.param_scheduler[1].end = train_cfg['max_epochs']
auto_scale_lr = dict(enable=False, base_batch_size=32)
