_base_ = '../../_base_/default_runtime.py'
custom_hooks = [
    dict(type='TrainingPlanHook', bn_videos=None),  # the paper does not say what BN sees
    dict(type='NaNStopHook'),
    dict(type='ClassCountHook'),
    dict(type='UnreadableVideosHook', max_share=.05),
    dict(type='MissedValidationHook'),
]
