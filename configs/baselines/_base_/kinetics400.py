# Two clips of a video, 8 videos a GPU; on the study's 64 GPUs a batch of 512.
_base_ = '../../_base_/datasets/kinetics400.py'
_base_.train_dataloader.batch_size = 8
_base_.train_dataloader.dataset.pipeline[1].num_views = 2
