"""rho-BYOL with 2 crops of one clip ("rho = 1"). The study reports K400 linear 60.6, UCF101 91.2 (Table 2)."""
_base_ = './byol_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].same_clip = True
