import logging

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from iboot_mm.evaluation.metrics.linear import grid_scores, hold_out, train_grid

from .test_linear import blobs

QUICK = dict(epochs=10, learning_rates=(.001, .1, 1.))


def samples_of(features, labels, role, names=('label',), **meta):
    samples = []
    for index, (views, label) in enumerate(zip(features, labels.tolist())):
        sample = ActionDataSample(view_features=views, feature=views.mean(0))
        sample.set_metainfo(dict(role=role, labels={name: label if name == names[0] else index % 2 for name in names},
                                 filename=f'{role}{index}.mp4', replaced=False, **meta))
        samples.append(sample)
    return samples


def score(samples, **kwargs):
    evaluator = Evaluator(METRICS.build(dict(type='LinearOnFeaturesMetric', **{**QUICK, **kwargs})))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def gallery_and_queries(**kwargs):
    return (samples_of(*blobs(60, .9, seed=0), 'gallery', **kwargs)
            + samples_of(*blobs(30, .9, seed=1), 'query', **kwargs))


def test_the_rate_comes_from_the_gallery_and_the_score_from_the_queries():
    metrics = score(gallery_and_queries())
    (features, labels), (queries, truth) = blobs(60, .9, seed=0), blobs(30, .9, seed=1)
    held = hold_out(labels, .1)
    (accuracies,), _ = grid_scores(train_grid(features[~held], labels[~held], 3, QUICK['learning_rates'], 10),
                                   features[held], labels[held])
    rate = metrics['linear/lr']
    assert metrics['linear/heldout_top1'] == accuracies.max() == accuracies[QUICK['learning_rates'].index(rate)]
    (top1, top5), _ = grid_scores(train_grid(features, labels, 3, [rate], 10), queries, truth, (1, 5))
    assert metrics['linear/top1'] == pytest.approx(top1.item()) and metrics['linear/top5'] == top5.item() == 1


def test_changing_the_queries_never_changes_the_rate():
    gallery = samples_of(*blobs(60, .9, seed=0), 'gallery')
    features, labels = blobs(30, .9, seed=1)
    shuffled = score(gallery + samples_of(features, labels.roll(1), 'query'))
    plain = score(gallery + samples_of(features, labels, 'query'))
    assert shuffled['linear/lr'] == plain['linear/lr'] and shuffled['linear/top1'] < .3 < .8 < plain['linear/top1']


def test_named_labels_and_a_single_rate():
    metrics = score(gallery_and_queries(names=('digit', 'motion')), learning_rates=[.1])
    assert set(metrics) == {f'{name}/linear/{figure}' for name in ('digit', 'motion') for figure in
                            ('top1', 'top5', 'lr')}
    assert metrics['digit/linear/top1'] > .8 and metrics['digit/linear/lr'] == .1


def test_stored_features_may_be_memory_mapped(tmp_path):
    samples = gallery_and_queries()
    np.save(tmp_path / 'features.npy', torch.stack([s.view_features for s in samples]).numpy())
    mapped = torch.from_numpy(np.load(tmp_path / 'features.npy', mmap_mode='c'))
    copies = [sample.clone() for sample in samples]
    for sample, views in zip(copies, mapped):
        sample.set_field(views, 'view_features')
    metric = METRICS.build(dict(type='LinearOnFeaturesMetric', **QUICK))
    metric.process(None, [sample.to_dict() for sample in copies])
    assert metric.results[0]['view_features'].data_ptr() == mapped.data_ptr()  # not copied
    assert score(copies) == score(samples)


def test_stand_ins_are_left_out_and_the_edge_of_the_grid_is_told(caplog):
    wrong = samples_of(*blobs(9, .1, seed=2), 'query')
    for sample in wrong:
        sample.set_metainfo(dict(labels=dict(label=0), replaced=True))
    logger = MMLogger.get_instance('test_linear_metric', log_level='INFO')
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO):
            metrics = score(gallery_and_queries() + wrong, learning_rates=(1e-6, 1e-5))
    finally:
        logger.removeHandler(caplog.handler)
    assert metrics == score(gallery_and_queries(), learning_rates=(1e-6, 1e-5))
    assert 'Linear: 9 of 99 videos could not be read' in caplog.text
    assert 'widen learning_rates' in caplog.text and 'epoch 10 of 10' in caplog.text


@pytest.mark.parametrize('change, words', [
    (dict(labels={}), 'needs labels'), (dict(role='gallery'), 'no readable query'), (dict(role=None), 'has None')])
def test_bad_samples(change, words):
    samples = gallery_and_queries()
    for sample in samples:
        sample.set_metainfo(change)
    with pytest.raises(ValueError, match=words):
        score(samples)


def test_a_rate_that_diverges_is_never_chosen():
    assert score(gallery_and_queries(), learning_rates=(.1, 1e38))['linear/lr'] == .1
    with pytest.raises(ValueError, match='diverged with learning rate 1e\\+38'):
        score(gallery_and_queries(), learning_rates=[1e38])


def test_broken_features_and_options():
    samples = gallery_and_queries()
    samples[3].view_features[0, 0] = float('nan')
    with pytest.raises(ValueError, match='first for gallery3.mp4'):
        score(samples)
    with pytest.raises(ValueError, match='learning_rates must not be empty, and holdout'):
        score(samples, holdout=1.)
