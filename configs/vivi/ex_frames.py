"""Ex-YT-F: exemplars of single frames, each augmented 8 times. The paper reports 59.4 on VTAB (Table 2).

The protocol of [33], as the paper says, is that of google/revisiting-self-supervised, config/exemplar/imagenet.sh: an
image is gray with a probability of .66 before 8 patches are cut, each is standardised by itself, and 5 of 35 epochs,
here 17 of 120, warm up. That its decays at 15 and 25 epochs give way to those at 90k and 110k steps is how we read "all
unsupervised models". Our choice: a new frame of each video in each pass, where the paper's data set has one. Videos of
one shot are used, too.
"""
_base_ = './vivi_ex4.py'
model = dict(num_shots=1, video_loss=None, standardize=True, data_preprocessor=dict(type='ExemplarPreprocessor'))
_base_.train_dataloader.dataset.pipeline[1] = dict(type='SampleViews', num_views=8, clip_len=1, same_clip=True)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _delete_=True,
        type='VideoFolder',
        root=_base_.train_dataloader.dataset.root,
        pipeline=_base_.train_dataloader.dataset.pipeline))
batch = 2048  # one frame a video
train_cfg = dict(global_batch=batch)
_base_.param_scheduler.append(
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=17, convert_to_iter_based=True))
auto_scale_lr = dict(base_batch_size=batch)
