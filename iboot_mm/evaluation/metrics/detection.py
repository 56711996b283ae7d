"""Average precision of detected actions: PASCAL VOC's, as AVA's official evaluation computes it."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

Boxes = np.ndarray  # float64 (N, 4): x1, y1, x2, y2
OfKeyFrames = Mapping[Hashable, tuple[Boxes, np.ndarray]]


def action_ap(detections: OfKeyFrames, truth: OfKeyFrames, classes: Sequence[int], min_iou: float = .5,
              most: int | None = None) -> dict[int, float]:
    """Average precision of each class that the truth has; one that is never detected has 0.

    In a key frame detections of a class are taken from the surest on. Each belongs to the box of that class that it
    overlaps most, and is right if their intersection over union reaches ``min_iou`` and no surer one was right there
    before. A detection in a key frame without truth is wrong. Precision is made to fall with recall, and its curve is
    integrated over all points. Equal scores of a class keep their order; the official script leaves it open.

    Args:
        detections: For each key frame boxes, and scores (N, C) of the classes 1 ... C.
        truth: For each key frame boxes, and whether they show the classes, (N, C).
        classes: Those to evaluate, numbered from 1; 60 of AVA's 80.
        min_iou: The least overlap.
        most: Only the surest so many pairs of box and class of a key frame count, as in the official script (50); None:
            all, as in the study's framework.
    """
    columns = np.array(classes) - 1
    scores, hits, kept = [], [], []
    for key, (boxes, of_boxes) in detections.items():
        chosen = of_boxes[:, columns].astype(np.float64)
        true_boxes, actions = truth.get(key, (np.empty((0, 4)), np.empty((0, 0))))
        actions = actions[:, columns] if len(true_boxes) else np.zeros((0, len(columns)))
        hits.append(match(chosen, boxes, actions.astype(bool), true_boxes, min_iou))
        scores.append(chosen)
        kept.append(surest(chosen, most))
    none = np.zeros((0, len(columns)), bool)
    counts = np.concatenate([none, *(actions[:, columns] for _, actions in truth.values())]).astype(bool).sum(0)
    hits, kept = (np.concatenate([none, *parts]) for parts in (hits, kept))
    scores = np.concatenate([none.astype(float), *scores])
    return {number: average_precision(scores[kept[:, c], c], hits[kept[:, c], c], counts[c])
            for c, number in enumerate(classes) if counts[c]}


def match(scores: np.ndarray, boxes: Boxes, actions: np.ndarray, true_boxes: Boxes, min_iou: float) -> np.ndarray:
    """Which detections of one key frame are right: bool (N, C), for scores (N, C) and true actions bool (M, C)."""
    hits = np.zeros(scores.shape, bool)
    overlaps = intersection_over_union(boxes, true_boxes)  # (N, M)
    for column in np.flatnonzero(actions.any(0)) if len(boxes) else ():
        of_class = overlaps[:, actions[:, column]]
        best, taken = of_class.argmax(1), set()
        for row in np.argsort(-scores[:, column], kind='stable'):
            if of_class[row, best[row]] >= min_iou and best[row] not in taken:
                hits[row, column] = True
                taken.add(best[row])
    return hits


def intersection_over_union(first: Boxes, second: Boxes) -> np.ndarray:
    """Of boxes (N, 4) and (M, 4): (N, M); 0 where both are empty."""
    corners = np.maximum(first[:, None, :2], second[None, :, :2]), np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (corners[1] - corners[0]).clip(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def average_precision(scores: np.ndarray, hits: np.ndarray, count: int) -> float:
    """Area below the precision, made to fall, over the recall of ``count`` true boxes.

    Args:
        scores: (N,).
        hits: Whether each detection is right, (N,).
        count: Above 0.
    """
    right = np.cumsum(hits[np.argsort(-scores, kind='stable')])
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float((np.diff(right, prepend=0) * precision).sum() / count)


def surest(scores: np.ndarray, most: int | None) -> np.ndarray:
    """Which of the scores (N, C) are among the greatest so many; all without a limit."""
    kept = np.ones(scores.shape, bool)
    if most is not None and scores.size > most:
        kept.ravel()[np.argsort(-scores, axis=None, kind='stable')[most:]] = False
    return kept
