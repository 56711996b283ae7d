"""Which frames make up the views of a video (iBoot, section 3.1 and Table 5)."""

import zlib

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ..decoders import UnreadableVideo
from .randomness import START_TAG, WINDOW_TAG, EpochClock, fresh_seed, view_rng, view_seed


@TRANSFORMS.register_module()
class SampleViews(BaseTransform):
    """Draw V clips of one video, each start uniform and independent over the video.

    Every start at which all T frames lie inside the video is equally likely. In a video shorter than a clip the clip
    starts at frame 0 and its last frame is repeated (indices are clamped), so it is seen whole and in order. A file
    that was cut off and holds less than a clip counts as unreadable instead, since its shortness is damage.

    Required keys: `total_frames`, `fps`, `sample_idx` (else a hash of `filename`); `video` if present.
    Added keys: `frame_inds` int64 (V, T), `view_seeds` list of V ints.

    Args:
        num_views (int): V.
        clip_len (int): T, frames per clip.
        frame_interval (float): Distance of neighbouring frames of a clip, in frames of the video, or in ticks of
            `target_fps`.
        target_fps (float, optional): Clock of `frame_interval` in Hz, so that a clip lasts equally long in videos of
            any frame rate. None: each video's own.
        max_span (float, optional): Greatest distance of the starts of two views, in seconds: a window of that length is
            drawn uniformly and all views start inside it. None: the whole video.
        same_clip (bool): All views show the frames of view 0 ("v_1 = v_ref", Table 5); their crops and colours still
            differ.
        test_mode (bool): No randomness: view v is centred in the v-th of V equal parts of the range of starts.

    Raises:
        ValueError: For an argument out of range.
        UnreadableVideo: For a file that was cut off and holds less than a clip, or one of unknown frame rate where
            `target_fps` or `max_span` is given.
    """

    def __init__(self, num_views: int = 3, clip_len: int = 8, frame_interval: float = 8,
                 target_fps: float | None = None, max_span: float | None = None, same_clip: bool = False,
                 test_mode: bool = False) -> None:
        if num_views < 1 or clip_len < 1 or frame_interval <= 0:
            raise ValueError('SampleViews: num_views and clip_len must be at least 1 and frame_interval above 0, got '
                             f'{num_views}, {clip_len} and {frame_interval}.')
        if (target_fps is not None and target_fps <= 0) or (max_span is not None and max_span < 0):
            raise ValueError('SampleViews: target_fps must be above 0 and max_span not negative, got '
                             f'{target_fps} and {max_span}.')
        self.num_views = num_views
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.target_fps = target_fps
        self.max_span = max_span
        self.same_clip = same_clip
        self.test_mode = test_mode
        self.clock = EpochClock()

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Make all draws a function of (seed, epoch, sample_idx, view), in running workers too.

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
        reach = (self.clip_len - 1) * step  # from the first to the last frame of a clip
        if getattr(results.get('video'), 'truncated', False) and int(reach) + 1 > total_frames:
            raise UnreadableVideo(results['filename'], f'the file was cut off and its {total_frames} whole frames hold '
                                  f'no clip of {int(reach) + 1}')
        room = max(total_frames - reach, 0.)  # starts lie in [0, room)
        seeds = self._view_seeds(results)
        starts = self._even_starts(room) if self.test_mode else self._random_starts(room, fps, seeds)
        if self.same_clip:
            starts = np.full_like(starts, starts[0])
        # The small term keeps products such as 3 * (1 / 3) from falling one frame short.
        inds = np.floor(starts[:, None] + np.arange(self.clip_len) * step + 1e-6).astype(np.int64)  # (V, T)
        results['frame_inds'] = np.clip(inds, 0, total_frames - 1)
        results['view_seeds'] = seeds
        return results

    def _view_seeds(self, results: dict) -> list[int]:
        index = results.get('sample_idx')
        if index is None:
            index = zlib.crc32(str(results.get('filename', '')).encode())
        now = (0, 0) if self.test_mode else self.clock.get()
        if now is None:
            return [fresh_seed() for _ in range(self.num_views)]
        return [view_seed(*now, index, view) for view in range(self.num_views)]

    def _even_starts(self, room: float) -> np.ndarray:
        """Middle starts of V equal parts; whole frames, so that a single clip is centred."""
        middles = (np.arange(self.num_views) + .5) / self.num_views  # (V,)
        return np.floor(middles * room)

    def _random_starts(self, room: float, fps: float, seeds: list[int]) -> np.ndarray:
        low, width = 0., room
        if self.max_span is not None:
            width = min(np.floor(self.max_span * fps), room)  # whole frames: rounding keeps starts within the span
            low = view_rng(seeds[0], WINDOW_TAG).random() * (room - width)
        draws = np.array([view_rng(seed, START_TAG).random() for seed in seeds])  # (V,)
        return low + draws * width

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num_views={self.num_views}, clip_len={self.clip_len}, '
                f'frame_interval={self.frame_interval}, target_fps={self.target_fps}, max_span={self.max_span}, '
                f'same_clip={self.same_clip}, test_mode={self.test_mode})')
