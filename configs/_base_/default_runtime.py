default_scope = 'mmaction'
custom_imports = dict(imports=['iboot_mm'])

# MMAction2's runtime also installs SyncBuffersHook, which averages every buffer over the ranks after each epoch.
# Not here: SyncBN and the target statistics are already the same on all ranks, and averaging would corrupt counters.
default_hooks = dict(
    runtime_info=dict(type='DeferredInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=3),
    sampler_seed=dict(type='EpochSeedHook'))
custom_hooks = [
    dict(type='TrainingPlanHook'),
    dict(type='NaNStopHook'),
    dict(type='CollapseAlarmHook'),
    dict(type='UnreadableVideosHook', max_share=.05),
    dict(type='MissedValidationHook'),
]

model_wrapper_cfg = dict(type='DistributedPretrainer')
sync_bn = 'torch'  # over all GPUs, as in the paper; a single process and a CPU keep plain BN

# All clips of a recipe have one size, so cuDNN's search for the fastest 3D convolutions pays. There is no
# `randomness` here on purpose: MMAction2's `tools/train.py --seed` gives way to a config that has it.
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='ActionVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
