# VIVI on videos of several shots, which all show one digit, each in another hand, over another texture and moving in
# another way: composed of the moving digits that are trained on (tools/data/compose_shots.py), with the shots that
# tools/data/find_shots.py found in them. k-NN is on the moving digits. `make quickstart METHOD=vivi` trains this.
_base_ = './_base_/vivi.py'

# Two frames in three are gray, as in the exemplar protocol that the paper cites: the colours of a texture tell its shot
# at once. Shots of one video, which the video loss is to join, are no negatives of each other. By k-NN of
# the digit on held-out training videos lambda 1 is better than .1, 3 and 10 (model_cards/vivi_mini.md).
model = dict(data_preprocessor=dict(gray_prob=.66), shot_loss=dict(same_video=False), video_weight=1.)

_base_.train_pipeline[0].update(decoder='frame_cache', folder='data/digit_shots_frames')  # .5 GB

data_root = 'data/moving_digits'
label_names = ('digit', 'motion')

train_dataloader = dict(dataset=dict(root='data/digit_shots', pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root,
                ann_file=ann_file,
                label_names=label_names,
                role=role,
                test_mode=True,
                pipeline=_base_.val_pipeline) for ann_file, role in (('train.txt', 'gallery'), ('test.txt', 'query'))
        ]))
test_dataloader = val_dataloader
test_cfg = dict(type='TestLoop')
test_evaluator = _base_.val_evaluator
