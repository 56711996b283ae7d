"""Table 2: CLIP alone, as in Table 1."""
_base_ = './table1_clip.py'
