"""Videos against names, by hand and through a whole test run's parts."""


import numpy as np
import pytest
import torch
from mmaction.registry import METRICS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator

from iboot_mm.models.teachers.text import class_vectors

from ...clip_models import add_clip

TEXT = dict(type='OpenCLIPText', model='zero-shot-clip', pretrained=False)
NAMES = ['playing violin', 'abseiling', 'zumba', 'brush_hair', 'YoYo', 'surfing water', 'archery']


@pytest.fixture(scope='module', autouse=True)
def tiny_model(tmp_path_factory):
    add_clip('zero-shot-clip', tmp_path_factory.mktemp('open_clip'))
    torch.manual_seed(0)


def sample(views, label, role='query', **meta):
    views = torch.as_tensor(views, dtype=torch.float32)
    data_sample = ActionDataSample(view_features=views, feature=views.mean(0))
    labels = label if isinstance(label, dict) else dict(label=label)
    data_sample.set_metainfo({**dict(role=role, labels=labels, filename='a.mp4', replaced=False), **meta})
    return data_sample


def score(samples, **options):
    evaluator = Evaluator(METRICS.build(dict(type='ZeroShotMetric', **options)))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_names_in_accuracy_out(tmp_path):
    # As editors on Windows save it, whose mark at the beginning is no part of a name.
    (tmp_path / 'label_map.txt').write_text('\n'.join(NAMES) + '\n', encoding='utf-8-sig')
    torch.manual_seed(3)
    metric = METRICS.build(dict(type='ZeroShotMetric', class_names=str(tmp_path / 'label_map.txt'), text=TEXT,
                                templates=['{}.', 'a video of {}.']))
    assert metric.class_names == NAMES
    vectors = class_vectors(metric.text, NAMES, ['{}.', 'a video of {}.'])  # (7, 12)
    # Videos 0 to 6 lie at their class, 7 at another one, 8 in between but nearer to its own; all of unlike lengths.
    features = torch.cat([vectors, vectors[:1], .6 * vectors[1:2] + .4 * vectors[2:3]])
    labels = [*range(7), int((vectors @ vectors[0]).argmin()), 1]
    lengths = torch.arange(1., 10)[:, None]
    metric.process(None, [sample(f[None], n).to_dict() for f, n in zip(lengths * features, labels)])
    metric.process(None, [sample(features[:1], 5, role='gallery').to_dict()])
    assert metric.compute_metrics(metric.results) == {'zero_shot/top1': pytest.approx(8 / 9),
                                                      'zero_shot/top5': pytest.approx(8 / 9)}


def test_vectors_of_a_file_and_named_labels(tmp_path):
    np.save(tmp_path / 'classes.npy', 5 * np.eye(6, 4)[:4])
    samples = [sample(np.stack([np.eye(4)[i], np.eye(4)[i - 1] * .5]), dict(digit=i, motion=9)) for i in range(4)]
    metrics = score(samples, embeddings=str(tmp_path / 'classes.npy'), label='digit')
    assert metrics == {'digit/zero_shot/top1': 1, 'digit/zero_shot/top5': 1}
    with pytest.raises(ValueError, match=r"labels \['digit', 'motion'\]: set label="):
        score(samples, embeddings=str(tmp_path / 'classes.npy'))


def test_top5_and_stand_ins(tmp_path):
    vectors = torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
    features = torch.randn(50, 8, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(50) % 30
    np.save(tmp_path / 'classes.npy', vectors.numpy())
    cosines = torch.nn.functional.cosine_similarity(features[:, None], vectors[None], dim=2)  # (50, 30)
    places = (cosines > cosines.gather(1, labels[:, None])).sum(1)
    samples = [sample(f[None], int(label)) for f, label in zip(features, labels)]
    metrics = score(samples + [sample(vectors[:1], 1, replaced=True)] * 5, embeddings=str(tmp_path / 'classes.npy'))
    assert metrics['zero_shot/top1'] == pytest.approx((places < 1).float().mean().item())
    assert metrics['zero_shot/top5'] == pytest.approx((places < 5).float().mean().item())


@pytest.mark.parametrize('samples, words', [
    ([sample(np.eye(4)[:1], 0, role='gallery')], 'no readable video to classify'),
    ([sample(np.eye(5)[:1], 0)], 'the features have width 5 and the class vectors 4'),
    ([sample(np.eye(4)[:1], 3)], 'a.mp4 is of class 3, but there are names for 3'),
    ([sample(np.eye(4)[:1], {})], r'the videos have the labels \[\]'),
])
def test_samples_that_do_not_fit(samples, words, tmp_path):
    np.save(tmp_path / 'classes.npy', np.eye(4)[:3])
    with pytest.raises(ValueError, match=words):
        score(samples, embeddings=str(tmp_path / 'classes.npy'))


@pytest.mark.parametrize('options, error, words', [
    (dict(), ValueError, 'either class_names and text, or embeddings'),
    (dict(text=TEXT), ValueError, 'either class_names and text'),
    (dict(text=TEXT, class_names='missing.txt'), FileNotFoundError, 'no list of class names missing.txt'),
    (dict(embeddings='missing.npy'), FileNotFoundError, 'no file of class vectors missing.npy'),
    (dict(embeddings='flat.npy'), ValueError, r'flat.npy holds an array of shape \(3,\)'),
    (dict(text=TEXT, class_names='empty.txt'), ValueError, 'empty.txt holds no class name'),
])
def test_options_are_checked_before_any_video_is_read(options, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save('flat.npy', np.zeros(3))
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(error, match=words):
        METRICS.build(dict(type='ZeroShotMetric', **options))


def test_a_perfect_student_of_standardised_targets_is_classified_in_the_teachers_space(slow_backbone):
    """W f is right up to its length; only in the teacher's own space do the vectors of the classes mean anything."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.randn(40, 8, generator=generator) * torch.rand(8, generator=generator) + 3  # far from the origin
    encoder = MODELS.build(dict(type='JointSpaceEncoder', backbone=slow_backbone, feature_dim=8, width=8,
                                target_norm='standardize'))
    norm = encoder.target_norms['0']
    norm.train()(targets[:, None])
    with torch.no_grad():
        encoder.projectors['0'].weight.copy_(torch.eye(8)), encoder.projectors['0'].bias.zero_()
        back = encoder.to_teacher(7 * norm.eval()(targets))
    cosines = torch.nn.functional.normalize(back, dim=1) @ torch.nn.functional.normalize(targets, dim=1).T
    assert (cosines.argmax(1) == torch.arange(40)).float().mean() >= .9
