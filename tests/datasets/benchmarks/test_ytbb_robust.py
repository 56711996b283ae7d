"""The lists of YTBB-Robust: which anchors and neighbours count, and what is wrong with others."""

import json

import pytest

from iboot_mm.datasets.benchmarks.ytbb_robust import read_class_map, read_reviewed_sets

from .ytbb_robust import WORDS, write_lists

GOOD, BAD, UNSURE, DOG, SIMILAR, BLUR, BAD_ANCHOR = WORDS[:7]
ANCHORS = [('x_y_100/frame-3.jpg', [GOOD]), ('x_y_100/frame-3.jpg', [GOOD, DOG]),  # the later line holds
           ('b_200/frame-9.jpg', [GOOD, UNSURE]), ('c_300/frame-20.jpg', [GOOD]), ('d_400/frame-20.jpg', [GOOD]),
           ('e_500/frame-1.jpg', [BAD])]
NEIGHBOURS = [('x_y_100', 3, 2, [SIMILAR]), ('x_y_100', 3, 4, [SIMILAR, BLUR]), ('x_y_100', 3, 5, [DOG]),
              ('x_y_100', 3, 13, [SIMILAR]), ('x_y_100', 3, 14, [SIMILAR]), ('d_400', 20, 19, [BAD_ANCHOR])]
FIRST = {'x_y,100': 22, 'b,200': 0, 'c,300': 23, 'd,400': 1, 'e,500': 1}


def write(root):
    write_lists(root, ANCHORS, NEIGHBOURS, FIRST)


def test_good_anchors_and_neighbours_that_are_alike(tmp_path):
    write(tmp_path)
    first, second = read_reviewed_sets(tmp_path)
    frames = tmp_path / 'ytbb_videos/x_y_100'
    assert first.anchor == str(frames / 'frame-3.jpg')
    assert first.neighbours == (str(frames / 'frame-2.jpg'), str(frames / 'frame-13.jpg'))  # 14 is too far
    assert {label for labels in first.labels.values() for label in labels} == {23, 19} and len(first.labels) == 3
    assert second.anchor == str(tmp_path / 'ytbb_videos/c_300/frame-20.jpg') and second.neighbours == ()
    assert second.labels == {second.anchor: {22}}
    assert read_class_map(tmp_path) == {0: 23, 2: 19}


@pytest.mark.parametrize('file, content, words', [
    ('pmk_labels.json', None, "there is no '.*pmk_labels.json': name the folder of YTBB-Robust that holds ytbb_videos"),
    ('anchor_labels.json', '[]', "anchor_labels.json' is not as published"),
    ('anchor_labels.json', json.dumps(dict(annotations=[dict(key='b.jpg', labels=[])], labels=[])), 'annotations/0'),
    ('anchor_labels.json', json.dumps(dict(annotations=[dict(key='frame-1.jpg', labels=[1])], labels=['good'])),
     'frame-1.jpg has a label without a name'),
    ('anchor_labels.json', json.dumps(dict(annotations=[], labels=[])), 'names no anchor that is good'),
    ('ytbb_robustness_test_anchors_full.csv', None, "there is no '.*anchors_full.csv': name the folder"),
    ('ytbb_robustness_test_anchors_full.csv', 'ytid,time_ms,label\nc,300,x\n', 'line 2 is no ytid,time_ms,label'),
    ('ytbb_robustness_test_anchors_full.csv', 'ytid,time_ms,label\nc,300,1\n', 'has no class of x_y_100'),
])
def test_other_lists(tmp_path, file, content, words):
    write(tmp_path)
    path = tmp_path / 'metadata' / file
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises((FileNotFoundError, ValueError), match=words) as told:
        read_reviewed_sets(tmp_path)
    assert len(str(told.value).splitlines()) == 1
