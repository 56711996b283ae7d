"""Weizmann, UT-Interaction and KTH: archives without lists, which are split by person or by sequence."""

import collections
import re

import pytest

from iboot_mm.datasets import VideoFolder
from iboot_mm.datasets.benchmarks import prepare
from iboot_mm.datasets.benchmarks.counts import OFFICIAL
from iboot_mm.datasets.benchmarks.kth import read_sequences

from . import trees

PEOPLE = ['daria', 'denis', 'eli', 'ido', 'ira', 'lena', 'lyova', 'moshe', 'shahar']
ACTIONS = ['bend', 'jack', 'jump', 'pjump', 'run', 'side', 'skip', 'walk', 'wave1', 'wave2']
MOVES = ['boxing', 'handclapping', 'handwaving', 'jogging', 'running', 'walking']
SEQUENCES = ('Training:\tperson11, 12, 13, 14, 15, 16, 17, 18\nValidation:\tperson19, 20, 21, 23, 24, 25, 01, 04\n'
             'Test:\tperson22, 02, 03, 05, 06, 07, 08, 09, 10\n\n'
             'person01_boxing_d1\t\tframes\t1-95, 96-185, 186-245, 246-360\r\n'
             'person25_walking_d4\tframes\t 1-75,  115-202\n')


def weizmann(root):
    """93 files: Lena runs, skips and walks twice."""
    for action in ACTIONS:
        for person in PEOPLE:
            twice = person == 'lena' and action in ('run', 'skip', 'walk')
            for take in ('1', '2') if twice else ('', ):
                trees.put(root / action / f'{person}_{action}{take}.avi')
    trees.put(root / 'backgrounds' / 'bg_015.avi')


def ut_interaction(root):
    """60 clips a set; of sequence 6 five and of sequence 8 seven."""
    sequences = [sequence for sequence in range(1, 21) for _ in range({6: 5, 8: 7}.get(sequence, 6))]
    for number, sequence in enumerate(sequences):
        trees.put(root / f'segmented_set{1 + (sequence > 10)}' / f'{number % 60}_{sequence}_{number % 6}.avi')


def kth(root):
    for action in MOVES:
        for person in range(1, 26):
            for setting in range(1, 5):
                if (person, action, setting) != (13, 'handclapping', 3):
                    trees.put(root / action / f'person{person:02d}_{action}_d{setting}_uncomp.avi')
    trees.put(root / '00sequences.txt', SEQUENCES)


TREES = dict(weizmann=weizmann, ut_interaction=ut_interaction, kth=kth)
WHO = dict(weizmann=r'/([a-z]+)_', ut_interaction=r'_(\d+)_', kth=r'person(\d+)_')


def read(folder, part):
    return [line.split() for line in (folder / part).read_text().splitlines()]


@pytest.mark.parametrize('name', TREES)
def test_lists_are_whole_and_nobody_is_on_both_sides(name, tmp_path, capsys):
    root, out = tmp_path / 'root', tmp_path / 'out'
    TREES[name](root)
    lists = prepare(name, root, out)['lists']
    assert {part: counts['listed'] for part, counts in lists.items()} == OFFICIAL[name].videos
    assert all(counts['missing'] == 0 for counts in lists.values())
    assert 'not the official counts' not in capsys.readouterr().out
    names = (out / 'label_map.txt').read_text().splitlines()
    who, tested = {}, collections.Counter()
    for part in lists:
        lines = read(out, part)
        assert all(path.split('/')[0] == names[int(label)] for path, label in lines)
        who[part] = {re.search(WHO[name], path)[1] for path, _ in lines}
        tested.update(path for path, _ in lines if 'val' in part or 'test' in part)
    for train in (part for part in lists if '_train_' in part):
        for other in [train.replace('train', 'val'), train.replace('train', 'test')]:
            assert other not in who or not who[train] & who[other]
    if name != 'kth':  # every video is tested in one split
        assert set(tested.values()) == {1} and len(tested) == {'weizmann': 90, 'ut_interaction': 120}[name]
    part, counts = next(iter(lists.items()))
    videos = VideoFolder(str(out / 'videos'), str(out / part), lazy_init=True).load_data_list()
    assert len(videos) == counts['listed']


def test_weizmann_takes_the_first_of_two(tmp_path):
    weizmann(tmp_path / 'root')
    prepare('weizmann', tmp_path / 'root', tmp_path / 'out')
    assert (tmp_path / 'out' / 'videos' / 'walk' / 'lena_walk.avi').resolve().name == 'lena_walk1.avi'
    assert ['wave2/lyova_wave2.avi', '9'] in read(tmp_path / 'out', 'weizmann_val_split_1_videos.txt')


def test_ut_interaction_reads_the_names(tmp_path):
    ut_interaction(tmp_path / 'root')
    prepare('ut_interaction', tmp_path / 'root', tmp_path / 'out')
    assert ['push/5_1_5.avi', '5'] in read(tmp_path / 'out', 'ut_interaction_val_split_2_videos.txt')
    trees.put(tmp_path / 'root' / '3_21_2.avi')
    with pytest.raises(ValueError, match='holds 3_21_2, of sequence 21 and class 2; .* the sequences 1 to 20'):
        prepare('ut_interaction', tmp_path / 'root', tmp_path / 'other')
    trees.put(tmp_path / 'cats' / 'my_cat.avi')
    with pytest.raises(FileNotFoundError, match='is named like 0_1_4.avi'):
        prepare('ut_interaction', tmp_path / 'cats', tmp_path / 'other')


def test_kth_s_split_and_sequences(tmp_path):
    root, out = tmp_path / 'root', tmp_path / 'out'
    kth(root)
    prepare('kth', root, out)
    # the official file's own words on who is in which part
    for words, part in (('Training', 'train'), ('Validation', 'val'), ('Test', 'test')):
        people = {int(number) for number in re.findall(r'\d+', re.search(f'{words}:(.*)', SEQUENCES)[1])}
        assert {int(path.split('person')[1][:2]) for path, _ in read(out, f'kth_{part}_list_videos.txt')} == people
    assert sorted(read(out, 'kth_trainval_list_videos.txt')) == sorted(
        read(out, 'kth_train_list_videos.txt') + read(out, 'kth_val_list_videos.txt'))
    assert read_sequences(out / '00sequences.txt') == {
        'person01_boxing_d1': [(1, 95), (96, 185), (186, 245), (246, 360)],
        'person25_walking_d4': [(1, 75), (115, 202)]}


@pytest.mark.parametrize('text, message', [('Not found', "has no line such as 'person01_boxing_d1"),
                                           ('person01_boxing_d1 frames 9-1', 'end before it begins')])
def test_another_sequences_file(text, message, tmp_path):
    kth(tmp_path / 'root')
    trees.put(tmp_path / 'root' / '00sequences.txt', text)
    with pytest.raises(ValueError, match=message):
        prepare('kth', tmp_path / 'root', tmp_path / 'out')
