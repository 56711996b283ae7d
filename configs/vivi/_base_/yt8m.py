# YouTube-8M, of which the authors had 3.7 million videos to train on: files below videos_train, and the list of their
# shots, which tools/data/find_shots.py writes. 4 consecutive shots, 8 consecutive frames of each at 1 Hz, every frame
# with a crop and flip of its own [58]; 224 pixels are **our choice**. No label is read, so nothing is validated.
data_root = 'data/yt8m/'
train_dataloader = dict(
    # The most videos a GPU takes at once, 512 frames here: **our choice**, not measured on a GPU. The losses compare
    # the videos of one forward pass over all GPUs: 32 GPUs see the paper's batch, fewer see fewer negatives.
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    # An epoch is a thousand steps, however many of the videos can still be had and have enough shots.
    sampler=dict(type='EpochSampler', shuffle=True, steps=1000),
    dataset=dict(
        type='ShotFolder',
        root=data_root + 'videos_train',
        shots=data_root + 'shots_train.jsonl',
        num_shots=4,
        min_length=8,
        target_fps=1,
        pipeline=[
            dict(type='OpenVideo'),
            dict(type='SampleShots', num_shots=4, shot_len=8, target_fps=1),
            dict(type='DecodeViews'),
            dict(type='CropViews', size=224, area=(.08, 1.), aspect=(3 / 4, 4 / 3), flip_prob=.5),
            dict(type='PackViews'),
        ]))
