"""VIVI-Ex(2) on a folder of one's own, nested or not, without labels; set `root` and `shots` (see README.md).

    python tools/data/find_shots.py data/my_videos --out data/my_shots.jsonl
    tools/dist_train.sh configs/vivi/vivi_folder.py 8

What differs from vivi_ex2.py is our choice: frames at 4 Hz, so that a shot of two seconds counts, a batch of 128 videos
and the learning rate that goes with it, and 200 passes, the schedule in the same proportion.
"""
_base_ = './vivi_ex2.py'
_base_.train_dataloader.dataset.pipeline[1].target_fps = 4
train_dataloader = dict(
    batch_size=16,
    sampler=dict(steps=None),
    dataset=dict(root='data/my_videos', shots='data/my_shots.jsonl', target_fps=4))
batch = 128
train_cfg = dict(max_epochs=200, global_batch=batch)
optim_wrapper = dict(optimizer=dict(lr=.8 * batch / 1024))
_base_.param_scheduler[0].milestones = [150, 183]
auto_scale_lr = dict(base_batch_size=batch)
