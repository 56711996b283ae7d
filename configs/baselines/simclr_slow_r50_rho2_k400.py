"""rho-SimCLR with 2 clips of a video, the large-scale study's recipe (Feichtenhofer et al., 2021, appendix B.1).

200 epochs, 512 videos a step, BN over groups of 8 GPUs. Negatives are the clips of the videos that are forwarded
together: 511 videos on 64 GPUs x 8, fewer if fewer GPUs accumulate. To keep them, set `train_dataloader.batch_size` to
512 / GPUs; all rho clips of a video are in memory at once. On 8 GPUs, 64 videos or 128 clips each: about 84 GB of
activations, 54 GB with `--amp` (counted, not yet measured on a GPU), and `model_wrapper_cfg.bn_group=1` for BN over 64.

Colours: see byol_slow_r50_rho2_k400.py. The study reports K400 linear 60.5, UCF101 88.9 (Table 2).
"""
_base_ = [
    '../_base_/models/simclr_slow_r50.py',
    './_base_/kinetics400.py',
    '../_base_/schedules/lars_b512_200e.py',
    './_base_/runtime.py',
]
