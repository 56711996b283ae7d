"""Table 5: one clip for the teacher, two for the network, the setting of all other tables.

Paper: k-NN 54.3, HMDB51 68.6, UCF101 94.0, SSv2 54.6.
"""
_base_ = '../iboot_r50_clip_k400_100e.py'
