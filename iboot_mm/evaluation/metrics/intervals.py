"""How sure a figure is: intervals of an accuracy and of the difference of two networks on the same videos."""

import numpy as np
from scipy.stats import binomtest

from ...ranges import at_least

CONFIDENCE = .95


def accuracy_interval(accuracy: float, num_videos: int) -> tuple[float, float]:
    """Clopper and Pearson's interval of 95 % for an accuracy in [0, 1] on so many videos.

    A mean over seeds that are tested on the same videos counts as one test: its hits are rounded, and seeds make it no
    narrower.

    Raises:
        ValueError: an accuracy that is no share, or no video.
    """
    at_least(1, 'accuracy_interval', num_videos=num_videos)
    if not 0 <= accuracy <= 1:
        raise ValueError(f'accuracy_interval: an accuracy is in [0, 1], got {accuracy}')
    return tuple(binomtest(round(accuracy * num_videos), num_videos).proportion_ci(CONFIDENCE, method='exact'))


def paired_difference(ours: list[np.ndarray], theirs: list[np.ndarray], same_videos: bool, rounds: int = 10000,
                      seed: int = 0) -> tuple[float, float, float]:
    """Accuracy of one network less that of another on the same videos, with its bootstrap interval of 95 %.

    Runs and videos are drawn anew, both with replacement (a bootstrap of two levels), and a video is drawn for both
    networks at once: what is easy for both does not widen the interval. With three runs it is a rough one.

    Args:
        ours: Per run whether each of its videos was right ``(N,)``, bool.
        theirs: The same of the other network; runs of one place belong together.
        same_videos: Whether all runs are tested on the same videos, which are then drawn once for all of them;
            otherwise each run has its own, such as another split.
        rounds: Bootstrap samples.
        seed: Of the draws.

    Returns:
        The difference and both ends of its interval, in [-1, 1].

    Raises:
        ValueError: other numbers of runs or of videos.
    """
    if [len(run) for run in ours] != [len(run) for run in theirs] or not ours:
        raise ValueError('paired_difference: both networks need the same runs with the same videos, got '
                         f'{[len(run) for run in ours]} and {[len(run) for run in theirs]}')
    gaps = [np.asarray(a, float) - np.asarray(b, float) for a, b in zip(ours, theirs, strict=True)]
    rng = np.random.default_rng(seed)
    draws = np.empty(rounds)
    for i in range(rounds):
        runs = rng.integers(len(gaps), size=len(gaps))
        if same_videos:
            places = rng.integers(len(gaps[0]), size=len(gaps[0]))
            draws[i] = np.mean([gaps[run][places].mean() for run in runs])
        else:
            draws[i] = np.mean([gaps[run][rng.integers(len(gaps[run]), size=len(gaps[run]))].mean() for run in runs])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, (tail, 1 - tail))
    return float(np.mean([gap.mean() for gap in gaps])), float(low), float(high)
