"""VideoFolder: finding videos, reading lists, standing in for unreadable ones, and random draws in workers."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS
from mmengine.dataset import ConcatDataset, pseudo_collate
from PIL import Image
from torch.utils.data import DataLoader

from iboot_mm.datasets import NoReadableVideo, VideoFolder
from tests.processes import clean_processes
from tests.videos import cut, moving_frames, write_sound, write_video

NUM_VIDEOS = 8


def pipeline(test_mode: bool = False, **sampling) -> list[dict]:
    sampling = dict(num_views=2, clip_len=4, frame_interval=3) | sampling
    return [dict(type='OpenVideo'), dict(type='SampleViews', **sampling, test_mode=test_mode), dict(type='DecodeViews'),
            dict(type='CropViews', size=16, short_side=(18, 30), test_mode=test_mode), dict(type='PackViews')]


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> str:
    """A folder of eight videos, some of them below others, with names that a shell would not like."""
    root = tmp_path_factory.mktemp('videos')
    for i in range(NUM_VIDEOS):
        folder = root / ['', 'a b', 'a b/c'][i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        write_video(folder / f'clip {i}.mp4', moving_frames(40, 32, 40, seed=i))
    return str(root)


@pytest.fixture
def copied(videos, tmp_path):
    """A copy of them that a test may spoil."""
    return shutil.copytree(videos, tmp_path / 'copied')


def test_nested_folder_without_labels(videos):
    dataset = VideoFolder(videos, pipeline=pipeline())
    assert len(dataset) == NUM_VIDEOS
    names = [os.path.relpath(dataset.get_data_info(i)['filename'], videos) for i in range(NUM_VIDEOS)]
    assert names == sorted(names) and 'a b/c/clip 2.mp4' in names
    sample = dataset[3]
    assert sample['inputs'].shape == (2, 3, 4, 16, 16) and sample['inputs'].dtype == torch.uint8
    meta = sample['data_samples'].metainfo
    found = [meta[key] for key in ('sample_idx', 'labels', 'role', 'unreadable', 'replaced')]
    assert found == [3, {}, None, [], False]
    assert dataset[-1]['data_samples'].sample_idx == NUM_VIDEOS - 1


def test_scan_leaves_out_what_is_no_video(videos, tmp_path):
    shutil.copytree(videos, tmp_path / 'v')
    (tmp_path / 'v' / '._clip 0.mp4').write_bytes(b'left by a Mac')
    (tmp_path / 'v' / '.cache').mkdir()
    shutil.copy(tmp_path / 'v' / 'clip 0.mp4', tmp_path / 'v' / '.cache' / 'x.mp4')
    (tmp_path / 'v' / 'notes.txt').write_text('-')
    os.rename(tmp_path / 'v' / 'clip 0.mp4', tmp_path / 'v' / 'clip 0.MP4')
    os.symlink(tmp_path / 'v', tmp_path / 'v' / 'a b' / 'loop')  # leads back up
    assert len(VideoFolder(str(tmp_path / 'v'))) == NUM_VIDEOS
    assert len(VideoFolder(str(tmp_path / 'v'), extensions='.txt')) == 1


def test_folders_of_frames(tmp_path):
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        for i, frame in enumerate(moving_frames(30, 32, 40)):
            Image.fromarray(frame).save(tmp_path / name / f'{i}.png')
    steps = [dict(type='OpenVideo', decoder='frames', fps=10), *pipeline()[1:]]
    dataset = VideoFolder(str(tmp_path), extensions=('.png', '.jpg'), pipeline=steps)
    assert [os.path.basename(dataset.get_data_info(i)['filename']) for i in range(len(dataset))] == ['one', 'two']
    assert dataset[1]['data_samples'].fps == 10


def write_list(path, *lines: str) -> str:
    path.write_text('\n'.join(lines) + '\n\n')
    return str(path)


@pytest.mark.parametrize('lines, names, expected', [
    (['clip 0.mp4', 'a b/clip 1.mp4'], None, [{}, {}]),
    (['clip 0.mp4 7', 'a b/clip 1.mp4\t0'], None, [dict(label=7), dict(label=0)]),
    (['clip 0.mp4 7 1', 'a b/clip 1.mp4 0 2'], ['digit', 'motion'], [dict(digit=7, motion=1), dict(digit=0, motion=2)]),
    (['clip 0.mp4 7', 'a b/clip 1.mp4 1'], ['digit'], [dict(digit=7), dict(digit=1)]),
    (['clip 0.mp4 7', 'a b/clip 1.mp4 1'], 'digit', [dict(digit=7), dict(digit=1)])])
def test_lists(lines, names, expected, videos, tmp_path):
    ann_file = write_list(tmp_path / 'list.txt', *lines)
    dataset = VideoFolder(videos, ann_file, label_names=names, pipeline=pipeline(), role='query')
    for i, name in enumerate(['clip 0.mp4', 'a b/clip 1.mp4']):
        sample = dataset[i]['data_samples']
        assert sample.filename == os.path.join(videos, name)
        assert sample.labels == expected[i] and sample.role == 'query'
        assert ('gt_label' in sample) == ('label' in expected[i])


def test_list_may_lie_below_root(videos, tmp_path):
    shutil.copytree(videos, tmp_path / 'v')
    write_list(tmp_path / 'v' / 'train.txt', 'clip 0.mp4')
    assert len(VideoFolder(str(tmp_path / 'v'), 'train.txt')) == 1


@pytest.mark.parametrize('lines, names, message', [
    (['clip 0.mp4 1', 'clip 3.mp4 cat'], None, r"Line 2 of '.*list.txt': 'cat' is no label; labels are whole"),
    (['clip 0.mp4 -1'], None, "Line 1 of .*'-1' is no label"),
    (['clip 0.mp4 1', 'clip 3.mp4'], None, 'Line 2 of .* has 0 labels, but the first line 1: label all or none'),
    (['clip 0.mp4 1 x'], ['digit', 'motion'], "Line 1 of .*, label 'motion': 'x' is no label"),
    (['clip0.mp4 1'], ['digit', 'motion'], r'Line 1 of .* needs a path and 2 labels \(digit, motion\)'),
    ([''], None, 'is empty: it needs lines'),
    (['clip 0.avi', 'b.avi'], None, "None of the files of '.*list.txt' .* set `root`")])
def test_bad_lists(lines, names, message, videos, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        VideoFolder(videos, write_list(tmp_path / 'list.txt', *lines), label_names=names)


def test_bad_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no video .*put some there or below'):
        VideoFolder(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="There is no folder '.*missing': set `root`"):
        VideoFolder(str(tmp_path / 'missing'))
    with pytest.raises(FileNotFoundError, match="There is no list 'a.txt', and no folder '.*missing' .*: set `root`"):
        VideoFolder(str(tmp_path / 'missing'), 'a.txt')
    with pytest.raises(FileNotFoundError, match="There is no list 'none.txt': set `ann_file`"):
        VideoFolder(str(tmp_path), 'none.txt')
    with pytest.raises(ValueError, match='need an ann_file'):
        VideoFolder(str(tmp_path), label_names=['digit'])


def test_missing_file_of_a_list_is_found_when_it_is_read(videos, tmp_path):
    dataset = VideoFolder(videos, write_list(tmp_path / 'list.txt', 'clip 0.mp4 1', 'gone.mp4 2'), pipeline=pipeline())
    sample = dataset[1]['data_samples']
    assert sample.replaced and sample.unreadable == [(os.path.join(videos, 'gone.mp4'), 'there is no such file')]
    assert (sample.filename, sample.labels, sample.sample_idx) == (os.path.join(videos, 'clip 0.mp4'), dict(label=1), 1)


def spoil(root) -> dict[str, str]:
    """Turn some videos into bad ones; returns path -> part of the reason."""
    reasons = {'text.mp4': 'no complete video', 'zero.mp4': 'empty', 'sound.mp4': 'no video stream',
               'cut.mp4': 'no complete video', 'stub.mkv': 'cut off and its'}
    (root / 'text.mp4').write_text('no video')
    (root / 'zero.mp4').touch()
    write_sound(root / 'sound.mp4')
    cut(root / 'clip 0.mp4', root / 'cut.mp4', .5)
    whole = write_video(root / 'whole.mkv', moving_frames(120), codec_options=dict(g='5', bf='0'))
    cut(whole, root / 'stub.mkv', .15)
    os.remove(whole)
    return {str(root / name): reason for name, reason in reasons.items()}


@pytest.mark.parametrize('test_mode', [False, True])
def test_unreadable_videos_are_replaced_and_told(test_mode, copied):
    bad = spoil(copied)
    steps = pipeline(test_mode, frame_interval=9)
    datasets = [VideoFolder(str(copied), pipeline=steps, test_mode=test_mode) for _ in range(2)]
    assert len(datasets[0]) == NUM_VIDEOS + len(bad)
    stand_ins = {0: [], 1: []}
    for epoch in (0, 1):
        for dataset in datasets:
            dataset.pipeline.transforms[1].set_epoch(0, epoch)
        for i in range(len(datasets[0])):
            a, b = [dataset[i] for dataset in datasets]
            assert torch.equal(a['inputs'], b['inputs'])  # the choice is not chance
            path, meta = datasets[0].get_data_info(i)['filename'], a['data_samples'].metainfo
            assert meta['replaced'] == (path in bad) and meta['sample_idx'] == i
            if path in bad:
                assert meta['unreadable'][0][0] == path and bad[path] in meta['unreadable'][0][1]
                assert meta['filename'] not in bad
                stand_ins[epoch].append(meta['filename'])
            else:
                assert meta['filename'] == path and not meta['unreadable']
    assert (stand_ins[0] == stand_ins[1]) == test_mode  # another one in another epoch, but not in a test


def test_a_test_is_the_same_in_every_pass(videos):
    for steps in (pipeline(test_mode=True), pipeline()):  # random views too
        first, second = [VideoFolder(videos, pipeline=steps, test_mode=True) for _ in range(2)]
        for i in range(NUM_VIDEOS):
            assert torch.equal(first[i]['inputs'], first[i]['inputs'])
            assert torch.equal(first[i]['inputs'], second[i]['inputs'])


def test_none_can_be_read(tmp_path):
    for i in range(50):
        (tmp_path / f'{i}.mp4').write_text('no video')
    with pytest.raises(NoReadableVideo, match=r'None of 3\d videos of .* could be read, the first .*/0.mp4: FFmpeg'):
        VideoFolder(str(tmp_path), pipeline=pipeline())[0]
    (tmp_path / 'one').mkdir()
    (tmp_path / '0.mp4').rename(tmp_path / 'one' / '0.mp4')
    with pytest.raises(NoReadableVideo, match='None of 1 videos'):
        VideoFolder(str(tmp_path / 'one'), pipeline=pipeline())[0]


def test_other_errors_are_not_hidden(videos):

    def fails(results):
        raise KeyError('a mistake in a transform')

    with pytest.raises(KeyError, match='a mistake'):
        VideoFolder(videos, pipeline=[fails])[0]
    with pytest.raises(NoReadableVideo, match='the pipeline gave nothing'):
        VideoFolder(videos, pipeline=[lambda results: None])[0]


def loaded(dataset, num_workers: int, order: list[int], context: str | None = None) -> dict[int, torch.Tensor]:
    """sample_idx -> inputs, through a DataLoader."""
    loader = DataLoader(dataset, batch_size=2, sampler=order, num_workers=num_workers, collate_fn=pseudo_collate,
                        multiprocessing_context=context, timeout=60 if num_workers else 0)
    pairs = [pair for batch in loader for pair in zip(batch['inputs'], batch['data_samples'])]
    return {sample.sample_idx: inputs for inputs, sample in pairs}


def same(a: dict[int, torch.Tensor], b: dict[int, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[i], b[i]) for i in a)


def test_workers_order_and_batches_change_nothing(videos):
    dataset = VideoFolder(videos, pipeline=pipeline())
    dataset.pipeline.transforms[1].set_epoch(1, 2)
    order = list(range(NUM_VIDEOS))
    alone = loaded(dataset, 0, order)
    assert same(alone, loaded(dataset, 1, order))
    assert same(alone, loaded(dataset, 3, order[::-1]))
    for other in [(1, 3), (2, 2)]:
        dataset.pipeline.transforms[1].set_epoch(*other)
        assert not same(alone, loaded(dataset, 0, order))
    assert all((alone[i][0] != alone[i][1]).any() for i in order)  # views differ


@pytest.mark.parametrize('context', ['fork', 'forkserver'])  # the latter gets all by pickling, as new processes do
def test_living_workers_see_a_new_epoch(context, videos):
    clean_processes()
    dataset = VideoFolder(videos, pipeline=pipeline(), indices=4)
    transform = dataset.pipeline.transforms[1]
    expected = []
    for epoch in range(2):
        transform.set_epoch(0, epoch)
        expected.append(torch.stack([dataset[i]['inputs'] for i in range(4)]))
    loader = DataLoader(dataset, batch_size=4, num_workers=1, persistent_workers=True, collate_fn=pseudo_collate,
                        multiprocessing_context=context, timeout=60)
    for epoch in range(2):
        transform.set_epoch(0, epoch)
        assert torch.equal(torch.stack(next(iter(loader))['inputs']), expected[epoch])


@pytest.mark.parametrize('share, expected', [(1., [0, 1, 2, 3, 4]), (.6, [0, 1, 3]), (.4, [0, 2]), (.01, [0])])
@pytest.mark.parametrize('listed', [False, True])
def test_a_share_is_spread_over_the_list(share, expected, listed, tmp_path):
    names = [f'{letter}.mp4' for letter in 'abcde']
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / 'list.txt').write_text(''.join(f'{name} {place}\n' for place, name in enumerate(names)))
    dataset = VideoFolder(str(tmp_path), ann_file='list.txt' if listed else '', share=share)
    found = [Path(dataset.get_data_info(place)['filename']).name for place in range(len(dataset))]
    assert found == [names[place] for place in expected]
    if listed:
        assert dataset.label_column('label').tolist() == expected


@pytest.mark.parametrize('share, message', [(0, 'share must be above 0, got 0'), (2, r'in \[0, 1\], got 2')])
def test_no_share(share, message, tmp_path):
    with pytest.raises(ValueError, match=f'VideoFolder: .*{message}'):
        VideoFolder(str(tmp_path), share=share)


def test_bad_videos_do_not_hang_workers(copied):
    spoil(copied)
    dataset = VideoFolder(str(copied), pipeline=pipeline())
    dataset.pipeline.transforms[1].set_epoch(0, 0)
    order = list(range(len(dataset)))
    assert same(loaded(dataset, 2, order), loaded(dataset, 0, order))


def test_in_a_concatenation(videos, tmp_path):
    steps = pipeline(test_mode=True)
    parts = [dict(type='VideoFolder', root=videos, ann_file=write_list(tmp_path / f'{role}.txt', *lines), role=role,
                  label_names=['digit'], test_mode=True, pipeline=steps)
             for role, lines in dict(gallery=['clip 0.mp4 3', 'clip 3.mp4 4'], query=['clip 6.mp4 5']).items()]
    dataset = ConcatDataset([DATASETS.build(part) for part in parts])
    found = [(sample.role, sample.labels['digit'], sample.sample_idx)
             for sample in (dataset[i]['data_samples'] for i in range(3))]
    assert found == [('gallery', 3, 0), ('gallery', 4, 1), ('query', 5, 0)]


def test_transforms_serve_mmaction2s_own_data_set(videos, tmp_path):
    shutil.copy(f'{videos}/clip 0.mp4', tmp_path / 'clip_0.mp4')
    ann_file = write_list(tmp_path / 'list.txt', 'clip_0.mp4 2')
    dataset = VideoDataset(ann_file, pipeline=pipeline(), data_prefix=dict(video=str(tmp_path)))
    ours = VideoFolder(str(tmp_path), ann_file, pipeline=pipeline())
    for data in (dataset, ours):
        data.pipeline.transforms[1].set_epoch(0, 0)
    a, b = dataset[0], ours[0]
    assert torch.equal(a['inputs'], b['inputs'])
    assert a['data_samples'].labels == dict(label=2) and a['data_samples'].gt_label.tolist() == [2]
    assert a['data_samples'].metainfo.keys() == b['data_samples'].metainfo.keys()


def test_turntable_videos(shared):
    root = str(shared / 'data/turntable_fruit')
    dataset = VideoFolder(f'{root}/videos', f'{root}/train_variety.txt', label_names=['variety'],
                          pipeline=pipeline(clip_len=8))
    assert len(dataset) == len(open(f'{root}/train_variety.txt').readlines())
    sample = dataset[5]['data_samples']
    assert sample.total_frames == 32 and sample.original_shape == (100, 100) and not sample.replaced
    assert np.unique([dataset.get_data_info(i)['labels']['variety'] for i in range(len(dataset))]).min() == 0
    assert len(VideoFolder(f'{root}/videos', f'{root}/all.txt')) == len(VideoFolder(f'{root}/videos')) == 1469
