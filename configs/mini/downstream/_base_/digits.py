# The quickstart's moving digits; the class is the digit.
_base_ = './classifier_r18.py'
data_root = 'data/moving_digits'
label_names = ('digit', 'motion')
train_dataloader = dict(dataset=dict(root=data_root, ann_file='train.txt', label_names=label_names))
val_dataloader = dict(dataset=dict(root=data_root, ann_file='test.txt', label_names=label_names))
test_dataloader = dict(dataset=dict(root=data_root, ann_file='test.txt', label_names=label_names))
for loader in (_base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader):
    loader.dataset.pipeline[4].label = 'digit'
del loader
