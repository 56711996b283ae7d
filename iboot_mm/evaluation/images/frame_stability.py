"""Stability of predictions over neighbouring frames: ImageNet-Vid-Robust's measure on any labelled videos.

VIVI, section 5.2; Shankar et al., "Do image classifiers generalize across time?" (arXiv:1906.02168): an anchor frame
counts in the usual accuracy if its own class is predicted, and in the PM-k accuracy only if that of every frame up to k
before and after it is, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from ...datasets.benchmarks.vid_robust import ReviewedSet
from ...datasets.decoders import UnreadableVideo
from ...datasets.decoders.base import VideoReader, first_line, open_video
from ...datasets.parallel import show_progress

CONFIDENCE = .95


@dataclass(frozen=True)
class Anchor:
    """A frame to judge.

    Attributes:
        path: Its video.
        label: The class of the video.
        frame: Its number from 0; None for the middle frame, ``num_frames // 2``.
    """

    path: str
    label: int
    frame: int | None = None


@dataclass
class Verdicts:
    """What was found of a list of anchors.

    Attributes:
        judged: ``dict(path, right, right_everywhere, predictions)`` of each anchor: whether its own prediction is
            right, and whether all are. Of a video's anchor also its ``label``, its ``frame`` and the ``first`` frame
            that ``predictions`` are of; of a reviewed set they are those of the anchor and its neighbours.
        cut: Videos that end before their file says so; what is left of them is judged.
        left_out: ``(path, reason)`` of anchors that are not judged: their video or their frame can't be read.
    """

    judged: list[dict]
    cut: list[str]
    left_out: list[tuple[str, str]]


def judge(anchors: Sequence[Anchor], predict: Callable[[np.ndarray], Sequence[int]], radius: int = 10,
          decoder: str = 'auto') -> Verdicts:
    """Predictions for every anchor's neighbourhood; a video is opened once, its frames are decoded once.

    Args:
        anchors: The frames to judge.
        predict: Classes of frames uint8 ``(T, H, W, 3)``.
        radius: k, frames. At the ends of a video a neighbourhood has fewer (our choice; for the benchmark's own sets,
            which are checked by hand, see :func:`judge_reviewed`).
        decoder: What opens a video, such as ``'frames'`` for folders of pictures.

    Raises:
        ValueError: a negative radius.
    """
    if radius < 0:
        raise ValueError(f'the radius of a neighbourhood is a number of frames from 0, got {radius}')
    by_video: dict[str, list[Anchor]] = {}
    for anchor in anchors:
        by_video.setdefault(anchor.path, []).append(anchor)
    verdicts = Verdicts([], [], [])
    for path, group in show_progress(by_video.items(), len(by_video), 'videos judged'):
        try:
            with open_video(path, decoder) as video:
                judged, missing = _judge_video(video, group, predict, radius)
                cut = video.truncated
        except (OSError, UnreadableVideo) as error:
            verdicts.left_out += [(path, getattr(error, 'reason', '') or first_line(error))] * len(group)
            continue
        verdicts.judged += judged
        verdicts.left_out += missing
        verdicts.cut += [path] * cut
    return verdicts


def _judge_video(video: VideoReader, anchors: Sequence[Anchor], predict: Callable[[np.ndarray], Sequence[int]],
                 radius: int) -> tuple[list[dict], list[tuple[str, str]]]:
    windows, missing = [], []
    for anchor in anchors:
        frame = video.num_frames // 2 if anchor.frame is None else anchor.frame
        if frame < video.num_frames:
            windows.append((anchor, frame, range(max(0, frame - radius), min(video.num_frames, frame + radius + 1))))
        else:
            missing.append((anchor.path, f'frame {frame} is asked for, but it has {video.num_frames}'))
    needed = sorted(set().union(*(window for _, _, window in windows)))
    if not needed:
        return [], missing
    try:
        frames = video.read(needed)
    except (OSError, RuntimeError, ValueError, IndexError) as error:  # each decoder has its own
        raise UnreadableVideo(anchors[0].path, first_line(error)) from error
    classes = dict(zip(needed, map(int, predict(frames)), strict=True))
    return [dict(path=anchor.path, label=anchor.label, frame=frame, first=window[0],
                 right=classes[frame] == anchor.label, right_everywhere=all(classes[i] == anchor.label for i in window),
                 predictions=[classes[i] for i in window]) for anchor, frame, window in windows], missing


def judge_reviewed(sets: Sequence[ReviewedSet], predict: Callable[[Sequence[np.ndarray]], Sequence[int]],
                   decoder: str = 'picture') -> Verdicts:
    """The same of reviewed sets of pictures; a prediction is right if it is any of its frame's classes.

    Args:
        sets: The anchors and their neighbours.
        predict: Classes of frames, each uint8 ``(H, W, 3)``.
        decoder: What opens a picture.
    """
    verdicts = Verdicts([], [], [])
    for one in show_progress(sets, len(sets), 'anchors judged'):
        paths = (one.anchor, *one.neighbours)
        try:
            frames = [_picture(path, decoder) for path in paths]
        except (OSError, UnreadableVideo) as error:
            reason = getattr(error, 'reason', '') or first_line(error)
            verdicts.left_out.append((one.anchor, f'{getattr(error, "path", "")}: {reason}'))
            continue
        predictions = [int(found) for found in predict(frames)]
        hits = [found in one.labels[path] for found, path in zip(predictions, paths, strict=True)]
        verdicts.judged.append(
            dict(path=one.anchor, right=hits[0], right_everywhere=all(hits), predictions=predictions))
    return verdicts


def _picture(path: str, decoder: str) -> np.ndarray:
    with open_video(path, decoder) as video:
        return video.read([0])[0]


def summarise_stability(judged: Sequence[dict]) -> dict:
    """The table of the paper, shares in [0, 1].

    Args:
        judged: See :class:`Verdicts`.

    Returns:
        ``anchors`` (their number), ``accuracy`` and ``perturbed``, each ``dict(value, interval)`` with the
        Clopper-Pearson interval of 95 %, and their ``difference``.

    Raises:
        ValueError: nothing was judged.
    """
    if not judged:
        raise ValueError('no anchor frame could be judged: check the list and the videos')
    anchor = sum(one['right'] for one in judged)
    everywhere = sum(one['right_everywhere'] for one in judged)
    return dict(anchors=len(judged), accuracy=_share(anchor, len(judged)), perturbed=_share(everywhere, len(judged)),
                difference=(anchor - everywhere) / len(judged))


def _share(hits: int, count: int) -> dict:
    interval = binomtest(hits, count).proportion_ci(CONFIDENCE, method='exact')
    return dict(value=hits / count, interval=[float(interval.low), float(interval.high)])
