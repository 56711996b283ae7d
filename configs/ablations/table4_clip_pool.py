"""Table 4: CLIP with temporal pooling. Paper: k-NN 54.3, HMDB51 68.6, UCF101 94.0."""
_base_ = './table1_clip.py'
model = dict(temporal_pool=True)
