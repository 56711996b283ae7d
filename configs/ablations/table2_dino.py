"""Table 2: DINO alone, as in Table 1."""
_base_ = './table1_dino.py'
