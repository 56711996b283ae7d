# iBoot around the paper's Slow network. The teacher comes from configs/_base_/teachers/.
_base_ = './slow_r50.py'
model = dict(
    type='IBoot',
    temporal_pool=True)  # both features are averaged over time before the cosine (Table 4)
