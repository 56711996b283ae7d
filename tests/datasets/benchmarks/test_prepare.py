"""What is there, missing, unreadable or wrong; folders as people have them."""

import json
import os
import shutil
import sys

import pytest
from mmengine.config import Config

from iboot_mm.datasets.benchmarks import files, prepare
from iboot_mm.datasets.benchmarks.counts import OFFICIAL, ListCounts, describe
from iboot_mm.datasets.benchmarks.kinetics import read_kinetics

from ...scripts import TOOLS, load_tool
from ...videos import cut, moving_frames, write_sound, write_video
from . import trees
from .test_layout import AIR, LEGS, SWING

tool = load_tool('data/prepare')
CONFIGS = TOOLS.parent / 'configs'


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'root'


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out'


def kinetics_flat(root):
    """As the CVDF ships it: flat, with replacements of corrupted files apart."""
    trees.kinetics400(root)
    for part in ('train', 'val'):
        for path in list((root / part).glob('*/*')):
            path.rename(root / part / path.name)
        for folder in (root / part).glob('*/'):
            folder.rmdir()
    trees.put(root / 'replacement' / 'replacement_for_corrupted_k400' / f'{AIR}.mp4', b'replaced')
    for ours, theirs in (('train', 'train'), ('val', 'val')):
        (root / 'annotations' / f'kinetics_{ours}.csv').rename(root / 'annotations' / f'{theirs}.csv')


def test_flat_folders_and_replacements(root, out):
    kinetics_flat(root)
    prepare('kinetics400', root, out)
    assert (out / 'kinetics400_train_list_videos.txt').read_text().split()[::2] == [
        f'swing_dancing/{SWING}.mp4', f'air_drumming/{AIR}.mp4', f'swinging_legs/{LEGS}.mp4']
    assert (out / 'videos_train' / 'air_drumming' / f'{AIR}.mp4').read_bytes() == b'replaced'
    assert (out / 'videos_train' / 'swing_dancing' / f'{SWING}.mp4').read_bytes() == b'video'


def test_names_without_times(root, out):
    trees.kinetics400(root)
    (root / 'train' / 'air drumming' / f'{AIR}.mp4').rename(root / 'train' / f'{AIR[:11]}.mkv')
    prepare('kinetics400', root, out)
    assert f'air_drumming/{AIR}.mkv 0' in (out / 'kinetics400_train_list_videos.txt').read_text().splitlines()


def test_counts_beside_the_official_ones(root, out, capsys):
    trees.kinetics400(root)
    trees.put(root / 'test' / 'testtesttes_000000_000010.mp4')
    counts = prepare('kinetics400', root, out)
    assert counts == json.loads((out / 'counts.json').read_text())
    assert counts['lists']['kinetics400_train_list_videos.txt'] == dict(
        listed=3, annotated=404, missing=401, unreadable=None, truncated=None, official=246534)
    assert counts['lists']['kinetics400_val_list_videos.txt']['listed'] == 1
    said = capsys.readouterr().out
    assert 'kinetics400_train_list_videos.txt: 3 videos, 401 missing, not checked' in said
    assert 'Copies of this data set differ' in said and 'MMAction2 240436 and 19796' in said
    assert f'1 more videos below {root} are in none of these lists' in said
    left_out = (out / 'left_out.txt').read_text().splitlines()
    assert len(left_out) == 401 and 'missing: videos_train/air_drumming/gone________000000_000010' in left_out


@pytest.mark.parametrize('name, title, classes', [
    ('kinetics600', 'Kinetics-600', 600), ('kinetics700', 'Kinetics-700', 700),
    ('kinetics700_2020', 'Kinetics-700-2020', 700)])
def test_a_larger_kinetics_is_told_from_kinetics400(root, out, name, title, classes):
    trees.kinetics400(root)
    with pytest.raises(ValueError, match=f'name 400 classes, but {title} has {classes}'):
        prepare(name, root, out)
    clips = trees.K400_TRAIN + [(f'more {i:03d}', f'absent{i:05d}', 0, 10) for i in range(classes - 3)]
    (root / 'annotations').rename(root / name)
    (root / name / 'kinetics_val.csv').rename(root / name / 'validate.csv')
    (root / name / 'kinetics_train.csv').unlink()
    trees.put(root / name / 'train.csv', trees.kinetics_csv(clips))
    prepare(name, root, out)
    assert (out / f'{name}_train_list_videos.txt').read_text().splitlines() == [
        f'swing_dancing/{SWING}.mp4 {classes - 2}', f'air_drumming/{AIR}.mp4 0',
        f'swinging_legs/{LEGS}.mp4 {classes - 1}']
    assert (out / f'{name}_val_list_videos.txt').is_file()


def test_editions_of_kinetics_side_by_side_are_not_mixed_up(root):
    for number, name in enumerate(('kinetics400', 'kinetics600', 'kinetics700', 'kinetics700_2020')):
        for part in ('train', 'validate'):
            trees.put(root / name / f'{part}.csv', trees.kinetics_csv([(name, f'{part}{number:05d}', 0, 10)] * 2))
    for name in ('kinetics400', 'kinetics600', 'kinetics700', 'kinetics700_2020'):
        assert read_kinetics(root, name).classes == [name]
    with pytest.raises(FileNotFoundError, match='kinetics_train.csv in .* or its kinetics800, annotations'):
        read_kinetics(root, 'kinetics800')


@pytest.mark.parametrize('name, train, val, edition', [
    ('kinetics700', 545317, 35000, None), ('kinetics700', 542357, 34824, None), ('kinetics700', 401, 4, None),
    ('kinetics700', 545793, 34256, 'kinetics700_2020'), ('kinetics700', 542352, 34125, 'kinetics700_2020'),
    ('kinetics700_2020', 545793, 34256, None), ('kinetics700_2020', 545317, 35000, 'kinetics700'),
    ('kinetics600', 545793, 34256, None)])
def test_the_other_edition_of_kinetics700_is_told(name, train, val, edition):
    """Both have the same 700 classes; the annotation files of either have lost lines over the years."""
    lists = dict(zip(OFFICIAL[name].videos, (ListCounts(train, 3), ListCounts(val, 1))))
    said = [line for line in describe(name, lists) if 'as many lines' in line]
    assert [line.partition(' those of ')[2].partition(',')[0] for line in said] == ([edition] if edition else [])


def test_official_numbers_add_up():
    """The parts of each data set sum to the total that its authors give."""
    assert sum(OFFICIAL['kinetics400'].videos.values()) + 39805 == 306245
    assert sum(OFFICIAL['kinetics600'].videos.values()) + 72924 == 495547
    assert sum(OFFICIAL['kinetics700'].videos.values()) + 700 * 100 == 650317
    assert sum(OFFICIAL['kinetics700_2020'].videos.values()) + 67858 == 647907
    assert sum(OFFICIAL['ucf101'].videos.values()) == 3 * 13320
    assert sum(OFFICIAL['hmdb51'].videos.values()) == 3 * 51 * (70 + 30)
    assert sum(OFFICIAL['sthv2'].videos.values()) + 27157 == 220847


def real_videos(root):
    """UCF101's tree with real content: one whole video, one cut short, one empty, one of sound only."""
    trees.ucf101(root)
    paths = [root / 'UCF-101' / f'{video}.avi' for video in trees.UCF_VIDEOS]
    write_video(paths[0], moving_frames(40), codec='mpeg4')
    cut(paths[0], paths[1], .8)
    paths[2].write_bytes(b'')
    write_sound(root / 'sound.m4a')
    shutil.move(root / 'sound.m4a', paths[3])
    return paths


def test_check_leaves_out_what_cannot_be_read(root, out, capsys):
    real_videos(root)
    counts = prepare('ucf101', root, out, check=True, workers=1)
    assert (out / 'ucf101_train_split_1_videos.txt').read_text() == f'{trees.UCF_VIDEOS[1]}.avi 0\n'
    assert (out / 'ucf101_val_split_1_videos.txt').read_text() == f'{trees.UCF_VIDEOS[0]}.avi 0\n'
    assert counts['lists']['ucf101_train_split_1_videos.txt'] == dict(
        listed=1, annotated=2, missing=0, unreadable=1, truncated=1, official=9537)
    left_out = (out / 'left_out.txt').read_text()
    assert left_out.count('unreadable: ') == 2
    assert 'the file is empty (0 bytes)' in left_out and 'it has no video stream' in left_out
    assert 'results on them are not comparable' in capsys.readouterr().out


def test_a_stopped_check_goes_on_and_changed_files_are_checked_again(root, out, monkeypatch):
    paths = real_videos(root)
    done = []

    def serial(function, jobs, workers):
        for job in jobs:
            done.append(job.name)
            if len(done) == 3:
                raise KeyboardInterrupt
            yield function(job)

    monkeypatch.setattr(files, 'run_jobs', serial)
    with pytest.raises(KeyboardInterrupt):
        prepare('ucf101', root, out, check=True)
    assert not (out / 'counts.json').exists()
    log = out / 'checked.jsonl'
    log.write_text(log.read_text()[:-20])  # the second line was not whole yet
    done.clear()
    monkeypatch.setattr(files, 'run_jobs', lambda function, jobs, workers: [done.append(job.name) or function(job)
                                                                             for job in jobs])
    prepare('ucf101', root, out, check=True)
    assert done == [path.name for path in paths[1:]]
    done.clear()
    write_video(paths[2], moving_frames(20), codec='mpeg4')
    counts = prepare('ucf101', root, out, check=True)
    assert done == [paths[2].name]
    assert counts['lists']['ucf101_train_split_1_videos.txt']['unreadable'] == 0


def test_a_second_call_takes_up_what_has_come_and_a_resized_copy(root, out, tmp_path):
    trees.sthv2(root)
    hidden = tmp_path / '42326.webm'
    (root / '20bn-something-something-v2' / '42326.webm').rename(hidden)
    assert prepare('sthv2', root, out)['lists']['sthv2_train_list_videos.txt']['missing'] == 1
    hidden.rename(root / '42326.webm')
    prepare('sthv2', root, out)
    assert (out / 'sthv2_train_list_videos.txt').read_text() == '78687.webm 1\n42326.webm 0\n'
    for video in ('78687', '42326', '7'):
        trees.put(tmp_path / 'small' / f'{video}.mp4', b'resized')
    prepare('sthv2', tmp_path / 'small', out, annotations=root)
    assert (out / 'sthv2_train_list_videos.txt').read_text() == '78687.mp4 1\n42326.mp4 0\n'
    assert (out / 'videos' / '7.mp4').read_bytes() == b'resized'


def test_files_that_lie_where_the_links_would_go_stay(root):
    trees.sthv2(root)
    (root / '20bn-something-something-v2').rename(root / 'videos')
    for _ in range(2):
        prepare('sthv2', root, root)
        assert not (root / 'videos' / '7.webm').is_symlink()
        assert (root / 'sthv2_val_list_videos.txt').read_text() == '7.webm 0\n'


def test_a_link_to_another_copy_is_turned_and_another_file_is_refused(root, out, tmp_path):
    trees.sthv2(root)
    prepare('sthv2', root, out)
    shutil.copytree(root, tmp_path / 'copy')
    prepare('sthv2', tmp_path / 'copy', out)
    assert os.readlink(out / 'videos' / '7.webm').startswith(str(tmp_path / 'copy'))
    (out / 'videos' / '7.webm').unlink()
    trees.put(out / 'videos' / '7.webm', b'another')
    with pytest.raises(FileExistsError, match=r"7.webm' is another file than .*another --out"):
        prepare('sthv2', root, out)


def break_ucf_index(root):
    (root / 'ucfTrainTestlist' / 'classInd.txt').unlink()


def break_ucf_split(root):
    (root / 'ucfTrainTestlist' / 'testlist02.txt').unlink()


def break_ucf_class(root):
    trees.put(root / 'ucfTrainTestlist' / 'trainlist03.txt', 'Nothing/v_Nothing_g01_c01.avi 5\n')


def break_hmdb_split(root):
    (root / 'testTrainMulti_7030_splits' / 'cartwheel_test_split3.txt').unlink()


def break_hmdb_code(root):
    trees.put(root / 'testTrainMulti_7030_splits' / 'cartwheel_test_split3.txt', 'a.avi 7\n')


def break_csv(root):
    trees.put(root / 'annotations' / 'kinetics_val.csv', 'id,label\n1,a\n')


def break_csv_line(root):
    trees.put(root / 'annotations' / 'kinetics_val.csv', 'label,youtube_id,time_start,time_end\nair drumming,abc\n')


def break_csv_time(root):
    trees.put(root / 'annotations' / 'kinetics_val.csv', trees.kinetics_csv([('air drumming', 'abc', 'x', 10)]))


def break_csv_classes(root):
    trees.put(root / 'annotations' / 'kinetics_train.csv', trees.kinetics_csv(trees.K400_TRAIN))


def break_csv_text(root):
    file = root / 'annotations' / 'kinetics_val.csv'
    file.write_bytes(file.read_text().encode('utf-16'))


def break_json(root):
    trees.put(root / 'labels' / 'train.json', '[{"id": "7"')


def break_template(root):
    trees.put(root / 'labels' / 'train.json', '[{"id": "7", "template": "Doing [nothing]"}]')


def break_keys(root):
    trees.put(root / 'labels' / 'validation.json', '[{"video": "7"}]')


def break_numbers(root):
    trees.put(root / 'labels' / 'labels.json', '{"Doing something": "5"}')


def break_label(root):
    trees.put(root / 'Diving48_V2_test.json', '[{"vid_name": "x_00000", "label": 48}]')


@pytest.mark.parametrize('name, change, error, message', [
    ('ucf101', break_ucf_index, FileNotFoundError, 'There is no classInd.txt in .* or its ucfTrainTestlist'),
    ('ucf101', break_ucf_split, FileNotFoundError, 'There is no testlist02.txt in .*--annotations'),
    ('ucf101', break_ucf_class, ValueError, "trainlist03.txt' names the class 'Nothing', which is none of the 101"),
    ('hmdb51', break_hmdb_split, FileNotFoundError, "There is no cartwheel_test_split3.txt in '[^']*splits': unpack"),
    ('hmdb51', break_hmdb_code, ValueError, "cartwheel_test_split3.txt' gives a.avi the code '7'"),
    ('kinetics400', break_csv, ValueError, "kinetics_val.csv' has no column 'youtube_id'"),
    ('kinetics400', break_csv_line, ValueError, "Line 2 of '.*kinetics_val.csv' has too few columns"),
    ('kinetics400', break_csv_time, ValueError, 'gives the clip abc no start and end in seconds'),
    ('kinetics400', break_csv_text, ValueError, "Line 1 of '.*kinetics_val.csv' is no UTF-8 text"),
    ('kinetics400', break_csv_classes, ValueError, 'name 3 classes, but Kinetics-400 has 400'),
    ('sthv2', break_json, ValueError, "train.json' is no JSON .*download it again"),
    ('sthv2', break_template, ValueError, "names the class 'Doing nothing', which is none of the 174"),
    ('sthv2', break_keys, ValueError, "validation.json' should hold a list of entries with 'id' and 'template'"),
    ('sthv2', break_numbers, ValueError, "labels.json' does not number its classes from 0 without gaps"),
    ('diving48', break_label, ValueError, "V2_test.json' gives x_00000 the label 48; there are 48 classes"),
])
def test_annotation_files_that_cannot_be_used(name, change, error, message, root, out):
    trees.TREES[name](root)
    change(root)
    with pytest.raises(error, match=message) as caught:
        prepare(name, root, out)
    assert '\n' not in str(caught.value)
    assert not out.exists()


def test_a_wrong_root(root, out, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder '.*root': name the one that holds UCF101.rar"):
        prepare('ucf101', root, out)
    trees.ucf101(root)
    trees.put(tmp_path / 'other' / 'my_cat.mp4')
    with pytest.raises(FileNotFoundError, match=r"None of the 4 annotated videos is below '.*other', for example "
                                                r'videos/ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01'):
        prepare('ucf101', tmp_path / 'other', out, annotations=root)
    assert not out.exists()


def test_the_command(root, out, monkeypatch, capsys):
    trees.diving48(root)
    monkeypatch.setattr(sys, 'argv', ['prepare.py', 'diving48', str(root), '--out', str(out)])
    tool.main()
    assert capsys.readouterr().out.strip().endswith(f'{out}: ready')
    monkeypatch.setattr(sys, 'argv', ['prepare.py', 'diving48', str(root / 'nowhere')])
    with pytest.raises(SystemExit, match='prepare: There is no folder'):
        tool.main()


def ann_files(config) -> set[str]:
    """Every value of `ann_file` in a config."""
    if isinstance(config, dict):
        own = {config['ann_file']} if isinstance(config.get('ann_file'), str) else set()
        return own.union(*map(ann_files, config.values()))
    return set().union(*map(ann_files, config)) if isinstance(config, list | tuple) else set()


def test_the_configs_name_the_lists_that_come_out():
    lists = {f'data/{name}/{list_name}' for name, official in OFFICIAL.items() for list_name in official.videos}
    lists |= {f'data/kinetics400/kinetics400_train_{share}pct_list_videos.txt' for share in (1, 10)}
    configs = [*(CONFIGS / 'downstream').glob('*.py'), *(CONFIGS / 'baselines').glob('*_k[67]00.py'),
               CONFIGS / 'iboot_r50_clip_k600.py']
    named = set().union(*(ann_files(Config.fromfile(path).to_dict()) for path in configs))
    assert named <= lists and len(named) >= 12
