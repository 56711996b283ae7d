"""VIVI-Ex(4): exemplars within shots, InfoNCE over 4 shots. The paper reports 62.5 on VTAB (1000 examples, Table 2)."""
_base_ = ['./_base_/model.py', './_base_/yt8m.py', './_base_/sgd_120k.py', './_base_/runtime.py']
