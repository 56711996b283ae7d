_base_ = './lars_b416_200e.py'
train_cfg = dict(max_epochs=100)
_base_.param_scheduler[1].end = 100
