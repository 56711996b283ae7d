"""Table 3: CLIP without a momentum branch, as in Table 1."""
_base_ = './table1_clip.py'
