"""Table 4: CLIP, the cosine taken per frame, as in Table 1."""
_base_ = './table1_clip.py'
