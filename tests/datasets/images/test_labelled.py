"""Labelled pictures: which of them, whose label, and through the views' own transforms."""

import logging
import re

import numpy as np
import pytest
from mmengine.logging import MMLogger
from PIL import Image

from iboot_mm.datasets import LabelledImages
from iboot_mm.datasets.images.labelled import class_balanced
from iboot_mm.engine.samplers import PassIndex

PIPELINE = [dict(type='OpenVideo', decoder='picture'), dict(type='SampleViews', num_views=1, clip_len=1),
            dict(type='DecodeViews'), dict(type='CropViews', size=8, short_side=(8, 12)), dict(type='PackViews')]
SIZES = (4, 6, 8)  # pictures of each class


@pytest.fixture
def root(tmp_path):
    """Folders of 3 classes; the red of a picture is ten times its label, the green its number."""
    for label, size in enumerate(SIZES):
        folder = tmp_path / f'class {label}'
        folder.mkdir()
        for number in range(size):
            pixels = np.full((12, 16, 3), (10 * label, number, 0), np.uint8)
            Image.fromarray(pixels).save(folder / f'{number}.png')
    return tmp_path


def listed(root, lines=None):
    lines = lines or [f'class {label}/{number}.png {label}' for label, size in enumerate(SIZES)
                      for number in range(size)]
    (root / 'list.txt').write_text('\n'.join(lines))
    return dict(root=str(root), ann_file='list.txt', num_classes=3)


def names(dataset):
    return [dataset.get_data_info(i)['filename'] for i in range(len(dataset))]


def test_folders_and_list_agree(root):
    of_folders = LabelledImages(str(root), 3)
    of_list = LabelledImages(**listed(root))
    assert names(of_folders) == names(of_list) and len(of_list) == sum(SIZES)
    assert [of_folders.get_data_info(i) for i in range(18)] == [of_list.get_data_info(i) for i in range(18)]


def test_samples_are_clips_of_one_frame_with_their_label(root):
    dataset = LabelledImages(str(root), 3, pipeline=PIPELINE)
    dataset.pipeline.transforms[1].set_epoch(3, 1)
    for index in (0, 5, 17):
        sample = dataset[index]
        assert sample['inputs'].shape == (1, 3, 1, 8, 8)
        label = int(sample['data_samples'].gt_label)
        assert set(sample['inputs'][0, 0].unique().tolist()) == {10 * label}
        assert len(sample['data_samples'].view_seeds) == 1
    assert [int(dataset[i]['data_samples'].gt_label) for i in range(18)] == [0] * 4 + [1] * 6 + [2] * 8


def test_each_pass_of_an_epoch_has_its_own_views(root):
    dataset = LabelledImages(str(root), 3, pipeline=PIPELINE)
    dataset.pipeline.transforms[1].set_epoch(3, 1)
    seeds = [dataset[PassIndex(5, number)]['data_samples'].view_seeds for number in (0, 1, 2, 1)]
    assert seeds[0] == dataset[5]['data_samples'].view_seeds and seeds[1] == seeds[3]
    others = [dataset[i]['data_samples'].view_seeds for i in range(18)]
    assert seeds[0] != seeds[1] != seeds[2] and seeds[1] not in others and seeds[2] not in others
    assert dataset[PassIndex(5, 1)]['data_samples'].filename == dataset[5]['data_samples'].filename


def test_a_damaged_picture_is_replaced_by_another_with_its_own_label(root):
    (root / 'class 0' / '1.png').write_text('no picture')
    sample = LabelledImages(str(root), 3, pipeline=PIPELINE, test_mode=True)[1]
    assert sample['data_samples'].replaced and 'cannot identify' in sample['data_samples'].unreadable[0][1]
    assert int(sample['inputs'][0, 0, 0, 0, 0]) == 10 * int(sample['data_samples'].gt_label)


def test_balanced_part():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(4), [30, 40, 50, 80]))
    kept = class_balanced(labels, 4, .2, seed=1)  # .2 x 200 / 4 = 10 of each
    assert np.bincount(labels[kept]).tolist() == [10] * 4 and (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(kept, class_balanced(labels, 4, .2, seed=1))
    assert set(class_balanced(labels, 4, .1, seed=1)) < set(kept) != set(class_balanced(labels, 4, .2, seed=2))
    # Every picture of a class is as likely as another: 10 of 30 over 300 seeds.
    times = sum(np.isin(np.flatnonzero(labels == 0), class_balanced(labels, 4, .2, seed)) for seed in range(300))
    assert times.sum() == 3000 and 60 < times.min() and times.max() < 140


def test_share_is_logged_and_is_the_same_for_folders_and_list(root):
    logger, lines = MMLogger.get_instance('labelled_images'), []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    part = LabelledImages(str(root), 3, share=.5)  # 3 of each
    assert names(part) == names(LabelledImages(**listed(root), share=.5)) and len(part) == 9
    LabelledImages(str(root), 3)
    logger.removeHandler(handler)
    assert re.search(r'9 labelled images of .* \(share 0.5\): 3 of each of 3 classes', lines[0])
    assert re.search(r'18 labelled images of .* \(share 1\): 4 to 8 of each of 3 classes', lines[-1])


def test_missing_file_of_a_list(root):
    listing = listed(root)
    (root / 'class 2' / '5.png').unlink()
    (root / 'class 1' / '0.png').unlink()
    with pytest.raises(FileNotFoundError, match=r"2 of 18 files of 'list.txt' are missing, the first is "
                                                r"'.*class 1/0.png': put them there, or take"):
        LabelledImages(**listing)


def test_class_without_enough_images(root):
    with pytest.raises(ValueError, match=r"': class 0 has 4 pictures, fewer than the 5 that share=0.9 takes of each: "
                                         'lower the share'):
        LabelledImages(str(root), 3, share=.9)
    with pytest.raises(ValueError, match='share=0.01 of 18 pictures is less than one of each of 3 classes'):
        LabelledImages(str(root), 3, share=.01)


@pytest.mark.parametrize('line, message', [
    ('class 2/0.png 3', "'list.txt': .*class 2/0.png has the label 3, but num_classes=3 wants .* labels of 0 to 2"),
    ('class 2/0.png -1', 'no label; labels are whole numbers from 0')])
def test_labels_outside_the_classes(root, line, message):
    with pytest.raises(ValueError, match=message):
        LabelledImages(**listed(root, ['class 0/0.png 0', line]))


def test_list_without_labels(root):
    with pytest.raises(ValueError, match="'list.txt': .*0.png has no label, but num_classes=3 wants lines"):
        LabelledImages(**listed(root, ['class 0/0.png']))


def test_impossible_folders_and_shares(root, tmp_path):
    with pytest.raises(ValueError, match='holds 3 folders, one for each class, but num_classes is 4: set it to 3'):
        LabelledImages(str(root), 4)
    with pytest.raises(FileNotFoundError, match="There is no folder '.*nowhere': set `root` to the folder of your pic"):
        LabelledImages(str(tmp_path / 'nowhere'), 3)
    with pytest.raises(FileNotFoundError, match=r'hold no picture \(.tif\)'):
        LabelledImages(str(root), 3, extensions=('.tif',))
    for share in (0, 1.5):
        with pytest.raises(ValueError, match=rf'share must lie in \(0, 1\], got {share}'):
            LabelledImages(str(root), 3, share=share)
