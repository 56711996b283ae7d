# The paper's rows: CLIP ViT-B/16 on UCF101. Kernel 1 over time, which alone fits the parameters of Tables 2 and 3.
_base_ = '../../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(kernel=1)))
