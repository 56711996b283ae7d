"""VIVI-Ex(2): InfoNCE between 2 shots, an MLP for each. Its figures are in a supplement that is not at hand."""
_base_ = './vivi_ex4.py'
model = dict(num_shots=2, video_loss=dict(type='ShotPairHead'))
_base_.train_dataloader.dataset.pipeline[1].num_shots = 2
train_dataloader = dict(batch_size=32, dataset=dict(num_shots=2))
batch = 1024  # videos of 2 shots
train_cfg = dict(global_batch=batch)
auto_scale_lr = dict(base_batch_size=batch)
