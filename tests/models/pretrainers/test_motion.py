"""The motion target: its terms by hand, beside an appearance target that it leaves as it is."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS

from iboot_mm.models.losses.views import cosine_distance

TEACHER = dict(type='TimmTeacher', model='test_resnet', pretrained=False, model_args=dict(num_classes=5), input_size=32,
               name='small')
MOTION = dict(shown=dict(type='correspondences', stride=4), clusters=2, bank=4)
VIEWS = torch.rand(4, 3, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))


def build(backbone, **options):
    torch.manual_seed(0)
    model = MODELS.build(dict(type='IBoot', backbone=backbone, feature_dim=64, teacher=TEACHER, **options))
    model.init_weights()
    return model.train()


def with_motion(backbone, **changes):
    return build(backbone, motion={**MOTION, **changes})


def test_the_appearance_target_is_as_without_it(slow_backbone):
    plain, both = build(slow_backbone), with_motion(slow_backbone)
    both.load_state_dict(plain.state_dict(), strict=False)
    both.teachers = plain.teachers
    expected, found = plain.loss(VIEWS), both.loss(VIEWS)
    assert found.keys() - expected.keys() == {'loss_motion', 'accuracy_motion', 'spread_motion'}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    assert not any('teacher' in key for key in both.state_dict())


@pytest.mark.parametrize('own_clip', [False, True])
@pytest.mark.parametrize('clusters', [2, None])
def test_the_term_by_hand(slow_backbone, own_clip, clusters):
    model = with_motion(slow_backbone, own_clip=own_clip, clusters=clusters, weight=.7)
    found = model.loss(VIEWS)
    head = model.motion
    total = 0
    # The backbone sees both views at once, with one set of BN statistics, and so here.
    features = model.extract_feat(VIEWS[:, 1:].transpose(0, 1).flatten(0, 1)).mean(1).unflatten(0, (2, 4))
    motion = {view: head.teacher(VIEWS[:, view])[:, 0] for view in range(3)}
    told = torch.cat([motion[1], motion[2]]) if own_clip else motion[0]
    if clusters is None:
        deviation = (told.var(0, unbiased=False) * 1 + 1e-3 * told.var(0, unbiased=False).mean()).sqrt()
    for view in (1, 2):
        for video in range(4):
            target = motion[view if own_clip else 0][video]
            scores = head.project(features[view - 1, video])
            if clusters is None:
                total += cosine_distance(scores, (target - told.mean(0)) / deviation) / 8
            else:
                nearest = ((target - head.clusters.centres) / head.clusters.scale).square().sum(1).argmin()
                total -= F.log_softmax(scores, 0)[nearest] / 8
    torch.testing.assert_close(found['loss_motion'], .7 * total, rtol=1e-4, atol=1e-5)
    assert ('cosine_motion' if clusters is None else 'accuracy_motion') in found


def test_without_clusters_yet_there_is_a_gradient_of_zero(slow_backbone):
    model = with_motion(slow_backbone, bank=8)
    first = model.loss(VIEWS)
    assert first['loss_motion'] == 0
    sum(value for name, value in first.items() if 'loss' in name).backward()
    assert model.motion.project.weight.grad.abs().max() == 0
    assert model.loss(VIEWS.flip(0))['loss_motion'] > 0  # eight features are there


def test_bad_options(slow_backbone):
    with pytest.raises(ValueError, match='model.motion: weight must be above 0, got 0'):
        with_motion(slow_backbone, weight=0)
    with pytest.raises(ValueError, match="nothing to show called 'film'"):
        with_motion(slow_backbone, shown='film')
