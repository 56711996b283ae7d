"""Table 8: pre-training on Kinetics-600; k-NN stays on Kinetics-400.

Paper: k-NN 55.3, linear 71.4, HMDB51 69.4, UCF101 94.5.
"""
_base_ = '../iboot_r50_clip_k400_100e.py'
train_dataloader = dict(
    dataset=dict(
        root='data/kinetics600/videos_train', ann_file='data/kinetics600/kinetics600_train_list_videos.txt'))
