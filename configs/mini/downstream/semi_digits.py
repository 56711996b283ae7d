"""configs/downstream/semi_k400_10pct.py at mini size: all weights, on a tenth of each digit's videos.

    python tools/data/make_subset.py data/moving_digits/train.txt data/moving_digits/train_10pct.txt --share .1 \\
        --labels digit motion
"""
_base_ = './finetune_digits.py'
train_dataloader = dict(dataset=dict(ann_file='train_10pct.txt'))
train_cfg = dict(max_epochs=40, val_interval=20)  # of 4 steps
_base_.param_scheduler[0].end = 4
_base_.param_scheduler[1].update(begin=4, end=40)
