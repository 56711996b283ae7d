"""Targets on the disk are what the teacher makes of augmented clips, however often the writing was stopped."""

import shutil
from pathlib import Path

import pytest
import torch

from iboot_mm.engine import feature_loop, target_loop
from iboot_mm.engine.target_loop import REFERENCE_SEED
from iboot_mm.stores.features import FeatureStore
from tests.targets import WIDTH, batch_of, dataset_config, rounded, write_list, write_targets
from tests.videos import moving_frames, write_video


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    return write_list(tmp_path_factory.mktemp('target_videos'))


@pytest.fixture(scope='module')
def written(videos, tmp_path_factory):
    """The targets of a run that nothing stopped, and its runner."""
    store = tmp_path_factory.mktemp('targets') / 'whole'
    return store, write_targets(videos, store)


def features(store):
    """``(videos, K, D)`` in order."""
    return torch.stack([sample['view_features'] for sample in FeatureStore(store).samples()])


def test_they_are_the_teachers_of_augmented_clips(videos, written):
    store, runner = written
    model, batch = runner.model, batch_of(videos, 2, REFERENCE_SEED)
    clips = model.data_preprocessor(batch, training=True)['inputs']
    plain = model.data_preprocessor(batch, training=False)['inputs']
    expected, bare = (model.teacher(views.flatten(0, 1)).mean(1).unflatten(0, (6, 2)) for views in (clips, plain))
    assert features(store).dtype == torch.float16 and expected.shape == (6, 2, WIDTH)
    torch.testing.assert_close(features(store).float(), rounded(expected), rtol=2e-3, atol=1e-4)
    assert (bare - expected).abs().max() > .01 * expected.abs().max()
    assert not torch.equal(expected[:, 0], expected[:, 1])


def test_a_stopped_run_goes_on_with_the_same_clips(videos, written, tmp_path, monkeypatch):
    store, runner = written
    teacher, calls = type(runner.model.teacher), []

    def impatient(self, clips, encode=teacher.__call__):
        calls.append(len(clips))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return encode(self, clips)

    monkeypatch.setattr(teacher, '__call__', impatient)
    with pytest.raises(KeyboardInterrupt):
        write_targets(videos, tmp_path / 'stopped')
    assert set(FeatureStore(tmp_path / 'stopped').stored()) == {0, 1}
    write_targets(videos, tmp_path / 'stopped')
    assert calls == [4, 4, 4, 4]  # clips: 2 of each of 2 videos
    assert torch.equal(features(tmp_path / 'stopped'), features(store))


def test_the_share_of_a_second_process_is_what_one_process_writes(videos, written, tmp_path, monkeypatch):
    """How processes divide the videos is FeatureLoop's, and tested there with two of them."""
    with monkeypatch.context() as patched:
        patched.setattr(feature_loop, 'get_dist_info', lambda: (1, 2))
        with pytest.raises(RuntimeError, match='only 2 of 6 videos are stored'):
            write_targets(videos, tmp_path / 'store')
    assert set(FeatureStore(tmp_path / 'store').stored()) == {2, 3}
    write_targets(videos, tmp_path / 'store')
    assert torch.equal(features(tmp_path / 'store'), features(written[0]))


def test_their_size_is_said_and_has_to_fit(videos, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    size = 6 * 2 * WIDTH * 2
    monkeypatch.setattr(target_loop.shutil, 'disk_usage', lambda _: usage._replace(free=size - 1))
    with pytest.raises(OSError, match='choose another folder, or fewer clips of each video'):
        write_targets(videos, tmp_path / 'store')
    monkeypatch.setattr(target_loop.shutil, 'disk_usage', lambda _: usage._replace(free=size))
    write_targets(videos, tmp_path / 'store')
    log = next((tmp_path / 'store_run').rglob('*.log')).read_text()
    assert f'6 videos x 2 clips x {WIDTH} features in float16 are 0.0 MB to write' in log
    assert sum(path.stat().st_size - 128 for path in (tmp_path / 'store').glob('*.npy')) == size


def test_a_store_of_other_weights_is_not_added_to(videos, tmp_path):
    store = tmp_path / 'store'
    write_targets(videos, store)
    with pytest.raises(ValueError, match=r'holds features of something else \(network differ'):
        write_targets(videos, store, randomness=dict(seed=1))


def test_one_data_set_alone(videos, tmp_path):
    parts = dict(type='ConcatDataset', datasets=[dataset_config(videos, 2), dataset_config(videos, 2)])
    loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=parts)
    with pytest.raises(ValueError, match='writes the targets of one data set, got 2'):
        write_targets(videos, tmp_path / 'store', test_dataloader=loader)


def test_an_unreadable_video_is_known_as_such(tmp_path):
    videos = write_list(tmp_path / 'videos')
    (videos / '1.mp4').write_text('no video')
    runner = write_targets(videos, tmp_path / 'store')
    assert FeatureStore(tmp_path / 'store').stored() == {0: False, 1: True, 2: False, 3: False, 4: False, 5: False}
    assert [Path(path).name for path, _ in runner.test_loop.unreadable] == ['1.mp4']
    write_video(videos / '1.mp4', moving_frames(24, 40, 48))  # it can be read again, but has no targets of its own
    samples = batch_of(videos, 2, 0, tmp_path / 'store')['data_samples']
    assert [sample.replaced for sample in samples] == [False, True, False, False, False, False]
    assert 'could not be read when' in samples[1].unreadable[0][1]
