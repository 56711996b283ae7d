"""Linear classifiers on stored features of Kinetics-400, one clip of each video, a grid of learning rates at once.

Uses the features of knn_k400.py again. The paper has no such figure: its linear protocol is linear_k400.py. Softmax
over more views of the test videos: --cfg-options test_dataloader.dataset.datasets.1.pipeline.1.num_views=10
"""
_base_ = ['./_base_/frozen_features.py', './_base_/datasets/k400_gallery_query.py']
# SGD, 64 videos a step, 100 epochs and the cosine are the paper's. Ours: standardised channels, no warm-up, and a
# learning rate that is chosen on a tenth of the training videos.
test_evaluator = dict(type='LinearOnFeaturesMetric', holdout=.1, epochs=100, batch_size=64, standardize=True)
