"""Training from stored targets is training with the teacher, within what float16 rounds."""

import pytest
import torch
from mmaction.registry import MODELS

from iboot_mm.engine.target_loop import REFERENCE_SEED
from tests.targets import PREPROCESSOR, TEACHER, WIDTH, batch_of, write_list, write_targets

NETWORK = dict(feature_dim=64, data_preprocessor=PREPROCESSOR, teacher=TEACHER)


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """Six videos, their targets from one clip each, and the teacher that made them."""
    folder = tmp_path_factory.mktemp('cached')
    videos = write_list(folder / 'videos')
    return videos, folder / 'store', write_targets(videos, folder / 'store', clips=1).model.teacher


def build(backbone, kind='CachedIBoot', **options):
    options = {**NETWORK, **(dict(width=WIDTH) if kind == 'CachedIBoot' else {}), **options}
    torch.manual_seed(0)
    model = MODELS.build(dict(type=kind, backbone=backbone, **options))
    model.init_weights()
    return model.train()


def twins(backbone, teacher, **options):
    """The same network trained with the teacher and from its targets."""
    live, cached = build(backbone, 'IBoot', **options), build(backbone, **options)
    live.teachers = [teacher]
    cached.load_state_dict(live.state_dict(), strict=True)
    return live, cached


@pytest.mark.parametrize('target_norm', ['none', 'center'])
def test_loss_and_gradient_are_those_with_the_teacher(slow_backbone, written, target_norm):
    """float16 rounds a target by at most 2^-11 of each value, hence its direction by at most that."""
    videos, store, teacher = written
    live, cached = twins(slow_backbone, teacher, target_norm=target_norm)
    batch = live.data_preprocessor(batch_of(videos, 3, REFERENCE_SEED), training=True)
    targets = batch_of(videos, 2, REFERENCE_SEED, store)['data_samples']
    expected = live(batch['inputs'], batch['data_samples'], mode='loss')
    found = cached(batch['inputs'][:, 1:], targets, mode='loss')
    assert found.keys() == expected.keys() == {'loss_small', 'cosine_small', 'spread_small', 'spread_student'}
    # Centring leaves the small differences of similar targets, which rounding changes more.
    tolerance = 2**-10 if target_norm == 'none' else .02
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=tolerance)
    for losses in (expected, found):
        losses['loss_small'].backward()
    pairs = [(a.grad.flatten(), b.grad.flatten()) for a, b in zip(live.parameters(), cached.parameters(), strict=True)]
    ours, theirs = map(torch.cat, zip(*pairs))
    assert (ours - theirs).norm() < 10 * tolerance * ours.norm()
    other = build(slow_backbone)(batch['inputs'][:, 1:], targets[1:] + targets[:1], mode='loss')
    assert target_norm == 'center' or abs(other['loss_small'] - expected['loss_small']) > 2**-10


def test_checkpoints_are_iboots(slow_backbone, written):
    for norm in ('none', 'center', 'standardize'):
        live, cached = twins(slow_backbone, written[2], target_norm=norm)
        assert cached.state_dict().keys() == live.state_dict().keys()
        assert {key.split('.')[0] for key in cached.state_dict()} <= {'backbone', 'projectors', 'target_norms'}
    assert cached.target_names == live.target_names and cached.teachers == []


def test_statistics_with_standardize_are_of_clips(slow_backbone, written):
    """The stated deviation: equal means, but the deviations of clips, not of frames, which are larger."""
    videos, store, teacher = written
    live, cached = twins(slow_backbone, teacher, target_norm='standardize')
    batch = live.data_preprocessor(batch_of(videos, 3, REFERENCE_SEED), training=True)
    live(batch['inputs'], mode='loss')
    cached(batch['inputs'][:, 1:], batch_of(videos, 2, REFERENCE_SEED, store)['data_samples'], mode='loss')
    frames, clips = live.target_norms[0], cached.target_norms[0]
    torch.testing.assert_close(clips.mean, frames.mean, rtol=1e-3, atol=1e-4)
    assert (clips.var <= frames.var * 1.01).all() and clips.var.sum() < frames.var.sum()


def test_any_number_of_views_goes_to_the_backbone(slow_backbone, written):
    videos, store, _ = written
    model = build(slow_backbone)
    for views in (1, 3):
        batch = model.data_preprocessor(batch_of(videos, views, 0, store), training=True)
        model(batch['inputs'], batch['data_samples'], mode='loss')['loss_small'].backward()
    samples = model.eval()(batch['inputs'], batch['data_samples'], mode='predict')
    assert samples[0].feature.shape == (64,)


MOTION = dict(shown=dict(type='correspondences', stride=4, reach=1), clusters=3, bank=6)


def test_a_motion_target_is_stored_behind_the_other_one(slow_backbone, tmp_path):
    """Clusters of what float16 has rounded, so the six clips belong to those of the live run."""
    videos = write_list(tmp_path / 'videos')
    encoder = dict(type='TeacherEncoder', teacher=TEACHER, data_preprocessor=PREPROCESSOR, augment=True, motion=MOTION)
    writer = write_targets(videos, tmp_path / 'store', clips=1, model=encoder).model
    live = build(slow_backbone, 'IBoot', motion=MOTION)
    cached = build(slow_backbone, motion=MOTION, motion_width=9)
    live.teachers, live.motion.teacher = [writer.teacher], writer.motion
    cached.load_state_dict(live.state_dict(), strict=True)
    batch = live.data_preprocessor(batch_of(videos, 3, REFERENCE_SEED), training=True)
    samples = batch_of(videos, 2, REFERENCE_SEED, tmp_path / 'store')['data_samples']
    expected = live(batch['inputs'], mode='loss')
    found = cached(batch['inputs'][:, 1:], samples, mode='loss')
    assert found.keys() == expected.keys() >= {'loss_small', 'loss_motion', 'accuracy_motion', 'spread_motion'}
    torch.testing.assert_close(cached.motion.clusters.bank, live.motion.clusters.bank, rtol=2**-11, atol=1e-6)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=2**-10)
    with pytest.raises(ValueError, match='target of width 97 in each data sample'):
        build(slow_backbone, motion=MOTION, motion_width=1)(batch['inputs'][:, 1:], samples, mode='loss')


@pytest.mark.parametrize('change', [dict(motion_width=0), dict(motion=dict(MOTION, own_clip=True), motion_width=9)])
def test_what_stored_motion_does_not_serve(slow_backbone, change):
    with pytest.raises(ValueError, match='set motion.own_clip=False and motion_width to the width'):
        build(slow_backbone, **{'motion': MOTION, **change})


@pytest.mark.parametrize('change', [dict(momentum=dict(base=.9)), dict(temporal_pool=False),
                                    dict(teacher=[TEACHER, TEACHER])])
def test_what_stored_targets_do_not_serve(slow_backbone, change):
    with pytest.raises(ValueError, match='set temporal_pool=True, momentum=None and a single teacher, or train IBoot'):
        build(slow_backbone, **change)


def test_samples_without_their_targets(slow_backbone, written):
    videos, store, _ = written
    model, batch = build(slow_backbone), batch_of(videos, 2, 0)
    inputs = model.data_preprocessor(batch, training=True)['inputs']
    for samples in (batch['data_samples'], None):
        with pytest.raises(ValueError, match=r"target of width 96 in each data sample, got none: put .*LoadTargets"):
            model(inputs, samples, mode='loss')
    with pytest.raises(ValueError, match=r'of width 512 in each data sample, got \[96\]: .* set model.width'):
        build(slow_backbone, width=512)(inputs, batch_of(videos, 2, 0, store)['data_samples'], mode='loss')


def test_the_loss_of_a_teacher_without_a_name(slow_backbone):
    named = build(slow_backbone, teacher=dict(type='TimmTeacher', model='mobilenetv2_100.ra_in1k'))
    assert named.target_names == ['mobilenetv2_100']
    described = build(slow_backbone, teacher=dict(type='MMPretrainTeacher', model=dict(type='ResNet', depth=18)))
    assert described.target_names == ['ResNet']
