"""AVA and Charades: the lists are the official files, without what is not there, and the data sets read them."""

import json

import pytest

from iboot_mm.datasets import ActivityVideos, KeyFrames
from iboot_mm.datasets.ava_files import read_class_names, read_exclusions, read_persons
from iboot_mm.datasets.benchmarks import prepare
from iboot_mm.datasets.benchmarks.files import check_video

from ...videos import moving_frames
from . import trees


def test_ava(tmp_path):
    root, out = tmp_path / 'root', tmp_path / 'out'
    trees.ava(root)
    counts = prepare('ava', root, out)
    assert counts['lists']['ava_train_v2.2.csv'] == dict(
        listed=2, annotated=3, missing=1, unreadable=None, truncated=None, official=235)
    assert (out / 'ava_train_v2.2.csv').read_text().splitlines() == trees.AVA_ROWS['train'][:3]
    assert (out / 'left_out.txt').read_text() == 'missing: videos/gone_______\n'
    assert len((out / 'label_map.txt').read_text().splitlines()) == 80
    train = KeyFrames(str(out / 'videos'), str(out / 'ava_train_v2.2.csv'))
    first, second = (train.get_data_info(n) for n in range(2))
    assert first['filename'].endswith('-5KQ66BBWC4.mkv') and first['box_labels'].nonzero()[1].tolist() == [8, 79]
    assert second['filename'].endswith('videos/frames_only_') and (out / 'videos' / 'frames_only_').is_dir()
    test = KeyFrames(str(out / 'videos'), str(out / 'ava_val_v2.2.csv'),
                     proposal_file=str(out / 'ava_detection_val_boxes_and_labels.csv'),
                     exclude_file=str(out / 'ava_val_excluded_timestamps_v2.2.csv'))
    assert test.get_data_info(0)['person_scores'].tolist() == [.9]
    assert read_exclusions(out / 'ava_train_excluded_timestamps_v2.2.csv') == {('train', 999)}
    assert len(read_class_names(out / 'ava_action_list_v2.2_for_activitynet_2019.pbtxt')) == 60
    assert read_persons(out / 'ava_detection_val_boxes_and_labels.csv', .95) == {}


def test_charades(tmp_path):
    root, out = tmp_path / 'root', tmp_path / 'out'
    trees.charades(root)
    counts = prepare('charades', root, out)
    assert counts['lists']['Charades_v1_train.csv'] == dict(
        listed=2, annotated=3, missing=1, unreadable=None, truncated=None, official=7985)
    assert (out / 'Charades_v1_train.csv').read_text().splitlines()[1:] == trees.CHARADES_ROWS['train'][:2]
    assert (out / 'label_map.txt').read_text().splitlines()[:2] == ['Doing 0 things', 'Doing 1 things']
    videos = ActivityVideos(str(out / 'videos'), str(out / 'Charades_v1_train.csv'))
    assert [videos.get_data_info(n)['activities'] for n in range(2)] == [[(92, 11.9, 21.2), (147, 0., 12.6)], []]
    assert videos.get_data_info(1)['filename'] == str(out / 'videos' / 'N11GT.mp4')


@pytest.mark.parametrize('name, file, content, words', [
    ('ava', 'annotations/ava_action_list_v2.2.pbtxt', trees.action_list(60), 'name 60 classes, but AVA has 80'),
    ('ava', 'annotations/ava_val_v2.2.csv', 'a b 0902\n', 'has the line'),
    ('ava', 'annotations/ava_val_v2.2.csv', None, 'ava_v2.2.zip'),
    ('charades', 'Charades/Charades_v1_classes.txt', 'c000 A\nc002 B\n', 'without gaps'),
    ('charades', 'Charades/Charades_v1_test.csv', 'id,actions\nA,c200 0 1\n', 'no activity c200 among 157'),
    ('charades', 'Charades/Charades_v1_test.csv', 'id,actions\nA,c100 0\n', 'is no activity'),
    ('charades', 'Charades/Charades_v1_test.csv', 'A 1\n', "'id' and 'actions'")])
def test_files_of_another_form_are_told(tmp_path, name, file, content, words):
    getattr(trees, name)(tmp_path)
    (tmp_path / file).unlink()
    if content is not None:
        trees.put(tmp_path / file, content)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        prepare(name, tmp_path, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_folders_of_frames_are_checked_as_such(tmp_path):
    from PIL import Image
    for number, frame in enumerate(moving_frames(3)):
        Image.fromarray(frame).save(tmp_path / f'{number}.jpg')
    assert check_video(tmp_path)[1]['reason'] == ''
    (tmp_path / '1.jpg').write_bytes(b'no picture')
    assert '1.jpg' in check_video(tmp_path)[1]['reason']
    assert json.dumps(check_video(tmp_path)[1])
