"""The lists of ImageNet-Vid-Robust: what they say, and what is wrong with others."""

import pytest

from iboot_mm.datasets.benchmarks.vid_robust import read_class_map, read_reviewed_sets

from .vid_robust import write_tree

SETS = {'val/a/10.png': ['val/a/9.png', 'val/a/12.png'], 'val/b/1.png': []}
LABELS = {'val/a/9.png': [0], 'val/a/10.png': [0, 2], 'val/a/12.png': [2], 'val/b/1.png': [1]}


def test_sets_and_classes(tmp_path):
    write_tree(tmp_path, {}, SETS, LABELS, (281, 250, 231, 339), 1000)
    first, second = read_reviewed_sets(tmp_path)
    assert first.anchor == str(tmp_path / 'val/a/10.png') and second.neighbours == ()
    assert first.neighbours == tuple(str(tmp_path / f'val/a/{number}.png') for number in (9, 12))
    assert [sorted(first.labels[path]) for path in (first.anchor, *first.neighbours)] == [[0, 2], [0], [2]]
    assert read_class_map(tmp_path) == {281: 0, 250: 1, 231: 1, 339: 2}


@pytest.mark.parametrize('file, content, words', [
    ('metadata/pmsets.json', None, "there is no '.*pmsets.json': name the folder of ImageNet-Vid-Robust as published"),
    ('metadata/pmsets.json', '{}', 'pmsets.json. names no anchor frame'),
    ('metadata/pmsets.json', '{"val/c/1.png": []}', 'labels.json. has no label of val/c/1.png'),
    ('metadata/pmsets.json', '[1]', 'pmsets.json. is not as published: '),
    ('metadata/labels.json', '{"val/a/9.png": "cat"}', 'labels.json. is not as published: val/a/9.png: '),
    ('misc/wnid_map.json', '{"n77": "n20"}', 'imagenet_class_index.json. lacks n77, which misc/wnid_map.json names'),
    ('misc/imagenet_vid_class_index.json', '{"0": ["n20", "cat"]}', 'imagenet_vid_class_index.json. lacks n21'),
])
def test_other_lists(tmp_path, file, content, words):
    write_tree(tmp_path, {}, SETS, LABELS, (281, 250, 231, 339), 1000)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_text(content)
    with pytest.raises((FileNotFoundError, ValueError), match=words):
        read_reviewed_sets(tmp_path)
        read_class_map(tmp_path)
