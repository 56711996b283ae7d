"""Fine-tuning at mini size: all weights, on moving digits."""
_base_ = './_base_/digits.py'
