"""VTAB's splits of trees of the archives' shape: which images are learned from, and which are tested."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from iboot_mm.datasets.images.image_files import ImageFiles
from iboot_mm.datasets.images.tasks import open_task
from iboot_mm.datasets.images.vtab import open_vtab, tfds_hash

SUN = ('/a/abbey/sun_1.jpg', '/a/abbey/sun_2.jpg', '/c/church/outdoor/sun_3.jpg', '/c/church/indoor/sun_4.jpg',
       '/a/abbey/sun_5.jpg', '/c/church/outdoor/sun_6.jpg')
BROKEN = '/c/church/outdoor/sun_bhenjvsvrtumjuri.jpg'


def fill(folder: Path, names) -> None:
    """Files without content, whose names alone matter here."""
    for name in names:
        path = folder / name.lstrip('/')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def files(part: ImageFiles) -> dict[str, int]:
    """Class of each image by its name in its folder."""
    found = {'/'.join(Path(path).parts[-2:]): label for path, label in part.entries}
    assert len(found) == len(part)
    return found


def write_sun(folder: Path) -> None:
    fill(folder / 'SUN397', SUN)
    for part, names in dict(tr=(*SUN[:2], BROKEN), va=SUN[2:3], te=SUN[3:]).items():
        (folder / f'sun397_tfds_{part}.txt').write_text(''.join(f'{name}\n' for name in names))


def test_hashes_are_those_of_tensorflow_datasets():
    """The numbers stand in its own test of ``core/hashing.py``, which has an empty salt."""
    assert tfds_hash('', '0') == 276215275525073243129443018166533317850
    assert tfds_hash('', '123455678901234567890') == 6876359009333865997613257802033240610


@pytest.mark.parametrize('kind, root', [
    ('EuroSAT', 'eurosat/2750'), ('EuroSAT', '2750'), ('RESISC45', 'NWPU-RESISC45')])
def test_the_last_fifth_by_hash_is_tested(tmp_path, kind, root):
    names = [f'{scene}/{scene}_{number}.jpg' for scene in ('River', 'Forest') for number in range(1, 26)]
    fill(tmp_path / root, names)
    learned, tested = map(files, open_vtab(kind, tmp_path))
    keys = {name: hashlib.md5(b'train' + name.replace('/', '_').encode()).hexdigest() for name in names}
    assert set(tested) == set(sorted(names, key=keys.get)[40:]) and set(learned) == set(names) - set(tested)
    assert all(label == name.startswith('River') for name, label in {**learned, **tested}.items())


def test_of_caltech_30_of_each_class_are_learned_from(tmp_path):
    names = [f'{name}/image_{number:04}.jpg' for name, count in dict(ant=31, BACKGROUND_Google=45, Faces=70).items()
             for number in range(1, count + 1)]
    fill(tmp_path / 'caltech101' / '101_ObjectCategories', names)
    learned, tested = map(files, open_vtab('Caltech101', tmp_path))
    assert Counter(learned.values()) == {0: 30, 1: 30, 2: 30} and Counter(tested.values()) == {0: 15, 1: 40, 2: 1}
    assert {**learned, **tested}.keys() == set(names) and not learned.keys() & tested.keys()
    again = open_vtab('Caltech101', tmp_path / 'caltech101' / '101_ObjectCategories')
    assert list(map(files, again)) == [learned, tested]
    first = {int(name[-8:-4]) for name in learned if name.startswith('Faces')}
    assert first != set(range(1, 31))  # drawn, not cut off


def test_suns_lists_are_tensorflow_datasets(tmp_path):
    write_sun(tmp_path)
    learned, tested = map(files, open_vtab('SUN397', tmp_path))
    assert learned == {'abbey/sun_1.jpg': 0, 'abbey/sun_2.jpg': 0, 'outdoor/sun_3.jpg': 2}  # but for the broken one
    assert tested == {'indoor/sun_4.jpg': 1, 'abbey/sun_5.jpg': 0, 'outdoor/sun_6.jpg': 2}


def test_as_a_task(tmp_path):
    for number in range(10):
        path = tmp_path / '2750' / 'River' / f'River_{number}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (4, 4), (25 * number, 0, 0)).save(path)
    task = open_task(f'specialized:vtab.EuroSAT={tmp_path}', 8)
    assert (task.name, task.group, len(task.train), len(task.test)) == ('EuroSAT', 'specialized', 8, 2)
    assert task.load('test', 2)[0].shape == (2, 3, 2, 2)


def few_caltech(folder):
    fill(folder / '101_ObjectCategories', [f'ant/{number}.jpg' for number in range(30)])


def sun_without_an_image(folder):
    write_sun(folder)
    (folder / 'SUN397' / SUN[3][1:]).unlink()


def sun_without_a_list(folder):
    write_sun(folder)
    (folder / 'sun397_tfds_va.txt').unlink()


def sun_with_another_list(folder):
    write_sun(folder)
    (folder / 'sun397_tfds_te.txt').write_text('a/abbey/sun_5.jpg\n')


@pytest.mark.parametrize('kind, write, error, words', [
    ('Cars', None, ValueError, 'vtab.Cars is none of vtab.Caltech101, vtab.EuroSAT'),
    ('EuroSAT', None, FileNotFoundError, "there is no '.*2750': name the folder in which the archive was unpacked"),
    ('Caltech101', few_caltech, ValueError, 'ant has 30 images, but VTAB learns from 30 of each class and tests'),
    ('SUN397', sun_without_an_image, FileNotFoundError, "1 of 3 files of 'sun397_tfds_te.txt' are missing, .*sun_4"),
    ('SUN397', sun_without_a_list, FileNotFoundError, 'so copy sun397_tfds_va.txt from tensorflow_datasets/image_cl'),
    ('SUN397', sun_with_another_list, ValueError, "te.txt': 'a/abbey/sun_5.jpg' is no line of it as published"),
])
def test_what_is_not_there_is_named(tmp_path, kind, write, error, words):
    if write is not None:
        write(tmp_path)
    with pytest.raises(error, match=words) as told:
        open_vtab(kind, tmp_path)
    assert len(str(told.value).splitlines()) == 1
