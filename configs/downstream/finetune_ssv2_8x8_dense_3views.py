"""As finetune_ssv2_8x8_dense.py, tested on 3 views: test what that one wrote with this config."""
_base_ = './finetune_ssv2_8x8_dense.py'
_base_.test_dataloader.dataset.pipeline[3].crops = 3
