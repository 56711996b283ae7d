"""Which frames of which shots make up a sample (VIVI, section 4)."""

import numpy as np
from mmaction.registry import TRANSFORMS

from ..decoders import UnreadableVideo
from ..shots.shots import shot_ticks, tick_frames
from .randomness import SHOT_TAG, START_TAG, view_rng
from .sampling import SampleViews


@TRANSFORMS.register_module()
class SampleShots(SampleViews):
    """Draw K consecutive shots of one video and L consecutive frames of each.

    Every frame is a view of its own, so that each is augmented once (section 3.2): V = K L views of one frame, shot
    after shot, frames in order of time. Consecutive shots adjoin: the next one begins where the one before it ends.
    Where the paper is silent it is our choice that every first shot from which K follow is equally likely, and so is
    every first frame from which L lie inside the shot.

    Required keys: `shots` int (S, 2) and `shot_frames` (of `ShotFolder`), `total_frames`, `fps`, `sample_idx` (else
    a hash of `filename`). Added keys: `frame_inds` int64 (K L, 1), `view_seeds` list of K L ints.

    Args:
        num_shots (int): K; 2 or 4 in the paper.
        shot_len (int): L; 8 (exemplar) or 4 (rotation) in the paper.
        target_fps (float, optional): Clock in Hz by which frames are consecutive; the paper's videos were sampled at 1.
            Frame i of the clock is the one shown i / target_fps seconds after the first, and the last one of a shot
            lies before the next shot. None: every frame.

    Raises:
        ValueError: For an argument out of range, or a sample without shots.
        UnreadableVideo: For a video that has changed its length since its shots were found, has no K adjoining
            shots of L frames, or is of unknown frame rate where `target_fps` is given.
    """

    def __init__(self, num_shots: int = 2, shot_len: int = 8, target_fps: float | None = None) -> None:
        if num_shots < 1 or shot_len < 1:
            raise ValueError(f'SampleShots: num_shots and shot_len must be at least 1, got {num_shots} and {shot_len}.')
        super().__init__(num_shots * shot_len, clip_len=1, frame_interval=1, target_fps=target_fps)
        self.num_shots = num_shots
        self.shot_len = shot_len

    def transform(self, results: dict) -> dict:
        """See the class."""
        total_frames, fps = results['total_frames'], results.get('fps') or 0.
        if 'shots' not in results:
            raise ValueError(f"SampleShots: '{results['filename']}' comes without its shots: take "
                             "dict(type='ShotFolder') as the data set")
        if results['shot_frames'] != total_frames:
            raise UnreadableVideo(results['filename'], f'it has {total_frames} frames, but had '
                                  f'{results["shot_frames"]} when its shots were found: find them anew')
        if self.target_fps and not fps:
            raise UnreadableVideo(results['filename'], 'its frame rate, which target_fps needs, is unknown')
        step = fps / self.target_fps if self.target_fps else 1.  # in frames
        first, count = shot_ticks(results['shots'], step)
        long = count >= self.shot_len
        first, count, shots = first[long], count[long], results['shots'][long]
        gaps = np.cumsum(np.append(0, shots[1:, 0] != shots[:-1, 1]))[:len(shots)]  # before each shot
        begins = np.flatnonzero(gaps[self.num_shots - 1:] == gaps[:max(0, len(shots) - self.num_shots + 1)])
        if not len(begins):
            raise UnreadableVideo(results['filename'], f'{len(first)} of its shots have {self.shot_len} frames, and no '
                                  f'{self.num_shots} of them adjoin')
        seeds = self._view_seeds(results)
        start = int(begins[view_rng(seeds[0], SHOT_TAG).integers(len(begins))])
        chosen = slice(start, start + self.num_shots)
        draws = [view_rng(seed, START_TAG).integers(n - self.shot_len + 1)
                 for seed, n in zip(seeds[::self.shot_len], count[chosen], strict=True)]
        ticks = (first[chosen] + draws)[:, None] + np.arange(self.shot_len)  # (K, L)
        results['frame_inds'] = tick_frames(ticks, step).reshape(-1, 1)
        results['view_seeds'] = seeds
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num_shots={self.num_shots}, shot_len={self.shot_len}, '
                f'target_fps={self.target_fps})')
