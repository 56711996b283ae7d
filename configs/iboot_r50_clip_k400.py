"""iBoot, the paper's headline recipe: Slow R50 8x8 taught by CLIP ViT-B/16 on Kinetics-400.

200 epochs, 416 videos a step, LARS with a peak learning rate of 2.4 x 416 / 256 = 3.9. On any number of GPUs the
batch is kept: each takes at most `train_dataloader.batch_size` videos at once and accumulates the rest. BN sees
GPUs x videos per GPU at once, so for BN over all 416, as in the paper, run on 32 GPUs, or on 8 that hold 52 videos
(42 of 80 GB in bfloat16; in float32 80 GB hold 51; counted by tools/analysis/dry_run.py, not measured on a GPU):

    tools/dist_train.sh configs/iboot_r50_clip_k400.py 8 --cfg-options train_dataloader.batch_size=52 \\
        optim_wrapper.type=AmpOptimWrapper optim_wrapper.dtype=bfloat16 optim_wrapper.loss_scale=1.

The target is CLIP's 512-d joint embedding of images and text; for the 768-d token before CLIP's projection take
`_base_/teachers/clip_vit_b16_cls768.py`. The paper reports k-NN 56.2, linear 71.8, UCF101 95.0, HMDB51 71.6, SSv2 55.8.
"""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b416_200e.py',
    '_base_/teachers/clip_vit_b16.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
