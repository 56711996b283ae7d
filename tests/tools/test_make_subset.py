import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from mmaction.datasets import VideoDataset

from ..scripts import load_tool

subset = load_tool('data/make_subset')

SIZES = [1, 4, 49, 50, 150, 250, 1000]  # videos of each class


@pytest.fixture
def whole(tmp_path) -> Path:
    path = tmp_path / 'train.txt'
    path.write_text(''.join(f'class_{label}/v{label}_{i:04d}.mp4 {label}\n'
                            for label, size in enumerate(SIZES) for i in range(size)))
    return path


def read(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.parametrize('share, expected', [(.01, [1, 1, 1, 1, 2, 3, 10]), (.1, [1, 1, 5, 5, 15, 25, 100]),
                                             (1, SIZES)])
def test_every_class_gives_its_share_and_one_video_at_least(whole, tmp_path, share, expected):
    message = subset.make(whole, tmp_path / 'part.txt', share)
    lines = read(tmp_path / 'part.txt')
    counts = Counter(int(line.split()[1]) for line in lines)
    assert [counts[label] for label in range(len(SIZES))] == expected
    assert f'{len(lines)} of {sum(SIZES)} videos' in message and f'of {min(expected)} to {max(expected)}' in message
    assert [line for line in read(whole) if line in set(lines)] == lines  # the list's own lines, in its order


def test_the_names_of_the_files_decide_and_nothing_else(whole, tmp_path):
    subset.make(whole, tmp_path / 'part.txt', .1)
    names = {Path(line.split()[0]).stem for line in read(tmp_path / 'part.txt')}
    lines = read(whole)
    random.Random(1).shuffle(lines)
    moved = tmp_path / 'moved.txt'
    moved.write_text(''.join(f'elsewhere/{Path(line.split()[0]).stem}.webm {line.split()[1]}\n' for line in lines))
    subset.make(moved, tmp_path / 'again.txt', .1)
    assert {Path(line.split()[0]).stem for line in read(tmp_path / 'again.txt')} == names
    lacking = tmp_path / 'lacking.txt'  # a copy without every tenth video
    lacking.write_text('\n'.join(line for i, line in enumerate(read(whole)) if i % 10) + '\n')
    subset.make(lacking, tmp_path / 'less.txt', .1)
    less = {Path(line.split()[0]).stem for line in read(tmp_path / 'less.txt')}
    assert len(less & names) > .9 * len(less)


def test_the_subset_that_the_published_results_name(whole, tmp_path):
    """Pinned (by sha256sum): another choice for the same seed would make results of two versions incomparable."""
    subset.make(whole, tmp_path / 'part.txt', .01)
    assert read(tmp_path / 'part.txt')[:6] == [
        'class_0/v0_0000.mp4 0', 'class_1/v1_0003.mp4 1', 'class_2/v2_0034.mp4 2', 'class_3/v3_0014.mp4 3',
        'class_4/v4_0007.mp4 4', 'class_4/v4_0034.mp4 4']


def test_a_smaller_share_is_a_part_of_a_larger_one_and_seeds_differ(whole, tmp_path):
    parts = {}
    for name, share, seed in (('one', .01, 0), ('ten', .1, 0), ('other', .1, 1)):
        subset.make(whole, tmp_path / name, share, seed)
        parts[name] = set(read(tmp_path / name))
    assert parts['one'] < parts['ten']
    assert len(parts['ten'] & parts['other']) < .4 * len(parts['ten'])


def test_one_of_several_labels(tmp_path):
    whole, part = tmp_path / 'two.txt', tmp_path / 'part.txt'
    whole.write_text(''.join(f'a b {i}.mp4 {i % 2} {i % 5}\n' for i in range(100)))
    subset.make(whole, part, .2, labels=['digit', 'motion'], by='motion')
    assert set(read(part)) < set(read(whole))
    assert Counter(line.split()[-1] for line in read(part)) == {str(i): 4 for i in range(5)}
    with pytest.raises(ValueError, match='has no label speed: it has digit, motion'):
        subset.make(whole, part, .2, labels=['digit', 'motion'], by='speed')


def test_mmaction2_reads_the_subset(whole, tmp_path):
    subset.make(whole, tmp_path / 'part.txt', .01)
    videos = VideoDataset(ann_file=str(tmp_path / 'part.txt'), pipeline=[], data_prefix=dict(video='root'))
    assert [f'{videos[i]["filename"]} {videos[i]["label"]}' for i in range(len(videos))] == [
        f'root/{line}' for line in read(tmp_path / 'part.txt')]


@pytest.mark.parametrize('share', [0, -.1, 1.5])
def test_a_share_that_is_none(whole, tmp_path, share):
    with pytest.raises(ValueError, match=f'--share {share} is none'):
        subset.make(whole, tmp_path / 'part.txt', share)


def test_lists_that_cannot_be_split(whole, tmp_path):
    with pytest.raises(ValueError, match='is the list itself'):
        subset.make(whole, whole, .1)
    (tmp_path / 'bare.txt').write_text('a.mp4\nb.mp4\n')
    with pytest.raises(ValueError, match='bare.txt has no labels'):
        subset.make(tmp_path / 'bare.txt', tmp_path / 'part.txt', .1)
    assert not (tmp_path / 'part.txt').exists()


def test_the_command(whole, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'part.txt'
    monkeypatch.setattr(sys, 'argv', ['make_subset.py', str(whole), str(out), '--share', '.1'])
    subset.main()
    said = capsys.readouterr().out.strip()
    assert said == f'{out}: 152 of 1504 videos (10.11%), 7 classes of 1 to 100 videos, seed 0.'
    monkeypatch.setattr(sys, 'argv', ['make_subset.py', 'nowhere.txt', str(out), '--share', '.1'])
    with pytest.raises(SystemExit, match="make_subset: There is no list 'nowhere.txt'"):
        subset.main()
