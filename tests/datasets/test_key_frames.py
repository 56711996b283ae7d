"""Key frames as samples: which there are, which frames they show, and where the boxes are then."""

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS

from iboot_mm.datasets import KeyFrames, UnreadableVideo
from iboot_mm.datasets.transforms import SampleKeyFrame

from ..videos import write_video

ROWS = 'm1,0902,0.25,0.25,0.50,0.75,1,0\nm1,0902,0.25,0.25,0.50,0.75,3,0\nm1,0903,0.0,0.0,1.0,1.0,2,0\n' \
       'm2,0902,0.0,0.0,1.0,1.0,2,0\n'
PERSONS = 'm1,0902,0.2,0.2,0.5,0.7,,0.9\nm1,0902,0.1,0.1,0.2,0.2,,0.8\nm1,0904,0.0,0.0,0.5,0.5,,0.99\n' \
          'm2,0902,0.0,0.0,1.0,1.0,,0.5\nother,0902,0.0,0.0,1.0,1.0,,0.99\n'


def square(count=80, height=96, width=128):
    """Frames whose number is their gray, with a red square at the box (.25, .25, .50, .75)."""
    frames = np.stack([np.full((height, width, 3), number, np.uint8) for number in range(count)])
    frames[:, height // 4:height * 3 // 4, width // 4:width // 2] = 220, 30, 30
    return frames


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('ava')
    for name in ('m1', 'm2'):
        write_video(root / f'{name}.mp4', square(), fps=20, codec_options=dict(crf='1'))
    for name, text in (('truth.csv', ROWS), ('persons.csv', PERSONS), ('excluded.csv', 'm1,0903\n')):
        (root / name).write_text(text)
    return root


def pipeline(test_mode=False, **clip):
    crop = [dict(type='ScaleViews', short_side=48)] if test_mode else [
        dict(type='CropViews', size=64, short_side=(72, 96)), dict(type='CropBoxes')]
    return [dict(type='OpenVideo'), dict(type='SampleKeyFrame', test_mode=test_mode, **clip), dict(type='DecodeViews'),
            *crop, dict(type='PackKeyFrame')]


def build(root, **changes):
    return DATASETS.build(dict(dict(
        type='KeyFrames', root=str(root), ann_file='truth.csv', num_classes=3, start=901,
        pipeline=pipeline(clip_len=4, frame_interval=2)), **changes))


def test_training_shows_annotated_persons(root):
    dataset = build(root, exclude_file='excluded.csv')
    infos = [dataset.get_data_info(n) for n in range(len(dataset))]
    assert [(info['video_id'], info['timestamp'], info['second']) for info in infos] == [('m1', 902, 1), ('m2', 902, 1)]
    sample = dataset[1]
    assert sample['inputs'].shape == (1, 3, 4, 64, 64)
    assert sample['data_samples'].gt_instances.labels.tolist() == [[0, 1, 0]]
    assert dataset.get_data_info(0)['box_labels'].tolist() == [[1, 0, 1]]


def test_the_test_shows_detected_persons_where_there_are_some(root):
    dataset = build(root, proposal_file='persons.csv', test_mode=True, pipeline=pipeline(True, clip_len=4))
    infos = [dataset.get_data_info(n) for n in range(len(dataset))]
    assert [(info['video_id'], info['timestamp']) for info in infos] == [('m1', 902), ('m1', 904)]
    sample = dataset[0]
    assert sample['inputs'].shape == (1, 3, 4, 48, 64)  # the whole picture
    found = sample['data_samples']
    assert found.proposals.bboxes.tolist() == [[.2, .2, .5, .7]] and found.proposals.scores.tolist() == [.9]
    assert (found.video_id, found.timestamp, found.img_shape) == ('m1', 902, (48, 64))
    assert len(build(root, proposal_file='persons.csv', confidence=.4)) == 3


def test_what_does_not_belong_together_is_told(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"1 of 3 videos of 'more.csv' are not in .*, such as m3"):
        (root / 'more.csv').write_text(ROWS + 'm3,0902,0,0,1,1,1,0\n')
        build(root, ann_file='more.csv')
    with pytest.raises(ValueError, match='leaves no key frame'):
        build(root, proposal_file='persons.csv', confidence=1.)
    with pytest.raises(FileNotFoundError, match='set `root`'):
        build(tmp_path / 'none', ann_file=str(root / 'truth.csv'))


def test_videos_may_be_folders_of_frames(root, tmp_path):
    for name in ('m1', 'm2'):
        (tmp_path / name).mkdir()
    dataset = KeyFrames(str(tmp_path), str(root / 'truth.csv'), num_classes=3)
    assert dataset.get_data_info(0)['filename'] == str(tmp_path / 'm1')


@pytest.mark.parametrize('second, fps, settings, expected', [
    (4, 30, dict(), [88, 96, 104, 112, 120, 128, 136, 144]),  # PySlowFast: range(120 - 32, 120 + 32, 8)
    (4, 15, dict(target_fps=30, clip_len=4, frame_interval=4), [56, 58, 60, 62]),
    (0, 30, dict(clip_len=5, frame_interval=1), [0, 0, 0, 1, 2]),
    (10, 30, dict(clip_len=4, frame_interval=1), [298, 299, 299, 299]),
    (10.9, 30, dict(clip_len=2, frame_interval=1), [299, 299])])
def test_the_key_frame_is_in_the_middle(second, fps, settings, expected):
    info = dict(filename='a.mp4', total_frames=300, fps=fps, second=second, sample_idx=0)
    assert SampleKeyFrame(**settings).transform(info)['frame_inds'].tolist() == [expected]


@pytest.mark.parametrize('second, fps, words', [(11.1, 30, 'start'), (-1, 30, 'start'), (1, 0, 'frame rate')])
def test_a_key_frame_outside_of_the_video_is_told(second, fps, words):
    info = dict(filename='a.mp4', total_frames=300, fps=fps, second=second, sample_idx=0)
    with pytest.raises(UnreadableVideo, match=words):
        SampleKeyFrame().transform(info)


@pytest.mark.parametrize('crop', [dict(short_side=(72, 96)), dict(short_side=64), dict(area=(.3, 1.)),
                                  dict(short_side=(72, 96), flip_prob=1.)])
def test_boxes_follow_the_pictures(root, crop):
    """The red square, found by its colour, is where the box is, within a pixel, however crop and flip were drawn."""
    dataset = build(root, pipeline=pipeline(clip_len=2)[:3] + [
        dict(type='CropViews', size=64, **crop), dict(type='CropBoxes'), dict(type='PackKeyFrame')])
    seen = 0
    for seed in range(25):
        dataset.pipeline.transforms[1].set_epoch(seed, 0)
        sample = dataset[0]
        picture = sample['inputs'][0, :, 0].int()  # (C, H, W)
        red = (picture[0] - picture[1]) > 90
        boxes = sample['data_samples'].gt_instances.bboxes * 64
        if not red.any():
            continue
        ys, xs = torch.nonzero(red, as_tuple=True)
        edges = torch.stack([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        assert (boxes[0] - edges).abs().max() < 1.5, (seed, boxes, edges)
        seen += 1
    assert seen > 15


def test_boxes_that_are_cropped_away_go_with_their_labels(root):
    dataset = build(root, pipeline=pipeline(clip_len=2)[:3] + [
        dict(type='CropViews', size=32, short_side=128, flip_prob=0.), dict(type='CropBoxes'),
        dict(type='PackKeyFrame')])
    counts = set()
    for seed in range(20):
        dataset.pipeline.transforms[1].set_epoch(seed, 0)
        found = dataset[0]['data_samples'].gt_instances
        assert found.bboxes.shape == (len(found), 4) and found.labels.shape == (len(found), 3)
        counts.add(len(found))
    assert counts == {0, 1}
