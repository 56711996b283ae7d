"""Table 8: pre-training on Kinetics-400. Paper: k-NN 54.3, linear 69.1, HMDB51 68.6, UCF101 94.0."""
_base_ = '../iboot_r50_clip_k400_100e.py'
