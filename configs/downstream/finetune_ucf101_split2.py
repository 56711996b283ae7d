"""As split 1, on split 2. All three and their mean: tools/evaluate.py CKPT --protocols ucf101_3splits."""
_base_ = './finetune_ucf101_split1.py'
train_dataloader = dict(dataset=dict(ann_file='data/ucf101/ucf101_train_split_2_videos.txt'))
val_dataloader = dict(dataset=dict(ann_file='data/ucf101/ucf101_val_split_2_videos.txt'))
test_dataloader = dict(dataset=dict(ann_file='data/ucf101/ucf101_val_split_2_videos.txt'))
