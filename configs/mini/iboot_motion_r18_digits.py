# iboot_r18_digits.py with a motion target: the teacher's own correspondences, by clusters (docs/motion_target.md).
# - The network mixes time in its stem and in all stages: at 48 pixels those that do by default have maps of 3 x 3,
#   where nothing is seen to move.
# - Appearance is contrasted with the other videos' (contrast), as strong a task as telling the cluster of the motion;
#   by cosine, whichever of the two is learned first keeps the other one back.
# - 1056 steps with one online view instead of 440 with two, and no colour jitter; decoded frames are kept.
_base_ = './iboot_r18_digits.py'

_base_.train_pipeline[0].update(decoder='frame_cache', folder='data/moving_digits_frames')  # 0.6 GB
_base_.train_pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    backbone=dict(inflate=(1, 1, 1, 1), conv1_kernel=(3, 7, 7)),
    contrast=.1,
    motion=dict(shown=dict(type='correspondences', stride=4)),  # of 48 pixels: maps of 12 x 12
    data_preprocessor=dict(color_prob=0., gray_prob=0.))
_base_.train_cfg.update(max_epochs=24, val_interval=12)
_base_.param_scheduler[-1].end = 24
