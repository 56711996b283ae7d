"""Lists of the shape of YTBB-Robust's."""

import json
from pathlib import Path

WORDS = ['good', 'bad', 'unsure', 'dog', 'similar', 'blur-increase', 'bad-anchor', 'dissimilar']


def write_lists(root: Path, anchors: list[tuple[str, list[str]]], neighbours: list[tuple[str, int, int, list[str]]],
                first: dict[str, int]) -> None:
    """Anchors and what is said; video, anchor, neighbour and what is said; `id,milliseconds` and first class."""
    pairs = [(f'/data/{video}/frame-{a}.jpg,/data/{video}/frame-{b}.jpg', said) for video, a, b, said in neighbours]
    (root / 'metadata').mkdir(parents=True)
    (root / 'ytbb_videos').mkdir()
    for name, rows in (('anchor_labels', anchors), ('pmk_labels', pairs)):
        content = dict(labels=WORDS, annotations=[
            dict(key=key, notes='', labels=[WORDS.index(word) for word in said]) for key, said in rows])
        (root / f'metadata/{name}.json').write_text(json.dumps(content))
    (root / 'metadata/ytbb_robustness_test_anchors_full.csv').write_text(
        'ytid,time_ms,label\n' + ''.join(f'{video},{label}\n' for video, label in first.items()))
    (root / 'metadata/ytbb_class_index.json').write_text(json.dumps({'19': 'dog', '22': 'none', '23': 'car'}))
    (root / 'metadata/class_idx_map.json').write_text(json.dumps({'0': 23, '2': 19}))
