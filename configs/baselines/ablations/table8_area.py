"""Table 8: MoCo with crops of an area of .2 to .76 and an aspect of 3/4 to 4/3.

The study reports K400 linear 66.8, UCF101 91.8. Other areas, and none of aspect:
--cfg-options train_dataloader.dataset.pipeline.3.area='(.49,.76)' train_dataloader.dataset.pipeline.3.aspect='(1,1)'
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[3].area = (.2, .76)
