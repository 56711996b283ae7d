"""Which frames make up the views of a video (iBoot, section 4.1 and Table 5)."""

import zlib

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...compat import outer_place
from ..decoders import UnreadableVideo
from .randomness import SPEED_TAG, START_TAG, WINDOW_TAG, EpochClock, fresh_seed, view_rng, view_seed


@TRANSFORMS.register_module()
class SampleViews(BaseTransform):
    """Draw V clips of one video, each start uniform and independent over the video.

    Dense clips: every start at which all T frames lie inside the video is equally likely. In a video shorter than a
    clip the clip starts at frame 0 and its last frame is repeated (indices are clamped), so it is seen whole and in
    order. A file that was cut off and holds less than a clip counts as unreadable instead, since its shortness is
    damage.

    Segments: the video is divided into T equal parts, and a clip takes one frame of each, drawn uniformly and
    independently (large-scale study, appendix B.5): it spans the whole video, however long that is.

    Required keys: `total_frames`, `fps`, `sample_idx` (else a hash of `filename`); `video` if present.
    Added keys: `frame_inds` int64 (V, T), `view_seeds` list of V ints.

    Args:
        num_views (int): V.
        clip_len (int): T, frames per clip.
        frame_interval (float): Distance of neighbouring frames of a dense clip, in frames of the video, or in ticks of
            `target_fps`.
        sampling (str): 'dense' or 'segments'.
        target_fps (float, optional): Clock of `frame_interval` in Hz, so that a clip lasts equally long in videos of
            any frame rate. None: each video's own. MMAction2's `target_fps` also stretches the distance, by
            (T tau - 1) / (T tau - tau): 8x8 becomes 8x9; here it stays what it says.
        max_span (float, optional): Greatest distance of the starts of two views, in seconds (large-scale study, section
            4.2). Each start by itself is uniform still, over the places where the longest of the clips fits. None: any
            distance.
        fps_jitter (float): j, in [0, 1): a dense clip plays the video at U[1 - j, 1 + j] times its frame rate, i.e. its
            frames lie that many times `frame_interval` apart (large-scale study, section 4.5: .5). Where the study is
            silent it is our choice that this factor is what is uniform, not its inverse, that each view draws its own,
            and that starts are uniform over the places where the clip so drawn fits.
        same_clip (bool): All views show the frames of view 0 ("v_1 = v_ref", Table 5); their crops and colours still
            differ.
        test_mode (bool): No randomness, hence no jitter. Dense clips start where MMAction2's `SampleFrames` puts them:
            the first at the video's start, the last at its end, the others at equal distances; a single one in the
            middle. Of segments, view v of V takes the frames at (v + 1) / (V + 1) of each: the middle ones, if there is
            one view.

    Raises:
        ValueError: For an argument out of range.
        UnreadableVideo: For a file that was cut off and holds less than a clip, or one of unknown frame rate where
            `target_fps` or `max_span` is given.
    """

    def __init__(self, num_views: int = 3, clip_len: int = 8, frame_interval: float = 8, sampling: str = 'dense',
                 target_fps: float | None = None, max_span: float | None = None, fps_jitter: float = 0.,
                 same_clip: bool = False, test_mode: bool = False) -> None:
        if num_views < 1 or clip_len < 1 or frame_interval <= 0:
            raise ValueError(f'{type(self).__name__}: num_views and clip_len must be at least 1 and frame_interval '
                             f'above 0, got {num_views}, {clip_len} and {frame_interval}.')
        if (target_fps is not None and target_fps <= 0) or (max_span is not None and max_span < 0):
            raise ValueError('SampleViews: target_fps must be above 0 and max_span not negative, got '
                             f'{target_fps} and {max_span}.')
        if not 0 <= fps_jitter < 1:
            raise ValueError(f'SampleViews: fps_jitter must be in [0, 1), got {fps_jitter}.')
        if sampling not in ('dense', 'segments'):
            raise ValueError(f"SampleViews: sampling must be 'dense' or 'segments', got {sampling!r}.")
        if sampling == 'segments' and (target_fps is not None or max_span is not None or fps_jitter):
            raise ValueError("SampleViews: target_fps, max_span and fps_jitter are for sampling='dense'; segments span "
                             'the whole video.')
        self.num_views = num_views
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.sampling = sampling
        self.target_fps = target_fps
        self.max_span = max_span
        self.fps_jitter = fps_jitter
        self.same_clip = same_clip
        self.test_mode = test_mode
        self.clock = EpochClock()

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Make all draws a function of (seed, epoch, place of the sample, view), in running workers too.

        Without it every draw is fresh and nothing ever repeats.
        """
        self.clock.set(seed, epoch)

    def transform(self, results: dict) -> dict:
        """See the class."""
        fps = results.get('fps') or 0.
        total_frames = results['total_frames']
        if not fps and (self.target_fps or self.max_span is not None):
            raise UnreadableVideo(results['filename'], 'its frame rate, which target_fps and max_span need, is unknown')
        step = self.frame_interval * (fps / self.target_fps if self.target_fps else 1.)  # in frames
        if self.sampling == 'segments':
            step = 1  # a clip needs a frame for each segment
        seeds = self._view_seeds(results)
        steps = step * self._speeds(seeds)  # (V,)
        reaches = (self.clip_len - 1) * steps  # from the first to the last frame of a clip
        longest = int(reaches.max()) + 1
        if getattr(results.get('video'), 'truncated', False) and longest > total_frames:
            raise UnreadableVideo(results['filename'], f'the file was cut off and its {total_frames} whole frames hold '
                                  f'no clip of {longest}')
        if self.sampling == 'segments':
            inds = self._segments(total_frames, seeds)
        else:
            starts = (self._even_starts(total_frames, reaches[0]) if self.test_mode
                      else self._random_starts(np.maximum(total_frames - reaches, 0.), fps, seeds))
            inds = starts[:, None] + np.arange(self.clip_len) * steps[:, None]  # (V, T)
        if self.same_clip:
            inds = np.broadcast_to(inds[:1], inds.shape)
        # The small term keeps products such as 3 * (1 / 3) from falling one frame short.
        results['frame_inds'] = np.clip(np.floor(inds + 1e-6).astype(np.int64), 0, total_frames - 1)
        results['view_seeds'] = seeds
        return results

    def _view_seeds(self, results: dict) -> list[int]:
        index = results.get('sample_idx')
        if index is None:
            index = zlib.crc32(str(results.get('filename', '')).encode())
        now = (0, 0) if self.test_mode else self.clock.get()
        if now is None:
            return [fresh_seed() for _ in range(self.num_views)]
        return [view_seed(*now, index, view, *outer_place()) for view in range(self.num_views)]

    def _speeds(self, seeds: list[int]) -> np.ndarray:
        """Factors (V,) of the distance of neighbouring frames."""
        if self.test_mode or not self.fps_jitter:
            return np.ones(self.num_views)
        if self.same_clip:  # the others' lengths must not narrow where the one clip starts
            seeds = seeds[:1] * self.num_views
        draws = np.array([view_rng(seed, SPEED_TAG).random() for seed in seeds])
        return 1 + self.fps_jitter * (2 * draws - 1)

    def _even_starts(self, total_frames: int, reach: float) -> np.ndarray:
        """Whole-frame starts (V,) at equal distances, the first at 0 and the last where a clip still fits."""
        if self.clip_len == 1:  # single frames are the middles of V equal parts there
            return np.floor((np.arange(self.num_views) + .5) * total_frames / self.num_views)
        last = max(total_frames - 1 - reach, 0.)
        if self.num_views == 1:
            return np.floor([last / 2])
        return np.round(np.arange(self.num_views) * (last / (self.num_views - 1)))

    def _random_starts(self, rooms: np.ndarray, fps: float, seeds: list[int]) -> np.ndarray:
        """Starts (V,), each in [0, room) of its view; rooms (V,) differ if clips differ in length."""
        draws = np.array([view_rng(seed, START_TAG).random() for seed in seeds])  # (V,)
        span = np.inf if self.max_span is None else np.floor(self.max_span * fps)  # whole: rounding keeps to it
        room = rooms.min()  # the longest clip fits there
        if span >= rooms.max():
            return draws * rooms
        if not room:
            return np.zeros(self.num_views)
        # A window that lies inside the video shows its ends less often. On a circle, there and back, every place is
        # equally likely, and folding it brings no two starts farther apart.
        window = view_rng(seeds[0], WINDOW_TAG).random() * 2 * room
        return room - np.abs(room - (window + draws * span) % (2 * room))

    def _segments(self, total_frames: int, seeds: list[int]) -> np.ndarray:
        """One place (V, T) in each of T equal parts of the video."""
        if self.test_mode:
            places = np.arange(1, self.num_views + 1)[:, None] / (self.num_views + 1)  # (V, 1)
        else:
            places = np.stack([view_rng(seed, START_TAG).random(self.clip_len) for seed in seeds])  # (V, T)
        return (np.arange(self.clip_len) + places) * total_frames / self.clip_len

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num_views={self.num_views}, clip_len={self.clip_len}, '
                f'frame_interval={self.frame_interval}, sampling={self.sampling!r}, target_fps={self.target_fps}, '
                f'max_span={self.max_span}, fps_jitter={self.fps_jitter}, same_clip={self.same_clip}, '
                f'test_mode={self.test_mode})')
