# VIVI-Ex(4): ResNet-50 v2 with BN, frames of a shot as one class, an LSTM that predicts each of 4 shots from those
# before it (sections 3 and 4). The crops and colours are those of Inception [58].
model = dict(
    type='VIVI',
    backbone=dict(type='FrameResNetV2'),
    feature_dim=2048,
    num_shots=4,
    # The text at hand gives neither lambda, for which the paper tries at most four values, nor the margin and the width
    # of the triplet loss: **our choices**; VIVI and ExemplarHead say where they come from. The mini configs inherit
    # them.
    video_weight=.1,  # lambda
    shot_loss=dict(type='ExemplarHead', embed_dim=1000, margin=.5),
    video_loss=dict(type='ShotSequenceHead', hidden=256),
    # "The augmentation mechanism from [58]" names no strengths. These are those of TensorFlow-Slim's preprocessing for
    # Inception, .125 for its 32 / 255, which it adds and we multiply with: **our choice**.
    data_preprocessor=dict(
        type='ViewPreprocessor',
        color_jitter=dict(brightness=.125, contrast=.5, saturation=.5, hue=.2),
        color_prob=1.,
        gray_prob=0.,
        blur_prob=0.))
