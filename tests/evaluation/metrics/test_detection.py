"""Average precision of detections: by hand, against a second implementation, and against MMAction2's curve."""

import numpy as np
import pytest
from mmaction.evaluation.functional.ava_evaluation.metrics import compute_average_precision, compute_precision_recall

from iboot_mm.evaluation.metrics.detection import action_ap, average_precision, intersection_over_union

LEFT, RIGHT, ALL = (0., 0., .5, 1.), (.5, 0., 1., 1.), (0., 0., 1., 1.)


def boxes(*rows):
    return np.array(rows, float).reshape(-1, 4)


def column(*values):
    return np.array(values, float)[:, None]


def by_hand(detections, truth, classes, most=None):
    """The official procedure word for word: rows, one at a time, and precision at each recall as a maximum."""
    found = {}
    for number in classes:
        count = sum(int(row[number - 1]) for _, labels in truth.values() for row in labels)
        if not count:
            continue
        judged = []
        for key, (of_boxes, scores) in detections.items():
            rows = sorted((-scores[n][c - 1], n, c) for n in range(len(of_boxes)) for c in classes)
            rows = [(n, -score) for score, n, c in rows[:most] if c == number]
            candidates = [box for box, labels in zip(*truth.get(key, ([], []))) if labels[number - 1]]
            used = set()
            for n, score in rows:
                overlaps = [overlap(of_boxes[n], box) for box in candidates]
                best = overlaps.index(max(overlaps)) if overlaps else None
                right = best is not None and overlaps[best] >= .5 and best not in used
                used |= {best} if right else set()
                judged.append((score, right))
        judged.sort(key=lambda pair: -pair[0])
        curve = [(sum(right for _, right in judged[:n]) / count, sum(right for _, right in judged[:n]) / n)
                 for n in range(1, len(judged) + 1)]
        recalls = sorted({recall for recall, _ in curve})
        found[number] = sum((after - before) * max(p for r, p in curve if r >= after)
                            for before, after in zip([0, *recalls], recalls))
    return found


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@pytest.mark.parametrize('found, truth, ap', [
    # A hit, the same box again, a hit elsewhere: precision 1, 1/2, 2/3, so (1 + 2/3) / 2.
    (dict(a=(boxes(LEFT, LEFT), column(.9, .8)), b=(boxes(ALL), column(.7))),
     dict(a=(boxes(LEFT), column(1)), b=(boxes(ALL), column(1))), 5 / 6),
    # A surer detection where nothing is: precision 0, 1/2.
    (dict(a=(boxes(LEFT), column(.6)), empty=(boxes(ALL), column(.9))), dict(a=(boxes(LEFT), column(1))), .5),
    # Half of the picture overlaps all of it by exactly .5, which is enough.
    (dict(a=(boxes(LEFT), column(.6))), dict(a=(boxes(ALL), column(1))), 1.),
    (dict(a=(boxes((0, 0, .49, 1)), column(.6))), dict(a=(boxes(ALL), column(1))), 0.),
    # The best overlap is taken already, and the other true box is not looked at: one of two is found.
    (dict(a=(boxes(LEFT, (0, 0, .6, 1)), column(.9, .8))), dict(a=(boxes(LEFT, RIGHT), column(1, 1))), .5),
    # Nothing detected.
    (dict(), dict(a=(boxes(LEFT), column(1))), 0.),
    (dict(a=(boxes(), np.empty((0, 1)))), dict(a=(boxes(LEFT), column(1))), 0.)])
def test_cases_computed_by_hand(found, truth, ap):
    assert action_ap(found, truth, [1]) == {1: pytest.approx(ap, abs=1e-12)}
    if all(len(part) for part, _ in found.values()):
        assert by_hand(found, truth, [1]) == {1: pytest.approx(ap, abs=1e-12)}


def test_classes_without_truth_are_left_out_and_others_that_nobody_detects_are_not():
    truth = dict(a=(boxes(LEFT), np.array([[1, 0, 1, 1]])))
    found = dict(a=(boxes(LEFT, RIGHT), np.array([[.9, .9, 0, .9], [.1, .1, .1, .1]])))
    assert action_ap(found, truth, [1, 2, 3]) == {1: 1., 3: .5}


def scene(rng, labels=5):
    """Key frames with boxes that overlap, detections near them, and some where nothing is."""
    detections, truth = {}, {}
    for key in range(int(rng.integers(1, 12))):
        corner, extent = rng.uniform(0, .6, (int(rng.integers(0, 5)), 2)), .1
        true = np.concatenate([corner, corner + extent + rng.uniform(0, .3, corner.shape)], 1)
        if len(true):
            truth[key] = true, (rng.random((len(true), labels)) < .4).astype(int)
        moved = np.repeat(true, 2, 0) + rng.normal(0, .02, (2 * len(true), 4))
        extra = np.concatenate([c := rng.uniform(0, .5, (2, 2)), c + .2], 1)
        near = np.concatenate([moved, extra])
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + .01)
        if rng.random() < .8:
            detections[key] = near, rng.random((len(near), labels))
    return detections, truth


@pytest.mark.parametrize('seed', range(20))
@pytest.mark.parametrize('most', [None, 7])
def test_agrees_with_a_second_implementation(seed, most):
    detections, truth = scene(np.random.default_rng(seed))
    classes = [1, 2, 4, 5]
    ours = action_ap(detections, truth, classes, most=most)
    assert ours == pytest.approx(by_hand(detections, truth, classes, most), abs=1e-9)
    assert seed or ours  # there is something to compare


def test_the_curves_area_is_mmaction2s():
    rng = np.random.default_rng(0)
    for size in (1, 2, 50, 400):
        scores, hits = rng.random(size), rng.random(size) < .3
        count = int(hits.sum()) + 3
        theirs = compute_average_precision(*compute_precision_recall(scores, hits, count))
        assert average_precision(scores, hits, count) == pytest.approx(theirs, abs=1e-12)


def test_overlaps_of_what_is_empty_or_apart():
    first, second = boxes(LEFT, (.2, .2, .2, .2)), boxes(LEFT, RIGHT, (.2, .2, .2, .2))
    assert intersection_over_union(first, second).tolist() == [[1, 0, 0], [0, 0, 0]]
    assert intersection_over_union(boxes(), second).shape == (0, 3)
