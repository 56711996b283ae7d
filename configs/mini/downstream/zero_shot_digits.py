"""configs/downstream/zero_shot_k400.py at mini size: moving digits in the space of the teacher of still digits.

That teacher knows no words: the means of its features of labelled still digits stand for the names of the classes
(tools/data/make_digit_teacher.py writes them). No label of a video is used.
"""
_base_ = './_base_/features_digits.py'
del _base_.test_dataloader.dataset.datasets[0]  # the gallery
model = dict(type='JointSpaceEncoder', feature_dim=128, width=96, target_norm='standardize')
test_evaluator = dict(type='ZeroShotMetric', embeddings='data/digit_teacher/classes.npy', label='digit')
