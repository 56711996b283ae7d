"""Clips at a playback rate that is to be recognised (PRP, Yao et al., CVPR 2020; AdViSe, section 3.2)."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from mmaction.registry import TRANSFORMS

from ..decoders import UnreadableVideo
from .randomness import RATE_TAG, START_TAG, view_rng
from .sampling import SampleViews


@TRANSFORMS.register_module()
class PlaybackRate(SampleViews):
    """Draw V clips of one video, each played at a rate of its own, and label them with it.

    A clip takes every ``frame_interval x rate x (1 + jitter)``-th frame; rate, jitter and start are drawn for each clip
    by itself.

    With ``wrap`` frame numbers go on at the video's beginning where they pass its end, as in AdViSe's public code: each
    rate is equally likely in every video, and the start is uniform over the places where a clip at the lowest rate
    fits. A clip may then hold the jump from the video's last frame to its first, which short videos show at high rates.

    Without it a rate at which the clip does not fit into the video is not drawn from it, the start is uniform over the
    places where the clip fits, and the jitter goes not beyond what fits. So no clip jumps, but short videos show low
    rates more often and a video's length says something of the rate; the chance level of
    :class:`~iboot_mm.evaluation.PlaybackRateMetric` counts what was shown.

    Either way the jitter goes not below a step of one frame, since a repeated frame would give the rate away.

    Required keys: as :class:`SampleViews`. Added keys: ``frame_inds`` int64 (V, T), ``view_seeds``, and in ``labels``
    ``playback_rate``, V classes: the place of the rate in ``rates``, plus their number if the clip runs backward.

    Example:
        >>> pipeline = [dict(type='OpenVideo'), dict(type='PlaybackRate', num_views=4), dict(type='DecodeViews'),
        ...             dict(type='CropViews', area=(.76, 1.)), dict(type='PackViews', label='playback_rate')]

    Args:
        num_views (int): V; AdViSe takes 4 clips of a video.
        clip_len (int): T, frames per clip.
        frame_interval (float): Distance of neighbouring frames at rate 1, in frames of the video.
        rates (Sequence[float]): Rates, ascending.
        jitter (float): j, in [0, 1): the rate is multiplied by U[1 - j, 1 + j].
        reverse (bool): Each rate also backward, with as many classes more; with ``rates=(1,)`` the task is to tell
            forward from backward.
        wrap (bool): Whether frame numbers wrap around the video's end.
        distinct (bool): The clips of a video take different classes, in turn from one that is drawn, where the paper
            draws each by itself. They then differ in what is to be told alone: on small real videos runs of ours
            learned so in 1,980 steps, and nearly nothing in 2,160 with independent draws (model_cards/advise_mini.md).
        test_mode (bool): No randomness, no jitter: view v of video i has the class (i + v) modulo their number (of
            those that are drawn), and lies in the middle of the video.

    Raises:
        ValueError: For an argument out of range.
        UnreadableVideo: For a video without a clip at the lowest rate.
    """

    def __init__(self, num_views: int = 4, clip_len: int = 8, frame_interval: float = 2,
                 rates: Sequence[float] = (1, 2, 4, 8), jitter: float = .2, reverse: bool = False,
                 wrap: bool = False, distinct: bool = False, test_mode: bool = False) -> None:
        super().__init__(num_views, clip_len, frame_interval, test_mode=test_mode)
        self.rates = tuple(float(rate) for rate in rates)
        if not self.rates or self.rates[0] <= 0 or any(np.diff(self.rates) <= 0):
            raise ValueError(f'PlaybackRate: rates must be above 0 and rise, got {rates}.')
        if frame_interval * self.rates[0] < 1:
            raise ValueError(f'PlaybackRate: at rate {rates[0]} a clip would repeat frames, since frame_interval='
                             f'{frame_interval} times it is below 1.')
        if not 0 <= jitter < 1:
            raise ValueError(f'PlaybackRate: jitter must be in [0, 1), got {jitter}.')
        self.jitter = jitter
        self.reverse = reverse
        self.wrap = wrap
        self.distinct = distinct

    @property
    def num_classes(self) -> int:
        """What a head is to tell apart: the rates, and each of them backward."""
        return len(self.rates) * (1 + self.reverse)

    def transform(self, results: dict) -> dict:
        """See the class."""
        total_frames, seeds = results['total_frames'], self._view_seeds(results)
        # The last frame lies at (T - 1) x interval x rate at most; a clip of one frame fits at any rate.
        fastest = (total_frames - 1) / max((self.clip_len - 1) * self.frame_interval, 1e-9)
        possible = sum(rate <= fastest for rate in self.rates)
        if not possible:
            needed = ceil((self.clip_len - 1) * self.frame_interval * self.rates[0]) + 1
            raise UnreadableVideo(results['filename'], f'its {total_frames} frames hold no clip at the lowest rate, '
                                  f'which takes {needed}')
        if self.wrap:
            possible = len(self.rates)
        if self.test_mode:
            first = results.get('sample_idx') or 0
            clips = [(*self._turn(first + view, possible), 1.) for view in range(self.num_views)]
        else:
            clips = [self._draw(view_rng(seed, RATE_TAG), possible) for seed in seeds]
        if self.distinct and not self.test_mode:
            kind, backward, _ = clips[0]
            clips = [(*self._turn(kind + backward * possible + view, possible), stretch)
                     for view, (_, _, stretch) in enumerate(clips)]
        inds = np.empty((self.num_views, self.clip_len))
        for view, (kind, backward, scale) in enumerate(clips):
            rate = self.rates[kind] * scale
            step = max(self.frame_interval * (rate if self.wrap else min(rate, fastest)), 1.)
            room = total_frames - (self.clip_len - 1) * step  # starts [0, room) keep the last frame inside
            if self.test_mode:
                start = np.floor((room - 1) / 2)
            else:
                lowest = total_frames - (self.clip_len - 1) * self.frame_interval * self.rates[0]
                start = view_rng(seeds[view], START_TAG).random() * (lowest if self.wrap else room)
            frames = start + step * np.arange(self.clip_len)
            inds[view] = frames[::-1] if backward else frames
        inds = np.floor(inds + 1e-6).astype(np.int64)
        results['frame_inds'] = inds % total_frames if self.wrap else np.clip(inds, 0, total_frames - 1)
        results['view_seeds'] = seeds
        results['labels'] = dict(results.get('labels') or {}, playback_rate=[
            kind + backward * len(self.rates) for kind, backward, _ in clips])
        return results

    def _draw(self, rng: np.random.Generator, possible: int) -> tuple[int, bool, float]:
        """Place of the rate, whether it runs backward, and the factor of the jitter."""
        place, back, stretch = rng.random(3)
        return int(place * possible), self.reverse and back < .5, 1 + self.jitter * (2 * stretch - 1)

    def _turn(self, number: int, possible: int) -> tuple[int, bool]:
        """Place of the rate and whether it runs backward, for the classes one after the other."""
        turn = number % (possible * (1 + self.reverse))
        return turn % possible, turn >= possible

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num_views={self.num_views}, clip_len={self.clip_len}, '
                f'frame_interval={self.frame_interval}, rates={self.rates}, jitter={self.jitter}, '
                f'reverse={self.reverse}, wrap={self.wrap}, distinct={self.distinct}, test_mode={self.test_mode})')
