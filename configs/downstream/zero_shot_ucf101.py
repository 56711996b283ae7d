"""Zero-shot classification of UCF101, split 1: one clip of each test video against the names of the classes."""
_base_ = ['./_base_/zero_shot.py', './_base_/datasets/ucf101_gallery_query.py']
del _base_.test_dataloader.dataset.datasets[0]  # the gallery
test_evaluator = dict(class_names='data/ucf101/label_map.txt')
