"""Each benchmark's lists, folders and class names, from trees of the official shape."""

import importlib.util
import shutil
from pathlib import Path

import mmaction
import pytest
from mmaction.datasets import VideoDataset

from iboot_mm.datasets import VideoFolder
from iboot_mm.datasets.benchmarks import prepare

from . import trees

AIR, SWING, LEGS = '0123456789A_000003_000013', '-abcdefghij_000010_000020', '_bcd-fghijk_001200_001210'
# Class indices follow the sorted names: air drumming 0, class 000 to 396, swing dancing 398, swinging legs 399.
EXPECTED = dict(
    kinetics400={
        'kinetics400_train_list_videos.txt': [f'swing_dancing/{SWING}.mp4 398', f'air_drumming/{AIR}.mp4 0',
                                              f'swinging_legs/{LEGS}.mp4 399'],
        'kinetics400_val_list_videos.txt': ['air_drumming/valvalvalva_000007_000017.mp4 0']},
    ucf101={
        'ucf101_train_split_1_videos.txt': [f'{trees.UCF_VIDEOS[1]}.avi 0', f'{trees.UCF_VIDEOS[2]}.avi 1'],
        'ucf101_val_split_1_videos.txt': [f'{trees.UCF_VIDEOS[0]}.avi 0', f'{trees.UCF_VIDEOS[3]}.avi 1'],
        'ucf101_train_split_3_videos.txt': [f'{trees.UCF_VIDEOS[0]}.avi 0', f'{trees.UCF_VIDEOS[1]}.avi 0'],
        'ucf101_val_split_3_videos.txt': [f'{trees.UCF_VIDEOS[2]}.avi 1', f'{trees.UCF_VIDEOS[3]}.avi 1']},
    hmdb51={
        'hmdb51_train_split_1_videos.txt': [
            'brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.avi 0',
            'cartwheel/(Rad)Schlag_die_Bank!_cartwheel_f_cm_np1_le_med_0.avi 1'],
        'hmdb51_val_split_1_videos.txt': ['brush_hair/Aussie_brush_hair_f_cm_np2_ri_goo_3.avi 0'],
        'hmdb51_val_split_2_videos.txt': [],
        'hmdb51_val_split_3_videos.txt': ['brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.avi 0']},
    sthv2={'sthv2_train_list_videos.txt': ['78687.webm 1', '42326.webm 0'], 'sthv2_val_list_videos.txt': ['7.webm 0']},
    diving48={'diving48_train_list_videos.txt': ['_8Vy3dlHg2w_00000.mp4 39', '_8Vy3dlHg2w_00001.mp4 0'],
              'diving48_val_list_videos.txt': ['x_00000.mp4 47']})
CLASSES = dict(kinetics400=sorted(trees.K400_CLASSES), ucf101=trees.UCF_CLASSES, hmdb51=trees.HMDB_CLASSES,
               sthv2=trees.SSV2_CLASSES, diving48=[' '.join(words) for words in trees.DIVING_WORDS])


def folder_of(list_name: str) -> str:
    if not list_name.startswith('kinetics'):
        return 'videos'
    return 'videos_train' if '_train_' in list_name else 'videos_val'


@pytest.mark.parametrize('name', list(EXPECTED))
def test_lists_links_and_class_names(name, tmp_path):
    trees.TREES[name](tmp_path / 'root')
    out = tmp_path / 'out'
    prepare(name, tmp_path / 'root', out)
    for list_name, lines in EXPECTED[name].items():
        assert (out / list_name).read_text().splitlines() == lines
        for line in lines:
            video = out / folder_of(list_name) / line.split()[0]
            assert video.is_symlink() and video.resolve().is_relative_to(tmp_path / 'root')
            assert video.read_bytes() == b'video'
    assert (out / 'label_map.txt').read_text().splitlines() == CLASSES[name]
    assert not list(out.rglob('*.partial'))


@pytest.mark.parametrize('name', ['kinetics400', 'hmdb51', 'sthv2'])
def test_both_data_sets_read_the_lists(name, tmp_path):
    trees.TREES[name](tmp_path / 'root')
    prepare(name, tmp_path / 'root', tmp_path)
    for list_name, lines in EXPECTED[name].items():
        if not lines:
            continue
        ann_file, root = str(tmp_path / list_name), str(tmp_path / folder_of(list_name))
        stock = VideoDataset(ann_file=ann_file, pipeline=[], data_prefix=dict(video=root), serialize_data=False)
        ours = VideoFolder(root, ann_file, serialize_data=False)
        read = [(stock[i]['filename'], stock[i]['label']) for i in range(len(stock))]
        assert read == [(item['filename'], item['labels']['label']) for item in ours.load_data_list()]
        assert all(Path(path).is_file() for path, _ in read) and len(read) == len(lines)


def mmaction2_parsers():
    """The scripts that MMAction2's wheel carries along."""
    path = Path(mmaction.__file__).parent / '.mim' / 'tools' / 'data' / 'parse_file_list.py'
    spec = importlib.util.spec_from_file_location('parse_file_list', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('name', list(EXPECTED))
def test_mmaction2_s_own_tools_give_the_same_lists(name, tmp_path, monkeypatch):
    """Its tools read `data/NAME/annotations` and match files by their paths below the folder of videos."""
    trees.TREES[name](tmp_path / 'root')
    prepare(name, tmp_path / 'root', tmp_path / 'data' / name)
    own = tmp_path / 'data' / name / 'annotations'
    sources = dict(kinetics400='annotations', ucf101='ucfTrainTestlist', hmdb51='testTrainMulti_7030_splits',
                   sthv2='labels', diving48='.')
    own.mkdir()
    for file in (tmp_path / 'root' / sources[name]).glob('*.*'):
        target = f'something-something-v2-{file.name}' if name == 'sthv2' else file.name
        shutil.copyfile(file, own / target)
    for class_name in trees.HMDB_CLASSES if name == 'hmdb51' else ():  # it takes the classes from the folders
        (tmp_path / 'data' / name / 'videos' / class_name).mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    parsers = mmaction2_parsers()
    splits = dict(
        kinetics400=lambda: parsers.parse_kinetics_splits(2, name), ucf101=lambda: parsers.parse_ucf101_splits(2),
        hmdb51=lambda: parsers.parse_hmdb51_split(2), sthv2=lambda: parsers.parse_sthv2_splits(1),
        diving48=parsers.parse_diving48_splits)[name]()
    compared = 0
    for number, split in enumerate(splits, 1):
        for part, entries in zip(('train', 'val'), split):
            list_name = f'{name}_{part}_split_{number}' if len(splits) == 3 else f'{name}_{part}_list'
            lines = (tmp_path / 'data' / name / f'{list_name}_videos.txt').read_text().splitlines()
            folder = tmp_path / 'data' / name / folder_of(list_name)
            there = [path.relative_to(folder).with_suffix('').as_posix() for path in folder.rglob('*.*')]
            assert [f'{line.rpartition(".")[0]} {line.split()[1]}' for line in lines] == [
                f'{path} {label}' for path, label in entries if path in there]
            compared += len(lines)
    assert compared >= 3
