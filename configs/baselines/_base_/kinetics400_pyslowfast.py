# PySlowFast's views: a crop of random area and aspect ("aug+"), frames counted on a clock of 30 Hz. Its 64 frames are
# divided by linspace(0, 63, 8), a distance of 9 at 30 Hz; here it stays 8 (to have 9: frame_interval=9). Its colours
# come before the crop, here after it.
_base_ = './kinetics400.py'
for dataset in (_base_.train_dataloader.dataset, *_base_.val_dataloader.dataset.datasets,
                *_base_.test_dataloader.dataset.datasets):
    dataset.pipeline[1].target_fps = 30
del dataset
_base_.train_dataloader.dataset.pipeline[3].area = (.2, .766)
# Three times the colours that the study prints (B.1), for all methods.
colors = dict(brightness=.6, contrast=.6, saturation=.6, hue=.15)
normalization = dict(mean=[.45] * 3, std=[.225] * 3)  # not MMAction2's
