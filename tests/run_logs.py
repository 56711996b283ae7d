"""Writes the logs of runs as mmengine does."""

import json
from pathlib import Path

CONFIG = """custom_hooks = []
model = dict(type={model!r}, momentum=dict(base=.994))
randomness = dict(seed={seed})
train_cfg = dict(max_epochs={epochs}, type='GlobalBatchTrainLoop')
train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='OpenVideo'),
    dict(num_views={views}, same_clip={same}, type='SampleViews'),
]))
"""


def write_start(folder: Path, begin: float, end: float, length: int = 40, interval: int = 10, value=lambda at: at / 10,
                stamp: str = '20260101_000000', seconds: float | None = .5, metric: str = 'digit/knn_top1',
                validations: bool = True, text: bool = True) -> Path:
    """One start of a run, from one epoch to another: a line every ``interval`` iterations, accuracy each epoch."""
    start = folder / stamp
    (start / 'vis_data').mkdir(parents=True)
    records = []
    for iteration in range(round(begin * length) + 1, round(end * length) + 1):
        if iteration % interval == 0 or iteration % length == 0:
            epoch = -(-iteration // length)
            records.append(dict(lr=.1, loss=2 - value(iteration / length), **({'time': seconds} if seconds else {}),
                                memory=100, epoch=epoch, iter=iteration, step=iteration))
        if validations and iteration % length == 0:
            epoch = iteration // length
            records.append({metric: value(iteration / length), 'data_time': .1, 'time': 99., 'step': epoch})
    (start / 'vis_data/scalars.json').write_text(''.join(json.dumps(record) + '\n' for record in records))
    if text:
        (start / f'{stamp}.log').write_text(
            f'Exp name: x\n2026/01/01 - mmengine - INFO - Epoch(train)  [1][{interval}/{length}]  lr: 1.0000e-01\n')
    return start


def write_config(start: Path, model: str = 'VideoMoCo', views: int = 2, seed: int = 0, epochs: int = 4,
                 same: bool = False) -> None:
    """The config that mmengine leaves beside the log."""
    text = CONFIG.format(model=model, views=views, seed=seed, epochs=epochs, same=same)
    (start / 'vis_data/config.py').write_text(text)
