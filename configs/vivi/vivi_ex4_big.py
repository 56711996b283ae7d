"""VIVI-Ex(4)-Big: the encoder three times as wide. The paper reports 63.3 on VTAB (1000 examples, Table 2)."""
_base_ = './vivi_ex4.py'
model = dict(backbone=dict(width_factor=3), feature_dim=6144)
train_dataloader = dict(batch_size=4)  # **our choice**, not measured on a GPU
