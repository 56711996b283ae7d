"""Targets are found by a video's place and name, and one of its clips is chosen by the view's seed."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.transforms import LoadTargets
from iboot_mm.datasets.transforms.randomness import TARGET_TAG, view_rng
from iboot_mm.stores.features import FeatureStore
from tests.targets import dataset_config, write_list

NAMES = ['a/0.mp4', 'a/sub/1.mp4', 'b/0.mp4', '3.mp4']
CLIPS, WIDTH = 3, 5


def clips_of(index):
    return torch.arange(CLIPS * WIDTH).view(CLIPS, WIDTH) + 100. * index


def write_store(folder, names=NAMES, root='/somewhere', written=None, replaced=()):
    store = FeatureStore(folder, dict(data=dict(videos=len(names))), shard_size=3, dtype='float16')
    shown = [names[index - (index in replaced)] for index in range(len(names))]  # with the stand-in's name
    store.append([dict(index=index, filename=f'{root}/{shown[index]}', replaced=index in replaced,
                       view_features=clips_of(index)) for index in (written or range(len(names)))])
    store.flush()
    return str(folder)


def load(transform, index, path, seed=1):
    return transform(dict(video_idx=index, filename=path, view_seeds=[seed, seed + 1]))['target']


@pytest.mark.parametrize('order', [(0, 1, 2, 3), (3, 0, 2, 1)])
def test_the_clip_is_a_function_of_the_views_seed(tmp_path, order):
    transform = LoadTargets(write_store(tmp_path / 'store', written=order))
    for index, name in enumerate(NAMES):
        for seed in range(10):
            clip = view_rng(seed, TARGET_TAG).integers(CLIPS)
            target = load(transform, index, f'elsewhere/{name}', seed)
            assert target.dtype == np.float16 and np.array_equal(target, clips_of(index)[clip].numpy())
    counts = np.bincount([int(load(transform, 0, NAMES[0], seed)[0]) // WIDTH for seed in range(600)])
    assert len(counts) == CLIPS and all(150 < count < 250 for count in counts)  # 200 each, deviation 12


def test_another_list_is_told_by_its_names(tmp_path):
    transform = LoadTargets(write_store(tmp_path / 'store'))
    for path in ('x/a/1.mp4', 'x/aa/0.mp4', '0.mp4', 'x/b/0.mp4'):
        with pytest.raises(ValueError, match="Video 0 is '.*mp4', but '.*store' has 'a/0.mp4' there: the targets are "
                                             'of another list, write them anew for this one'):
            load(transform, 0, path)
    with pytest.raises(ValueError, match="has 4 videos: the targets are of another list"):
        load(transform, 4, 'x/4.mp4')
    load(transform, 0, 'a/0.mp4')


def test_a_list_in_one_folder_may_move(tmp_path):
    transform = LoadTargets(write_store(tmp_path / 'store', names=['0.mp4', '1.mp4'], root='data/videos'))
    assert load(transform, 1, '/mnt/disk/1.mp4')[0] >= 100


def test_targets_have_to_be_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='no stored features in'):
        load(LoadTargets(str(tmp_path / 'nothing')), 0, NAMES[0])
    half = LoadTargets(write_store(tmp_path / 'half', written=[0, 2]))
    with pytest.raises(ValueError, match='no targets of 2 of its 4 videos: run the command that writes them again'):
        load(half, 0, NAMES[0])
    FeatureStore(tmp_path / 'empty', dict(data=dict(videos=4)))
    with pytest.raises(ValueError, match='no targets of 4 of its 4 videos'):
        load(LoadTargets(str(tmp_path / 'empty')), 0, NAMES[0])


def test_what_could_not_be_read_then_is_unreadable_now(tmp_path):
    transform = LoadTargets(write_store(tmp_path / 'store', replaced=(2,)))
    with pytest.raises(UnreadableVideo, match="could not be read when '.*' was written"):
        load(transform, 2, NAMES[2])
    assert transform.table.num_unreadable == 1 and transform.table.num_clips == CLIPS


def test_each_process_opens_the_files_itself(tmp_path):
    transform = LoadTargets(write_store(tmp_path / 'store'))
    target = load(transform, 1, NAMES[1])
    assert len(pickle.dumps(transform)) < 1000
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        assert np.array_equal(load(other, 1, NAMES[1]), target)


def test_a_stand_in_comes_with_its_own_targets(tmp_path):
    """Video 1 broke after the targets were written, video 2 before."""
    videos = write_list(tmp_path / 'videos', count=4)
    names = [line.split()[0] for line in (videos / 'list.txt').read_text().splitlines()]
    store = write_store(tmp_path / 'store', names, str(videos), replaced=(2,))
    (videos / names[1]).write_text('no video')
    dataset = DATASETS.build(dataset_config(videos, 2, store))
    for index in range(4):
        sample = dataset[index]['data_samples']
        assert sample.sample_idx == index and sample.replaced == (index in (1, 2))
        assert [str(videos / names[index])] * sample.replaced == [path for path, _ in sample.unreadable][:1]
        shown = names.index(str(Path(sample.filename).relative_to(videos)))
        assert sample.target[0] // 100 == shown and (shown == index) != sample.replaced


def test_the_target_travels_as_data(tmp_path):
    """Not as metainfo; a copy to the device leaves it alone, as that of the whole batch comes later."""
    videos = write_list(tmp_path / 'videos', count=4)
    names = [line.split()[0] for line in (videos / 'list.txt').read_text().splitlines()]
    dataset = DATASETS.build(dataset_config(videos, 2, write_store(tmp_path / 'store', names, str(videos))))
    sample = dataset[0]['data_samples']
    assert 'target' in sample.keys() and 'target' not in sample.metainfo
    assert sample.to('meta').target is sample.target
