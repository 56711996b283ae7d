import pytest
import torch
from mmaction.registry import METRICS
from mmengine.evaluator import Evaluator

from .test_base import sample


def score(samples, **kwargs):
    evaluator = Evaluator(METRICS.build(dict(type='VideoRetrievalMetric', **kwargs)))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def on_circle(angle, role, label, **kwargs):
    return sample([torch.tensor(angle).cos(), torch.tensor(angle).sin()], role, dict(label=label), **kwargs)


def test_recalls_by_hand():
    """The query at 0 meets classes 1, 1, 0, 2 in this order, the one at 2 meets 2, 0, 1, 1."""
    gallery = [on_circle(angle, 'gallery', label) for angle, label in ((.1, 1), (-.2, 1), (.3, 0), (1.5, 2))]
    queries = [on_circle(angle, 'query', label) for angle, label in ((0., 0), (0., 1), (2., 2), (2., 7))]
    assert score(gallery + queries, topk=(1, 2, 3, 4)) == {
        'retrieval/R@1': .5, 'retrieval/R@2': .5, 'retrieval/R@3': .75, 'retrieval/R@4': .75}


def test_equals_brute_force_for_each_label():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(80, 6, generator=generator).double()
    labels = torch.randint(0, 5, (80, 2), generator=generator)
    samples = [sample(f, 'gallery' if i < 60 else 'query', dict(a=int(x), b=int(y)))
               for i, (f, (x, y)) in enumerate(zip(features, labels))]
    metrics = score(samples, topk=(1, 5), memory=2e-5)
    for column, name in enumerate('ab'):
        for k in (1, 5):
            hits = []
            for query in range(60, 80):
                cosines = [float(features[query] @ g / g.norm()) for g in features[:60]]
                nearest = sorted(range(60), key=cosines.__getitem__)[-k:]
                hits.append(labels[query, column] in labels[nearest, column])
            assert metrics[f'{name}/retrieval/R@{k}'] == pytest.approx(sum(hits) / 20)


def test_stand_ins_are_left_out():
    samples = [on_circle(.1, 'gallery', 0), on_circle(0., 'gallery', 1, replaced=True), on_circle(0., 'query', 0)]
    assert score(samples, topk=(1,)) == {'retrieval/R@1': 1.}


def test_more_neighbours_than_the_gallery_holds():
    samples = [on_circle(.1, 'gallery', 0), on_circle(.5, 'gallery', 1), on_circle(0., 'query', 1),
               on_circle(0., 'query', 2)]
    assert score(samples, topk=(1, 20)) == {'retrieval/R@1': 0., 'retrieval/R@20': .5}


def test_no_labels():
    samples = [sample([1., 0], 'gallery', filename='g.mp4'), sample([1., 0], 'query')]
    with pytest.raises(ValueError, match='retrieval needs labels, but g.mp4 has none'):
        score(samples, topk=(1,))
