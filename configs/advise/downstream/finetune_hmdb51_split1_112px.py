"""finetune_hmdb51_split1.py with clips of 112 pixels, for Table 8: what ../ablations/table8_112px_*.py wrote."""
_base_ = './finetune_hmdb51_split1.py'
_base_.train_dataloader.dataset.pipeline[3].update(size=112, short_side=(128, 160))
_base_.val_dataloader.dataset.pipeline[3].update(size=112, short_side=128)
_base_.test_dataloader.dataset.pipeline[3].update(size=112, short_side=128)
