"""Table 4: DINO with temporal pooling. Paper: k-NN 48.4, HMDB51 62.1, UCF101 91.0."""
_base_ = './table1_dino.py'
model = dict(temporal_pool=True)
