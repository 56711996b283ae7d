"""SampleShots against brute force and its own definitions."""

from collections import Counter

import numpy as np
import pytest

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.transforms import SampleShots

SHOTS = np.array([[0, 10], [10, 19], [19, 31], [31, 39], [39, 49]])


def sample(transform: SampleShots, index: int = 0, fps: float = 25., shots: np.ndarray = SHOTS, frames: int = 49,
           **more) -> dict:
    return transform(dict(total_frames=frames, fps=fps, sample_idx=index, filename='a.mp4', shots=shots,
                          shot_frames=frames) | more)


def draws(transform: SampleShots, count: int, **kwargs) -> np.ndarray:
    """(count, K, L) frames of many videos."""
    transform.set_epoch(0, 0)
    inds = np.stack([sample(transform, index, **kwargs)['frame_inds'] for index in range(count)])
    return inds.reshape(count, transform.num_shots, transform.shot_len)


def chi_squared(counts: list[int]) -> float:
    expected = sum(counts) / len(counts)
    return sum((count - expected)**2 / expected for count in counts)


def test_views_are_frames():
    results = sample(SampleShots(num_shots=4, shot_len=8))
    assert results['frame_inds'].shape == (32, 1) and results['frame_inds'].dtype == np.int64
    assert len(set(results['view_seeds'])) == 32


def test_consecutive_frames_of_consecutive_shots_all_equally_likely():
    # 9 and 8 frames of SHOTS[1] and SHOTS[3] hold 2 and 1 places for L = 8, the others 3, 5 and 3.
    frames = draws(SampleShots(num_shots=2, shot_len=8), 2000)
    assert (np.diff(frames, axis=2) == 1).all()
    first, last = frames[:, :, 0], frames[:, :, -1]
    shot = (first[..., None] >= SHOTS[:, 0]).sum(-1) - 1  # (count, K)
    assert (last < SHOTS[shot, 1]).all() and (np.diff(shot, axis=1) == 1).all()
    starts = Counter(shot[:, 0].tolist())
    assert len(starts) == 4 and chi_squared(list(starts.values())) < 16.3  # 3 degrees of freedom, p = .001
    places = Counter(tuple(pair) for pair in first[shot[:, 0] == 1].tolist())
    assert len(places) == 10 and chi_squared(list(places.values())) < 27.9  # 2 x 5 places; 9 degrees, p = .001


def test_shots_too_short_are_left_out_and_part_their_neighbours():
    frames = draws(SampleShots(num_shots=2, shot_len=9), 300)
    assert {tuple(row) for row in frames[:, :, 0].tolist()} == {
        *((first, 10) for first in (0, 1)), *((10, second) for second in (19, 20, 21, 22))}
    apart = np.array([[0, 9], [9, 18], [20, 30], [30, 39]])
    firsts = draws(SampleShots(num_shots=2, shot_len=9), 100, shots=apart)[:, :, 0]
    assert {tuple(row) for row in firsts.tolist()} == {(0, 9), (20, 30), (21, 30)}


@pytest.mark.parametrize('fps', [25., 30000 / 1001, 30.])
def test_a_clock_shows_the_frames_of_a_video_resampled_to_it(fps):
    """As if the video had been written anew at 1 Hz, and all of its frames been drawn from."""
    edges = (np.array([0, 10.3, 19.5, 31]) * fps).astype(int)
    shots = np.stack([edges[:-1], edges[1:]], 1)
    resampled = np.array([int(second * fps + 1e-6) for second in range(31)])
    frames = draws(SampleShots(num_shots=2, shot_len=8, target_fps=1), 400, fps=fps, shots=shots, frames=int(edges[-1]))
    seen = set()
    for row in frames.reshape(-1, 8):
        second = int(np.flatnonzero(resampled == row[0])[0])
        assert row.tolist() == resampled[second:second + 8].tolist()
        assert any(start <= row[0] and row[-1] < end for start, end in shots)
        seen.add(second)
    possible = [second for second in range(24) for start, end in shots
                if start <= resampled[second] and resampled[second + 7] < end]
    assert seen == set(possible)


def test_draws_are_a_function_of_seed_epoch_and_index():
    first, second = SampleShots(), SampleShots()
    for transform in (first, second):
        transform.set_epoch(3, 7)
    a, b = sample(first, 11), sample(second, 11)
    np.testing.assert_array_equal(a['frame_inds'], b['frame_inds'])
    assert a['view_seeds'] == b['view_seeds']
    seen = {tuple(a['view_seeds'])}
    for seed, epoch, index in [(4, 7, 11), (3, 8, 11), (3, 7, 12)]:
        first.set_epoch(seed, epoch)
        seen.add(tuple(sample(first, index)['view_seeds']))
    assert len(seen) == 4
    assert len({tuple(sample(SampleShots(), 1)['view_seeds']) for _ in range(2)}) == 2  # fresh without an epoch


@pytest.mark.parametrize('options, video, reason', [
    (dict(num_shots=6), {}, '5 of its shots have 8 frames, and no 6 of them adjoin'),
    (dict(shot_len=10), {}, '3 of its shots have 10 frames, and no 2 of them adjoin'),
    ({}, dict(shot_frames=70), 'it has 49 frames, but had 70 when its shots were found: find them anew'),
    (dict(target_fps=1), dict(fps=0.), 'its frame rate, which target_fps needs, is unknown')])
def test_videos_that_do_not_serve(options, video, reason):
    with pytest.raises(UnreadableVideo) as caught:
        sample(SampleShots(**options), **video)
    assert caught.value.reason == reason and caught.value.path == 'a.mp4'


@pytest.mark.parametrize('options', [dict(num_shots=0), dict(shot_len=0), dict(target_fps=0)])
def test_arguments_out_of_range(options):
    with pytest.raises(ValueError, match='must be at least 1|must be above 0'):
        SampleShots(**options)


def test_samples_of_another_data_set():
    with pytest.raises(ValueError, match=r"SampleShots: 'a.mp4' comes without its shots: take dict"):
        SampleShots()(dict(filename='a.mp4', total_frames=60, fps=25.))
