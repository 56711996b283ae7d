# PySlowFast's files: 35 epochs of warm-up from .001 to the cosine's value there. They count per machine of 8 GPUs and
# 64 videos, base .6 and start .001, and multiply both by the machines: 8 for a batch of 512.
_base_ = '../../_base_/schedules/lars_b512_200e.py'
param_scheduler = [dict(type='WarmupCosineLR', start_factor=.001 / .6, warmup=35, by_epoch=True, end=200,
                        convert_to_iter_based=True)]
