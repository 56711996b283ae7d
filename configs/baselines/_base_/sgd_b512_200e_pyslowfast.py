# As lars_b512_200e_pyslowfast.py, for MoCo. Its file has the base twice, .05 and .1: the last one counts, .8 for 512.
_base_ = '../../_base_/schedules/sgd_b512_200e.py'
optim_wrapper = dict(optimizer=dict(lr=.8))
param_scheduler = [dict(type='WarmupCosineLR', start_factor=.001 / .1, warmup=35, by_epoch=True, end=200,
                        convert_to_iter_based=True)]
