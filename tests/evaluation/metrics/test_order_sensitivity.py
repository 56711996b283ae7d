"""A network that reads the order of frames and one that cannot, both in closed form."""

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator

from iboot_mm.datasets.transforms import ReorderFrames
from iboot_mm.datasets.transforms.reordering import ORDERS, frame_order


def brightness(index: int) -> np.ndarray:
    """Eight frames' brightness: rising in even videos, falling in odd ones, the same set of frames in both."""
    rising = 10 + 20 * np.arange(8) + index // 2
    return rising if index % 2 == 0 else rising[::-1]


def reads_order(clip: torch.Tensor) -> torch.Tensor:  # (T,) to (D,)
    return clip


def blind_to_order(clip: torch.Tensor) -> torch.Tensor:
    return torch.stack([clip.mean(), clip.square().mean().sqrt()])


def encode(network, count: int, role: str, num_views: int = 2, orders=ORDERS) -> list[ActionDataSample]:
    samples = []
    for index in range(count):
        imgs = np.tile(brightness(index).astype(np.uint8)[None, :, None, None, None], (num_views, 1, 2, 2, 3))
        seeds = [100 * index + view for view in range(num_views)]
        imgs = ReorderFrames(orders)(dict(imgs=imgs, view_seeds=seeds))['imgs']
        clips = torch.from_numpy(imgs).float().mean(dim=(2, 3, 4))  # (O V, T)
        features = torch.stack([network(clip) for clip in clips])
        sample = ActionDataSample(view_features=features, feature=features.mean(0))
        sample.set_metainfo(dict(role=role, labels=dict(label=index % 2), filename=f'{index}.mp4', replaced=False))
        samples.append(sample)
    return samples


def gallery(network, count: int) -> list[ActionDataSample]:
    return encode(network, count, 'gallery', num_views=1, orders=['forward'])


def score(samples: list[ActionDataSample], **options) -> dict[str, float]:
    evaluator = Evaluator(METRICS.build(dict(type='OrderSensitivityMetric', **{**dict(k=3), **options})))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_a_gallery_of_fewer_than_k_videos_votes_whole():
    samples = gallery(reads_order, 8) + encode(reads_order, 6, 'query')
    assert score(samples, k=20) == score(samples, k=8)


def test_a_network_that_reads_order():
    metrics = score(gallery(reads_order, 8) + encode(reads_order, 6, 'query'))
    assert metrics['order/knn_top1_forward'] == 1
    assert metrics['order/knn_top1_reversed'] == 0  # rising is now falling
    clips = np.stack([brightness(i) for i in range(6)]).astype(float)
    units = clips / np.linalg.norm(clips, axis=1, keepdims=True)
    assert metrics['order/change_forward'] == pytest.approx(0, abs=1e-6)
    assert metrics['order/change_reversed'] == pytest.approx(1 - (units * units[:, ::-1]).sum(1).mean(), abs=1e-6)
    assert metrics['order/change_frozen'] == pytest.approx(1 - units.mean(1).mean() * 8**.5, abs=1e-6)
    shuffled = np.stack([sum(clip[frame_order('shuffled', 8, 100 * i + view)] for view in range(2))
                         for i, clip in enumerate(clips)])
    cosines = (units * shuffled).sum(1) / np.linalg.norm(shuffled, axis=1)
    assert metrics['order/change_shuffled'] == pytest.approx(1 - cosines.mean(), abs=1e-6)
    others = [1 - units[i] @ units[j] for i in range(6) for j in range(6) if i != j]
    assert metrics['order/change_other_video'] == pytest.approx(np.mean(others), abs=1e-6)


def test_a_network_that_is_blind_to_order():
    metrics = score(gallery(blind_to_order, 8) + encode(blind_to_order, 6, 'query'))
    for order in ('reversed', 'shuffled'):
        assert metrics[f'order/change_{order}'] == pytest.approx(0, abs=1e-6)
        assert metrics[f'order/knn_top1_{order}'] == metrics['order/knn_top1_forward']
    assert metrics['order/change_frozen'] > 1e-3


def test_fewer_orders_and_no_labels():
    options = dict(orders=('reversed', 'forward'))
    samples = gallery(reads_order, 4) + encode(reads_order, 4, 'query', **options)
    metrics = score(samples, **options)
    assert metrics['order/knn_top1_forward'] == 1 and 'order/change_frozen' not in metrics
    for sample in samples:
        sample.set_metainfo(dict(labels={}))
    assert set(score(samples, **options)) == {'order/change_forward', 'order/change_reversed',
                                              'order/change_other_video'}


def test_a_single_query_has_no_other_to_differ_from():
    metrics = score(gallery(reads_order, 4) + encode(reads_order, 1, 'query'))
    assert 'order/change_other_video' not in metrics and metrics['order/change_reversed'] > 0


def test_bad_input():
    samples = gallery(reads_order, 4) + encode(reads_order, 4, 'query', orders=['forward'])
    with pytest.raises(ValueError, match='0.mp4 has 2 views, which do not divide into 4 orders'):
        score(samples)
    with pytest.raises(ValueError, match="compares with 'forward'"):
        score(samples, orders=('reversed', ))
