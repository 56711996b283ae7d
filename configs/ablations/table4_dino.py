"""Table 4: DINO, the cosine taken per frame, as in Table 1."""
_base_ = './table1_dino.py'
