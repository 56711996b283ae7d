"""No two samples of an epoch share their draws, however data sets are nested; loaders and ranks change nothing."""

import random
from itertools import islice

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import ConcatDataset as TorchConcatDataset
from torch.utils.data import DataLoader, Dataset, Subset

from iboot_mm.datasets import UnreadableVideo, VideoFolder
from iboot_mm.datasets.transforms import SampleViews
from iboot_mm.datasets.transforms.randomness import view_seed
from iboot_mm.engine.hooks.seeding import find_transforms
from iboot_mm.engine.samplers import EndlessSampler, PassIndex

NUM_VIDEOS = 5
SEED, EPOCH = 3, 2


def open_nothing(results: dict) -> dict:
    """Stands in for `OpenVideo`: draws need only a length."""
    return dict(results, total_frames=10**6, fps=30.)


def draws(results: dict) -> tuple:
    """Stands in for `PackViews`."""
    return (results['filename'], *results['view_seeds'], *results['frame_inds'][:, 0].tolist())


@pytest.fixture
def folder(tmp_path):
    """Makes the config of a data set of five videos, whose classes are 0, 0, 0, 0 and 1."""
    def make(name: str = 'a', **arguments) -> dict:
        (tmp_path / name).mkdir(exist_ok=True)
        for number in range(NUM_VIDEOS):
            (tmp_path / name / f'{number}.mp4').touch()
        (tmp_path / 'list.txt').write_text(''.join(f'{number}.mp4 {number // 4}\n' for number in range(NUM_VIDEOS)))
        steps = [open_nothing, SampleViews(num_views=2), draws]
        return dict(dict(type='VideoFolder', root=str(tmp_path / name), ann_file=str(tmp_path / 'list.txt'),
                         pipeline=steps), **arguments)
    return make


def begin_epoch(dataset: Dataset, seed: int = SEED, epoch: int = EPOCH) -> Dataset:
    """As `EpochSeedHook` does."""
    samplers = [step for step in find_transforms(dataset) if isinstance(step, SampleViews)]
    assert samplers
    for transform in samplers:
        transform.set_epoch(seed, epoch)
    return dataset


def read(dataset: Dataset) -> list[tuple]:
    return [dataset[i] for i in range(len(dataset))]


def nested(rng: random.Random, folder, depth: int) -> dict:
    """The config of a random tree of mmengine's wrappers."""
    kind = rng.choice(['ConcatDataset', 'RepeatDataset', 'ClassBalancedDataset']) if depth else None
    if kind == 'ConcatDataset':
        return dict(type=kind, datasets=[nested(rng, folder, depth - 1) for _ in range(2)])
    if kind:
        options = dict(times=rng.randint(1, 3)) if kind == 'RepeatDataset' else dict(oversample_thr=rng.choice([.3, 1]))
        return dict(type=kind, dataset=nested(rng, folder, depth - 1), **options)
    return folder(rng.choice('ab'))


def wrapped(seed: int, folder) -> Dataset:
    """A random tree of wrappers, torch's on top of mmengine's."""
    rng = random.Random(seed)
    dataset = DATASETS.build(nested(rng, folder, depth=3))
    if rng.random() < .5:
        dataset = TorchConcatDataset([dataset, rng.choice([dataset, DATASETS.build(nested(rng, folder, depth=1))])])
    if rng.random() < .5:
        indices = [rng.randrange(len(dataset)) for _ in range(12)]
        dataset = Subset(dataset, rng.choice([indices, torch.tensor(indices), np.array(indices)]))
    if rng.random() < .3:
        dataset = Subset(dataset, list(range(len(dataset)))[::-1] * 2)
    return begin_epoch(dataset)


@pytest.mark.parametrize('seed', range(30))
def test_no_two_samples_of_an_epoch_share_draws(seed, folder):
    dataset = wrapped(seed, folder)
    samples = read(dataset)
    seeds = [number for _, *numbers in samples for number in numbers[:2]]
    assert len(set(seeds)) == len(seeds) == 2 * len(dataset)
    order = random.Random(seed).sample(range(len(dataset)), len(dataset))
    assert [dataset[i] for i in order] == [samples[i] for i in order]
    assert dataset[-1] == samples[-1] and dataset[torch.tensor(0)] == dataset[np.int64(0)] == samples[0]
    again = [dataset[PassIndex(i, number)] for number in (0, 1, 2) for i in range(len(dataset))]
    assert again[:len(samples)] == samples and len({sample[1:] for sample in again}) == 3 * len(samples)
    assert not {sample[1:] for sample in read(begin_epoch(dataset, epoch=EPOCH + 1))} & {s[1:] for s in samples}


@pytest.mark.parametrize('seed, workers, context', [(0, 1, 'fork'), (4, 2, 'fork'), (7, 1, 'spawn')])
def test_loaders_change_nothing(seed, workers, context, folder):
    dataset = wrapped(seed, folder)
    alone = read(dataset)
    for batch_size, num_workers in ((1, 0), (4, 0), (3, workers)):
        loader = DataLoader(dataset, batch_size, num_workers=num_workers, collate_fn=list,
                            multiprocessing_context=context if num_workers else None, timeout=60 * bool(num_workers))
        assert [sample for batch in loader for sample in batch] == alone


def test_without_a_wrapper_all_is_as_before(folder):
    dataset = begin_epoch(DATASETS.build(folder()))
    for index in [*range(NUM_VIDEOS), -1, PassIndex(2, 3), np.int64(1)]:
        place = index % NUM_VIDEOS + NUM_VIDEOS * getattr(index, 'number', 0)
        assert dataset[index][1:3] == (view_seed(SEED, EPOCH, place, 0), view_seed(SEED, EPOCH, place, 1))
    assert view_seed(3, 2, 1, 0) == 4404663168949438663  # drawn before data sets could be wrapped


def test_without_the_mend_repetitions_are_the_same(folder):
    dataset = begin_epoch(DATASETS.build(dict(type='RepeatDataset', times=2, dataset=folder())))
    original = RepeatDataset.__getitem__.__wrapped__
    assert original(dataset, 1) == original(dataset, NUM_VIDEOS + 1)
    assert dataset[1][1:] != dataset[NUM_VIDEOS + 1][1:]


def test_an_error_in_a_wrapper_leaves_no_place_behind(folder):
    broken = DATASETS.build(dict(type='ConcatDataset', datasets=[folder(pipeline=[{}.__getitem__])]))
    with pytest.raises(TypeError):
        broken[0]
    dataset = begin_epoch(DATASETS.build(folder()))
    assert dataset[1][1] == view_seed(SEED, EPOCH, 1, 0)


def test_endless_passes_of_wrapped_data_differ(folder, monkeypatch):
    """And each rank sees its part of them."""
    dataset = begin_epoch(DATASETS.build(dict(type='RepeatDataset', times=2, dataset=folder())))

    def stream(rank: int, world: int, count: int) -> list[tuple]:
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, world))
        return [dataset[index] for index in islice(EndlessSampler(dataset, seed=5), count)]

    whole = stream(0, 1, 60)
    assert len({sample[1:] for sample in whole}) == 60
    assert [sample for step in zip(stream(0, 2, 30), stream(1, 2, 30), strict=True) for sample in step] == whole


def test_data_sets_of_mmaction2_draw_alike(folder):
    part = folder()
    theirs = dict(type='VideoDataset', ann_file=part['ann_file'], data_prefix=dict(video=part['root']),
                  pipeline=part['pipeline'])
    both = [read(begin_epoch(DATASETS.build(dict(type='RepeatDataset', times=2, dataset=data))))
            for data in (part, theirs)]
    assert both[0] == both[1] and len({sample[1:] for sample in both[1]}) == 2 * NUM_VIDEOS


def test_stand_ins_of_repeated_videos_differ(folder):
    def refuse(results):
        if results['video_idx'] == 0:
            raise UnreadableVideo(results['filename'], 'it is broken')
        return open_nothing(results)

    part = folder(pipeline=[refuse, SampleViews(), draws])
    dataset = begin_epoch(DATASETS.build(dict(type='RepeatDataset', times=20, dataset=part)))
    assert len({dataset[NUM_VIDEOS * time][0] for time in range(20)}) == NUM_VIDEOS - 1


class Pairs(Dataset):
    """A wrapper of somebody's own: two samples at once."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset) - 1

    def __getitem__(self, index: int) -> tuple:
        return self.dataset[index], self.dataset[index + 1]


@pytest.mark.parametrize('inside', [False, True])
def test_other_wrappers_on_both_sides(inside, folder):
    videos = DATASETS.build(folder())
    dataset = TorchConcatDataset([Pairs(videos)] * 2) if inside else Pairs(TorchConcatDataset([videos] * 2))
    begin_epoch(dataset)
    for first, second in read(dataset):
        assert set(first[1:]).isdisjoint(second[1:])


def test_classes_are_balanced(folder):
    """The rare class, a fifth of the videos, is shown sqrt(t / f) times as often (LVIS, section 4.2)."""
    dataset = ClassBalancedDataset(DATASETS.build(folder()), oversample_thr=.8)
    assert dataset.repeat_indices == [0, 1, 2, 3, 4, 4]
    for outer in (ConcatDataset([VideoFolder(**{k: v for k, v in folder(name).items() if k != 'type'})
                                 for name in 'ab']), RepeatDataset(DATASETS.build(folder()), 2)):
        found = [outer.get_cat_ids(i) for i in range(len(outer))]
        assert found == [[0]] * 4 + [[1]] + [[0]] * 4 + [[1]]


def test_classes_of_several_labels(folder, tmp_path):
    (tmp_path / 'two.txt').write_text(''.join(f'{number}.mp4 {number % 2} 1\n' for number in range(4)))
    part = folder(ann_file=str(tmp_path / 'two.txt'), label_names=['digit', 'motion'])
    dataset = DATASETS.build(part)
    found = [set(dataset.get_cat_ids(i)) for i in range(4)]
    assert found[0] == found[2] != found[1] == found[3]
    assert len(found[0] & found[1]) == 1 and len(found[0] | found[1]) == 3  # motion 1 is not digit 1
    part['pipeline'] = [dict(type='PackViews', label='digit')]
    assert [DATASETS.build(part).get_cat_ids(i) for i in range(4)] == [[0], [1], [0], [1]]
    part['pipeline'] = [dict(type='PackViews', label='place')]
    with pytest.raises(ValueError, match=r"have no label 'place' but \['digit', 'motion'\]"):
        DATASETS.build(dict(type='ClassBalancedDataset', oversample_thr=.5, dataset=part))
    with pytest.raises(ValueError, match="The videos of '.*a' have no labels, by which ClassBalancedDataset could"):
        DATASETS.build(dict(type='ClassBalancedDataset', oversample_thr=.5, dataset=folder(ann_file='')))
