# Playback rates of Kinetics-400. The paper takes another number of clips a video here than on UCF101, which the text
# has lost: **our choice** is the same 4.
_base_ = './ucf101_rates.py'
data_root = 'data/kinetics400/'
train_dataloader = dict(
    dataset=dict(root=data_root + 'videos_train', ann_file=data_root + 'kinetics400_train_list_videos.txt'))
val_dataloader = dict(
    dataset=dict(root=data_root + 'videos_val', ann_file=data_root + 'kinetics400_val_list_videos.txt'))
test_dataloader = val_dataloader
