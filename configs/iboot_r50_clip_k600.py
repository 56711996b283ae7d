"""The headline recipe on Kinetics-600 (Table 8; about 392k videos). k-NN stays on Kinetics-400, as in the paper."""
_base_ = './iboot_r50_clip_k400.py'
train_dataloader = dict(
    dataset=dict(
        root='data/kinetics600/videos_train', ann_file='data/kinetics600/kinetics600_train_list_videos.txt'))
