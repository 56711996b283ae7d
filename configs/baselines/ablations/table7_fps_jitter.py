"""Table 7: MoCo with the frame rate jittered by +-50 %. The study reports K400 linear 65.6, UCF101 91.5."""
_base_ = '../moco_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].fps_jitter = .5
