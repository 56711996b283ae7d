"""The recipe of the study's IG-Uncurated rows on any videos: a folder of them, nested or not, or tar shards, no list.

Its videos are random ones of Instagram (1M, median 29.4 s) and were never released. The recipe is that of Kinetics; of
its k-NN during training, Kinetics' lists remain. K400 linear 61.8 after 50 epochs, 65.4 after 200 (study, Table 6b).
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
train_dataloader = dict(dataset=dict(root='data/uncurated', ann_file=''))
