"""Videos in shards train, resume and count as their files do."""

import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from iboot_mm.datasets import ShotFolder, VideoFolder
from iboot_mm.datasets.identity import data_identity
from iboot_mm.datasets.shards import INDEX, read_index
from iboot_mm.datasets.tokens import TokenStore, name_below
from iboot_mm.datasets.transforms.targets import TargetTable
from iboot_mm.engine.hooks.class_count import count_classes
from iboot_mm.engine.samplers import EpochSampler
from iboot_mm.stores.features import FeatureStore

from ..scripts import load_tool
from ..videos import cut, moving_frames, write_video

tool = load_tool('data/pack_shards')
PIPELINE = [dict(type='OpenVideo'), dict(type='SampleViews', num_views=2, clip_len=4, frame_interval=2),
            dict(type='DecodeViews'), dict(type='CropViews', size=16, short_side=(18, 30)), dict(type='PackViews')]
NAMES = ['a.mp4', 'b.c.mp4', 'sub/a.mp4', 'sub/d.mp4', 'sub/d.mkv', 'é f.mp4', 'sub a/g.mp4', 'broken.mp4']
SIZE = 10_000  # bytes of videos in a shard: one to three


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    read_index.cache_clear()


@pytest.fixture(scope='module')
def files(tmp_path_factory) -> Path:
    """A folder of eight videos, one of them broken, with a list."""
    root = tmp_path_factory.mktemp('videos')
    for number, name in enumerate(NAMES):
        (root / name).parent.mkdir(exist_ok=True)
        write_video(root / name, moving_frames(24, 32, 40, seed=number))
    cut(root / 'broken.mp4', root / 'broken.mp4', .3)
    (root / 'list.txt').write_text(''.join(f'{name} {number % 3}\n' for number, name in enumerate(NAMES)))
    return root


@pytest.fixture
def shards(files, tmp_path) -> Path:
    """The same in shards."""
    tool.pack(files, tmp_path / 'shards', files / 'list.txt', shard_bytes=SIZE, workers=1)
    assert len(list((tmp_path / 'shards').glob('*.tar'))) > 2
    return tmp_path / 'shards'


def epochs(dataset, workers: int, start: int = 0) -> list:
    """Two epochs of batches, from a batch on, with what a sample says of itself."""
    sampler = EpochSampler(dataset, multiple_of=2, seed=1)
    loader = DataLoader(dataset, batch_size=2, num_workers=workers, collate_fn=list, sampler=sampler)
    seen = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        for step in dataset.pipeline.transforms:
            if hasattr(step, 'set_epoch'):
                step.set_epoch(1, epoch)
        for batch in loader:
            seen += [(s['inputs'].numpy(), s['data_samples'].sample_idx, s['data_samples'].labels,
                      s['data_samples'].replaced, os.path.basename(s['data_samples'].filename)) for s in batch]
    return seen[start:]


@pytest.mark.parametrize('with_list', [False, True])
def test_epochs_of_shards_are_those_of_files(files, shards, with_list):
    """The same pixels in the same order, the same stand-ins for the broken one, in however many workers."""
    lists = dict(ann_file=str(files / 'list.txt')) if with_list else {}
    one, other = (VideoFolder(str(root), pipeline=PIPELINE, **lists) for root in (files, shards))
    expected, found = epochs(one, 0), epochs(other, 1)
    assert len(expected) == len(found) == 16 and sum(sample[3] for sample in expected) == 2
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        assert (a[1], a[3], a[4]) == (b[1], b[3], b[4])
        assert not with_list or a[2] == b[2]
    assert with_list or {(name, labels['label']) for _, _, labels, _, name in found} <= {
        (os.path.basename(name), number % 3) for number, name in enumerate(NAMES)}
    assert count_classes(other) == 3


def test_what_is_stored_of_files_is_of_their_copies(files, shards, tmp_path):
    """Features, targets, tokens and shots go by the same names."""
    lists = dict(ann_file=str(files / 'list.txt'))
    one, other = (VideoFolder(str(root), **lists) for root in (files, shards))
    assert data_identity(one, {}) == data_identity(other, {})
    names = [(name_below(str(files), one.get_data_info(i)['filename']),
              name_below(str(shards), other.get_data_info(i)['filename'])) for i in range(len(NAMES))]
    assert [a for a, _ in names] == [b for _, b in names] == NAMES

    tokens = TokenStore(tmp_path / 'tokens', {})
    tokens.put('sub/a.mp4', torch.zeros(2, 3, 1, 1))
    assert tokens.has('sub/a.mp4', other.get_data_info(2)['filename'])  # packing made it no younger

    store = FeatureStore(tmp_path / 'targets', dict(data=dict(videos=len(NAMES))))
    store.append([dict(index=i, filename=one.get_data_info(i)['filename'], replaced=False, labels={}, role=None,
                       view_features=torch.full((1, 2), float(i))) for i in range(len(NAMES))])
    store.flush()
    for dataset in (one, other):
        for index in range(len(NAMES)):
            clip, = TargetTable(str(tmp_path / 'targets')).clips(index, dataset.get_data_info(index)['filename'])
            assert clip.tolist() == [index, index]

    shots = tmp_path / 'shots.jsonl'
    shots.write_text(''.join(f'{{"file": "{name}", "frames": 24, "fps": 30.0, "starts": [0, 8, 16]}}\n'
                             for name in NAMES[:5]))
    for root in (files, shards):
        found = ShotFolder(str(root), str(shots), **lists)
        assert len(found) == 5 and found.get_data_info(2)['shots'].tolist() == [[0, 8], [8, 16], [16, 24]]


def test_the_order_is_that_of_the_folder(files, shards):
    names = [[name_below(str(root), info['filename']) for info in VideoFolder(str(root)).load_data_list()]
             for root in (files, shards)]
    assert names[0] == names[1] == sorted(NAMES)


def test_other_tools_can_unpack_them(files, shards, tmp_path):
    """The files as they were, with labels in WebDataset's way."""
    for shard in shards.glob('*.tar'):
        with tarfile.open(shard) as tar:
            tar.extractall(tmp_path / 'out', filter='data')
    for name in NAMES:
        assert (tmp_path / 'out' / name).read_bytes() == (files / name).read_bytes()
        assert abs((tmp_path / 'out' / name).stat().st_mtime - (files / name).stat().st_mtime) < .01
    assert (tmp_path / 'out/sub/a.cls').read_text() == '2' and (tmp_path / 'out/sub/d.mkv.cls').read_text() == '1'


def test_named_labels(files, tmp_path):
    (tmp_path / 'list.txt').write_text('a.mp4 1 2\nsub/a.mp4 3 4\n')
    tool.pack(files, tmp_path / 'out', tmp_path / 'list.txt', ['digit', 'motion'], workers=1)
    for names, expected in ((None, {}), (['motion'], dict(motion=4)), (['digit', 'motion'], dict(digit=3, motion=4))):
        assert VideoFolder(str(tmp_path / 'out'), label_names=names).get_data_info(1)['labels'] == expected
    with pytest.raises(ValueError, match=r"2 of 2 videos in the shards .* no label 'class', .*labels are \['digit'"):
        VideoFolder(str(tmp_path / 'out'), label_names=['class'])


def test_what_is_left_out_is_told(files, tmp_path, capsys):
    (tmp_path / 'in').mkdir()
    shutil.copy(files / 'a.mp4', tmp_path / 'in')
    (tmp_path / 'in/empty.mp4').touch()
    (tmp_path / 'in/.hidden.mp4').write_bytes(b'x')
    lines = ['a.mp4 0', 'none.mp4 0', 'empty.mp4 0', './a.mp4 0', '.hidden.mp4 1', '../in 1']
    (tmp_path / 'list.txt').write_text('\n'.join(lines[:5]))
    said = tool.pack(tmp_path / 'in', tmp_path / 'out', tmp_path / 'list.txt', workers=1)
    assert said == (f'{tmp_path}/out: 1 videos in 1 shards, 0 of which were there; 4 left out, see '
                    f'{tmp_path}/out/left_out.txt')
    assert (tmp_path / 'out/left_out.txt').read_text() == (
        'none.mp4: there is no such file\nempty.mp4: the file is empty (0 bytes)\na.mp4: it was named before\n'
        '.hidden.mp4: it is hidden\n')
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    with pytest.raises(ValueError, match="'../in' does not lie below"):
        tool.pack(tmp_path / 'in', tmp_path / 'out', tmp_path / 'list.txt')


def test_a_second_call_goes_on(files, shards, tmp_path):
    kept = {path: path.stat().st_ino for path in shards.glob('*.tar')}
    gone = shards / 'shard-000001.tar'
    content = gone.read_bytes()
    gone.unlink()
    said = tool.pack(files, shards, files / 'list.txt', shard_bytes=SIZE, workers=1)
    assert f'{len(kept)} shards, {len(kept) - 1} of which were there' in said and gone.read_bytes() == content
    assert all(path.stat().st_ino == inode for path, inode in kept.items() if path != gone)
    with pytest.raises(ValueError, match='holds shards of other videos, labels or sizes: name another folder'):
        tool.pack(files, shards, shard_bytes=SIZE)
    assert sorted(os.listdir(shards)) == ['left_out.txt', 'packed.json', *sorted(path.name for path in kept), INDEX]


def test_files_beside_shards_come_first(files, shards):
    """As ever: what was unpacked is not read twice."""
    shutil.copy(files / 'a.mp4', shards)
    assert [info['filename'] for info in VideoFolder(str(shards)).load_data_list()] == [f'{shards}/a.mp4']


def test_a_list_of_other_videos(shards, tmp_path):
    (tmp_path / 'list.txt').write_text('x.mp4 1\ny.mp4 2\n')
    with pytest.raises(FileNotFoundError, match="None of the files of .*list.txt' that were looked up exists"):
        VideoFolder(str(shards), str(tmp_path / 'list.txt'))
    (tmp_path / 'list.txt').write_text('x.mp4 1\n./a.mp4 2\n')
    found = VideoFolder(str(shards), str(tmp_path / 'list.txt')).load_data_list()
    assert [info['filename'] for info in found] == [f'{shards}/x.mp4', f'{shards}/shard-000000.tar/a.mp4']
    (tmp_path / 'list.txt').write_text('shard-000000.tar/a.mp4 3\n')  # as it lies there
    found = VideoFolder(str(shards), str(tmp_path / 'list.txt')).load_data_list()
    assert [info['filename'] for info in found] == [f'{shards}/shard-000000.tar/a.mp4']
