"""Table 7: 3D ResNet-50. Paper: k-NN 54.3, HMDB51 68.6, UCF101 94.0."""
_base_ = '../iboot_r50_clip_k400_100e.py'
