"""Table 4a: clips that start at most 4 seconds apart, BYOL. The study reports K400 linear 65.8, as for any distance.

Other distances: --cfg-options train_dataloader.dataset.pipeline.1.max_span=8
"""
_base_ = '../byol_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].max_span = 4.
