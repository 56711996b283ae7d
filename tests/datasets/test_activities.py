"""Charades' annotations as samples: which labels a clip has, and which the whole video."""

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.activities import parse_activities, read_activities
from iboot_mm.datasets.transforms import PackActivities

from ..videos import moving_frames, write_video

TABLE = 'id,actions,length\nA,c000 0.00 0.50;c002 1.00 2.00;c001 1.90 4.00,4\nB,,4\n'


@pytest.fixture
def root(tmp_path):
    for name in 'AB':
        write_video(tmp_path / f'{name}.mp4', moving_frames(40), fps=10)
    (tmp_path / 'list.csv').write_text(TABLE)
    return tmp_path


def build(root, test_mode=False, **changes):
    return DATASETS.build(dict(dict(
        type='ActivityVideos', root=str(root), ann_file='list.csv', num_classes=3, test_mode=test_mode, pipeline=[
            dict(type='OpenVideo'), dict(type='SampleViews', num_views=1, clip_len=4, frame_interval=2),
            dict(type='DecodeViews'), dict(type='CropViews', size=32, short_side=32),
            dict(type='PackActivities', num_classes=3, test_mode=test_mode)]), **changes))


def test_a_test_has_all_labels_of_the_video(root):
    dataset = build(root, test_mode=True)
    assert [dataset[n]['data_samples'].gt_label.tolist() for n in range(2)] == [[1, 1, 1], [0, 0, 0]]
    assert dataset[0]['data_samples'].gt_label.dtype == torch.float32


@pytest.mark.parametrize('inds, labels', [
    ([[0, 2, 4]], [1, 0, 0]), ([[5, 6]], [1, 0, 0]), ([[6, 9]], [0, 0, 0]), ([[6, 10]], [0, 0, 1]),
    ([[20, 22]], [0, 1, 1]), ([[21, 22]], [0, 1, 0]), ([[0, 39]], [1, 1, 1])])
def test_a_training_clip_has_what_goes_on_between_its_first_and_last_frame(inds, labels):
    """10 frames a second; a clip that spans a whole activity between two of its frames shows it, too."""
    results = dict(imgs=np.zeros((1, 2, 4, 4, 3), np.uint8), frame_inds=np.array(inds), fps=10., labels={},
                   activities=[(0, 0., .5), (2, 1., 2.), (1, 1.9, 4.)])
    assert PackActivities(3).transform(results)['data_samples'].gt_label.tolist() == labels
    with pytest.raises(UnreadableVideo, match='frame rate'):
        PackActivities(3).transform(dict(results, fps=0., filename='a.mp4'))


def test_draws_and_labels_belong_together(root):
    dataset, seen = build(root), set()
    for seed in range(12):
        dataset.pipeline.transforms[1].set_epoch(seed, 0)
        info = dataset.get_data_info(0)
        first = dataset.pipeline.transforms[1].transform(dict(
            info, total_frames=40, fps=10., sample_idx=0))['frame_inds']
        begin, end = first.min() / 10, first.max() / 10
        expected = [float(begin <= last and start <= end) for start, last in ((0, .5), (1.9, 4.), (1., 2.))]
        assert dataset[0]['data_samples'].gt_label.tolist() == expected
        seen.add(tuple(expected))
    assert len(seen) > 2


@pytest.mark.parametrize('text, words', [
    ('c001 1.0', 'no activity such as'), ('c001 a b', 'no activity such as'), ('c003 0 1', 'no activity c003 among 3'),
    ('c001 0 1;', 'no activity such as')])
def test_activities_of_another_form_are_told(text, words):
    with pytest.raises(ValueError, match=f'here: .*{words}'):
        parse_activities(text, 'here', 3)


def test_files_that_do_not_belong_together_are_told(root):
    (root / 'other.csv').write_text('A.mp4 0\n')
    with pytest.raises(ValueError, match="'id' and 'actions'"):
        build(root, ann_file='other.csv')
    (root / 'more.csv').write_text(TABLE + 'C,,1\n')
    with pytest.raises(FileNotFoundError, match='1 of 3 videos .* such as C'):
        build(root, ann_file='more.csv')
    with pytest.raises(FileNotFoundError, match='prepare.py charades'):
        read_activities(root / 'none.csv', 3)
