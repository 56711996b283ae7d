"""Table 5: one clip for the teacher, one for the network.

Paper: k-NN 53.4, HMDB51 68.3, UCF101 93.7, SSv2 53.9.
"""
_base_ = '../iboot_r50_clip_k400_100e.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 2
