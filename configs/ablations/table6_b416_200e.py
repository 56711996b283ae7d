"""Table 6: 32 x 13 videos, 200 epochs, the headline. Paper: k-NN 56.2, HMDB51 71.6, UCF101 95.0."""
_base_ = '../iboot_r50_clip_k400.py'
