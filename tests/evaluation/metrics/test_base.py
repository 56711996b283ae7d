import logging

import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from iboot_mm.evaluation import knn_classify
from iboot_mm.evaluation.metrics import knn
from iboot_mm.models.losses.views import spread


def sample(feature, role, labels=None, replaced=False, filename='a.mp4'):
    """A sample as VideoEncoder leaves it; ``feature`` (D,) is the one of its two views, or (V, D) those of V."""
    views = torch.as_tensor(feature, dtype=torch.float32)
    views = views.expand(2, -1) if views.dim() == 1 else views
    data_sample = ActionDataSample(view_features=views, feature=views.mean(0))
    data_sample.set_metainfo(dict(role=role, labels=labels or {}, replaced=replaced, filename=filename))
    return data_sample


def score(samples, size=None, **kwargs):
    evaluator = Evaluator(METRICS.build(dict(type='KNNMetric', **kwargs)))
    for start in range(0, len(samples), 3):
        evaluator.process(samples[start:start + 3])
    return evaluator.evaluate(size or len(samples))


def clusters(names=('digit', 'motion'), seed=0):
    """20 gallery and 10 query samples: the first label is the feature's corner, the second is noise."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for index in range(30):
        corner = index % 4
        labels = {name: corner if i == 0 else int(torch.randint(0, 3, (), generator=generator))
                  for i, name in enumerate(names)}
        feature = torch.eye(4)[corner] + .1 * torch.randn(4, generator=generator)
        samples.append(sample(feature, 'gallery' if index < 20 else 'query', labels))
    return samples


def test_named_labels():
    samples = clusters()
    metrics = score(samples, k=5)
    features = torch.stack([s.feature for s in samples])
    noise = torch.tensor([s.labels['motion'] for s in samples])
    guess = knn_classify(features[20:], features[:20], noise[:20], k=5)
    assert metrics['digit/knn_top1'] == 1
    assert metrics['motion/knn_top1'] == pytest.approx((guess == noise[20:]).float().mean().item())
    assert metrics['feature_spread'] == pytest.approx(spread(features).item())


def test_views_are_averaged():
    """The mean of the query's two views is nearest to class 1, each view alone to another class."""
    samples = [sample(x, 'gallery', dict(label=i)) for i, x in enumerate(([1., 0], [1., 1], [0., 1]))]
    samples.append(sample([[1., .1], [.1, 1.]], 'query', dict(label=1)))
    assert score(samples, k=1)['knn_top1'] == 1


def test_any_memory_gives_the_same_figures():
    assert score(clusters(), k=5, memory=1e-6) == pytest.approx(score(clusters(), k=5), abs=1e-6)


def test_one_unnamed_label():
    assert set(score(clusters(names=('label',)), k=5)) == {'knn_top1', 'feature_spread'}


def test_without_labels_only_the_spread():
    samples = [sample(torch.eye(4)[i % 4], 'gallery' if i < 6 else 'query') for i in range(8)]
    assert score(samples) == {'feature_spread': pytest.approx(.75 ** .5)}


def test_stand_ins_are_left_out_and_counted(caplog):
    MMLogger.get_instance('test_metrics', log_level='INFO')
    wrong = [sample(torch.eye(4)[0], 'query', dict(digit=3, motion=0), replaced=True) for _ in range(7)]
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.WARNING):
            metrics = score(clusters() + wrong, k=5)
    finally:
        logger.removeHandler(caplog.handler)
    assert metrics['digit/knn_top1'] == 1
    assert '7 of 37 videos could not be read' in caplog.text


def test_a_gallery_of_fewer_than_k_videos_votes_whole(monkeypatch):
    told = []
    monkeypatch.setattr(knn, 'print_log', lambda message, *args, **kwargs: told.append(message))
    samples = clusters()
    assert score(samples, k=20) == score(samples, k=20) and not told
    assert score(samples, k=500) == score(samples, k=20)
    assert told == ['k=500 nearest neighbours were asked for, but the gallery holds 20 readable videos: k=20 is taken']


def test_padded_tail_is_cut():
    samples = clusters()
    padding = [sample(torch.eye(4)[0], 'query', dict(digit=1, motion=0)) for _ in range(2)]
    assert score(samples + padding, size=len(samples), k=5) == score(samples, k=5)
    assert score(samples + padding, k=5) != score(samples, k=5)


def test_a_class_that_the_gallery_lacks_counts_as_wrong():
    samples = clusters() + [sample(torch.eye(4)[0], 'query', dict(digit=99, motion=0))]
    assert score(samples, k=5)['digit/knn_top1'] == pytest.approx(10 / 11)


@pytest.mark.parametrize('samples, words', [
    ([sample([1., 0], 'query')], 'no readable gallery video'),
    ([sample([1., 0], 'gallery')], 'no readable query video'),
    ([sample([1., 0], None, filename='b.mp4')], 'b.mp4 has None'),
    ([sample([1., 0], 'gallery', dict(a=1)), sample([1., 0], 'query', filename='c.mp4')], 'c.mp4 has'),
    ([sample([1., 0], 'gallery'), sample([float('nan'), 0], 'query', filename='d.mp4')], 'first for d.mp4'),
    ([sample([1., 0], 'gallery', replaced=True), sample([1., 0], 'query')], 'no readable gallery video'),
])
def test_bad_input(samples, words):
    with pytest.raises(ValueError, match=words):
        score(samples)
