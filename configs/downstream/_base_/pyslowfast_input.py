# For networks of tools/convert/pyslowfast.py and of configs/baselines/*_pyslowfast.py, which know PySlowFast's input:
# mean .45 and std .225 for every channel. tools/evaluate.py reads that from the file or its config; with other
# launchers, two lines on top of any config of this folder:
#     _base_ = ['./linear_k400.py', './_base_/pyslowfast_input.py']
#     model = _base_.pyslowfast_recognizer  # of VideoEncoder (knn, retrieval, linear_fast, order): pyslowfast_encoder
pyslowfast_encoder = dict(normalization=dict(mean=[.45] * 3, std=[.225] * 3))
pyslowfast_recognizer = dict(data_preprocessor=dict(mean=[.45 * 255] * 3, std=[.225 * 255] * 3))
