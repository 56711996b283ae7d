"""Not a row of the paper: kernel 3 over time, as its text describes the block; kernel 1 is fig6_hidden_256.py."""
_base_ = '../advise_clip_b16_ucf101.py'
