"""VIVI-Rot(4): how far each frame is turned, InfoNCE over 4 shots. The paper reports 58.9 on VTAB (Table 2)."""
_base_ = './vivi_ex4.py'
model = dict(shot_loss=dict(_delete_=True, type='RotationHead'))
_base_.train_dataloader.dataset.pipeline[1].shot_len = 4
train_dataloader = dict(batch_size=8, dataset=dict(min_length=4))  # 512 images, each frame in four positions
