"""Semi-supervised: all weights on 1 % of each class of Kinetics-400, its whole validation set, 10 x 3 views.

Paper's headline: 40.1 top-1. Recipe: "similar to the linear evaluation, except that the initial learning rate is .01"
(section 4.2); dropout .5 is our choice. The list, so that others get the same videos:

    python tools/data/make_subset.py data/kinetics400/kinetics400_train_list_videos.txt \\
        data/kinetics400/kinetics400_train_1pct_list_videos.txt --share .01 --seed 0
"""
_base_ = './finetune_k400.py'
train_dataloader = dict(dataset=dict(ann_file='data/kinetics400/kinetics400_train_1pct_list_videos.txt'))
