"""Table 3: DINO without a momentum branch, as in Table 1."""
_base_ = './table1_dino.py'
