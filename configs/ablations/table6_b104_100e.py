"""Table 6: 8 x 13 videos, 100 epochs. Paper: k-NN 54.3, HMDB51 68.6, UCF101 94.0."""
_base_ = '../iboot_r50_clip_k400_100e.py'
