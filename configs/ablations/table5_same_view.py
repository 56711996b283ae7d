"""Table 5, first row: v_1 = v_ref, the network sees the teacher's own clip.

Paper: k-NN 52.7, HMDB51 68.4, UCF101 94.5, SSv2 53.6.
"""
_base_ = '../iboot_r50_clip_k400_100e.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 1
