"""Tasks from folders, lists, torchvision and scikit-learn: which images are in them, and what is said of bad ones."""

import struct
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from iboot_mm.datasets.images.tasks import draw_task, open_task, to_square

from ...videos import cut, moving_frames, write_video


def write_images(folder, counts: dict[str, int], start: int = 0) -> None:
    """Images of one colour each, whose red says which one it is."""
    number = start
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            Image.new('RGB', (6, 4), (number, 0, 0)).save(folder / name / f'{number:03}.png')
            number += 1


def reds(task, part: str) -> list[int]:
    return task.load(part, 2)[0][:, 0, 0, 0].tolist()


def test_of_one_folder_the_images_that_are_not_drawn_are_tested(tmp_path):
    write_images(tmp_path, dict(cat=12, ant=20))
    task, again, other = (open_task(f'natural:pets={tmp_path}', 15, seed) for seed in (3, 3, 4))
    assert (task.name, task.group) == ('pets', 'natural')
    drawn, tested = reds(task, 'train'), reds(task, 'test')
    assert len(drawn) == 15 and sorted(drawn + tested) == list(range(32))
    assert drawn == reds(again, 'train') != sorted(drawn) and task.identity == again.identity
    assert drawn != reds(other, 'train') and task.identity != other.identity
    labels = torch.cat([task.load(part, 2)[1] for part in ('train', 'test')]).tolist()
    assert Counter(labels) == {0: 20, 1: 12}  # in the order of names: ant, cat
    assert all(label == (red < 12) for red, label in zip(drawn + tested, labels))
    write_images(tmp_path, dict(cat=1), 99)
    assert open_task(f'natural:pets={tmp_path}', 15, 3).identity != task.identity


def test_an_official_split_is_kept(tmp_path):
    write_images(tmp_path / 'train', dict(a=5, b=5))
    write_images(tmp_path / 'test', dict(a=2, b=1), 50)
    task = open_task(str(tmp_path), 10)
    assert (task.name, task.group) == (tmp_path.name, 'ungrouped')
    assert sorted(reds(task, 'train')) == list(range(10)) and reds(task, 'test') == [50, 51, 52]
    (tmp_path / 'test' / 'c').mkdir()
    with pytest.raises(ValueError, match='class c is in only one of train and test'):
        open_task(str(tmp_path), 10)


def test_lists_may_name_images_and_videos(tmp_path, monkeypatch):
    write_images(tmp_path / 'images', {'': 4})
    frames = np.repeat(np.arange(9, dtype=np.uint8) * 25, 16 * 16 * 3).reshape(9, 16, 16, 3)
    write_video(tmp_path / 'images' / 'clip one.mp4', frames)
    (tmp_path / 'train.txt').write_text('000.png 1\n001.png 0\nclip one.mp4 1\n')
    (tmp_path / 'test.txt').write_text('002.png 0\n003.png 1\n')
    task = open_task(f'x:{tmp_path}/train.txt,{tmp_path}/test.txt@{tmp_path}/images', 3)
    assert task.name == 'train' and reds(task, 'test') == [2, 3] and task.load('test', 2)[1].tolist() == [0, 1]
    by_label = sorted(zip(task.load('train', 2)[1].tolist(), reds(task, 'train')))
    assert by_label[:2] == [(0, 1), (1, 0)] and by_label[2][1] == pytest.approx(100, abs=2)  # frame 4 of 9
    (tmp_path / 'images' / 'all.txt').write_text('000.png 1\n001.png 0\n')
    assert len(open_task(f'{tmp_path}/images/all.txt', 1).test) == 1
    monkeypatch.chdir(tmp_path / 'images')
    assert len(open_task('all.txt', 1).test) == 1


@pytest.mark.parametrize('text, error, words', [
    ('000.png 0\nnope.png 1\n', FileNotFoundError, "1 of 2 files of '.*all.txt' are missing, the first is '.*nope.png"),
    ('000.png\n001.png\n', ValueError, "has no labels: a task needs lines 'path label'"),
    ('', ValueError, 'is empty'),
    ('000.png 0\n', ValueError, 'has 1 images to draw from, but 1 labelled ones are asked for, and at least one must'),
])
def test_bad_lists(tmp_path, text, error, words):
    write_images(tmp_path, {'': 2})
    (tmp_path / 'all.txt').write_text(text)
    with pytest.raises(error, match=words):
        open_task(f'{tmp_path}/all.txt', 1)


def test_lists_that_share_an_image_and_too_many(tmp_path):
    write_images(tmp_path, {'': 3})
    for name, image in (('a', 0), ('b', 1), ('c', 2)):
        (tmp_path / f'{name}.txt').write_text(f'00{image}.png 0\n')
    places = [f'{tmp_path}/{name}.txt' for name in 'abc']
    with pytest.raises(ValueError, match="000.png' is in both of them"):
        open_task(f'{places[0]},{places[0]}', 1)
    with pytest.raises(ValueError, match='3 are too many'):
        open_task(','.join(places), 1)


def test_images_that_cannot_be_read_are_named(tmp_path):
    write_images(tmp_path, dict(a=3))
    write_video(tmp_path / 'whole.mp4', moving_frames(8))
    cut(tmp_path / 'whole.mp4', tmp_path / 'a' / '000.mp4', .02)
    (tmp_path / 'a' / '001.png').write_bytes(b'no image')
    (tmp_path / 'list.txt').write_text('a/000.mp4 0\na/002.png 0\n')
    for spec, name in ((str(tmp_path), '001.png'), (f'{tmp_path}/list.txt', '000.mp4')):
        with pytest.raises(ValueError, match=f'{name} cannot be read .*: replace it, or take it out of its task'):
            task = open_task(spec, 1)
            reds(task, 'train'), reds(task, 'test')


def test_scikit_learns_digits():
    task = open_task('structured:sklearn.digits')
    assert (task.name, task.group, len(task.train), len(task.test)) == ('digits', 'structured', 1000, 797)
    images, labels = task.load('test', 8)
    assert images.min() == 0 and images.max() == 255 and sorted(labels.unique().tolist()) == list(range(10))
    assert torch.equal(images[:, 0], images[:, 2])


def write_mnist(folder, part: str, count: int) -> None:
    images = np.arange(count, dtype=np.uint8).repeat(28 * 28)
    (folder / f'{part}-images-idx3-ubyte').write_bytes(struct.pack('>4i', 0x803, count, 28, 28) + images.tobytes())
    labels = (np.arange(count) % 3).astype(np.uint8)
    (folder / f'{part}-labels-idx1-ubyte').write_bytes(struct.pack('>2i', 0x801, count) + labels.tobytes())


def test_a_torchvision_data_set_with_train_and_test(tmp_path):
    (tmp_path / 'MNIST' / 'raw').mkdir(parents=True)
    write_mnist(tmp_path / 'MNIST' / 'raw', 'train', 9)
    write_mnist(tmp_path / 'MNIST' / 'raw', 't10k', 4)
    task = open_task(f'natural:torchvision.MNIST={tmp_path}', 9)
    assert (task.name, task.group) == ('MNIST', 'natural')
    assert sorted(reds(task, 'train')) == list(range(9)) and reds(task, 'test') == [0, 1, 2, 3]
    assert task.load('test', 2)[1].tolist() == [0, 1, 2, 0]


def test_of_torchvision_the_validation_images_are_learned_from(tmp_path):
    folder = tmp_path / 'dtd' / 'dtd'
    write_images(folder / 'images', dict(dots=3, lines=3))
    (folder / 'labels').mkdir()
    for split, names in dict(train=('dots/000', 'lines/003'), val=('dots/001', 'lines/004'),
                             test=('dots/002', 'lines/005')).items():
        (folder / 'labels' / f'{split}1.txt').write_text(''.join(f'{name}.png\n' for name in names))
    task = open_task(f'torchvision.DTD={tmp_path}', 4)
    assert sorted(reds(task, 'train')) == [0, 1, 3, 4] and reds(task, 'test') == [2, 5]


def test_a_torchvision_data_set_without_a_split(tmp_path):
    write_images(tmp_path / 'eurosat' / '2750', dict(River=3, Forest=3))
    task = open_task(f'specialized:torchvision.EuroSAT={tmp_path}', 4)
    assert len(task.test) == 2 and sorted(reds(task, 'train') + reds(task, 'test')) == list(range(6))


@pytest.mark.parametrize('spec, error, words', [
    ('torchvision.CIFAR100=nowhere', FileNotFoundError, 'cannot open CIFAR100 in nowhere .*nothing is downloaded here'),
    ('torchvision.CIFAR1000=nowhere', ValueError, 'torchvision has no data set CIFAR1000'),
    ('torchvision.folder=nowhere', ValueError, 'torchvision has no data set folder that lies'),
    ('torchvision.FakeData=nowhere', ValueError, 'torchvision has no data set FakeData that lies in a folder'),
    ('', ValueError, "'' is no task: give"),
    ('natural:nowhere', FileNotFoundError, 'there is no folder of images nowhere: a task is a folder, one or two'),
    ('nowhere.txt', FileNotFoundError, "There is no list 'nowhere.txt'"),
    ('sklearn.digits', ValueError, 'task digits has 1797 images to draw from, but 1797 .* lower --examples'),
])
def test_tasks_that_are_not_there(spec, error, words):
    with pytest.raises(error, match=words):
        open_task(spec, 1797)


def test_tensors_are_a_task_too_and_labels_must_be_whole_numbers():
    images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 3, 8, 8).contiguous()
    task = draw_task('mine', 'g', [TensorDataset(images, torch.arange(5)), TensorDataset(images, torch.arange(5))], 3)
    squares, labels = task.load('train', 8)
    assert squares.shape == (3, 3, 8, 8) and squares[:, 0, 0, 0].tolist() == labels.tolist()
    assert reds(task, 'test') == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match=r'task mine: the label None is no whole number'):
        draw_task('mine', 'g', [[(images[0], None)] * 2], 1)


def test_squares_keep_all_of_an_image_whatever_its_shape():
    image = np.zeros((10, 40), np.uint8)
    image[:, :10], image[:, 30:] = 200, 100
    square = to_square(Image.fromarray(image), 20)
    assert square.shape == (3, 20, 20) and square.dtype == torch.uint8
    assert square[1, 9, [0, 3, 7, 12, 16, 19]].tolist() == [200, 200, 0, 0, 100, 100]
