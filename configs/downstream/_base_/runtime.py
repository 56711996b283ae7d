# What the trainings on labels share; they start from `load_from` (tools/train.py CONFIG --cfg-options load_from=FILE).
_base_ = '../../_base_/default_runtime.py'
custom_hooks = [
    # The papers do not say what BN sees here; SyncBN makes it the same for any number of GPUs without accumulation.
    dict(type='TrainingPlanHook', bn_videos=None),
    dict(type='StartingWeightsHook'),
    dict(type='ClassCountHook'),
    dict(type='NaNStopHook'),
    dict(type='UnreadableVideosHook', max_share=.05),
    dict(type='MissedValidationHook'),
]
