"""SampleViews against brute force and its own definitions."""

from collections import Counter

import numpy as np
import pytest
from mmaction.datasets.transforms import SampleFrames

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.transforms import SampleViews


def sample(transform: SampleViews, total_frames: int, fps: float = 30., index: int = 0) -> dict:
    return transform(dict(total_frames=total_frames, fps=fps, sample_idx=index, filename='a.mp4'))


def starts_of(transform: SampleViews, total_frames: int, count: int, fps: float = 30.) -> np.ndarray:
    """(count, V) first frames of many videos."""
    transform.set_epoch(0, 0)
    return np.stack([sample(transform, total_frames, fps, i)['frame_inds'][:, 0] for i in range(count)])


def test_shape_and_spacing():
    results = sample(SampleViews(num_views=3, clip_len=8, frame_interval=8), 300)
    assert results['frame_inds'].shape == (3, 8) and results['frame_inds'].dtype == np.int64
    np.testing.assert_array_equal(np.diff(results['frame_inds'], axis=1), 8)
    assert len(results['view_seeds']) == len(set(results['view_seeds'])) == 3


def test_every_start_is_equally_likely():
    # 4 frames at a distance of 3 reach over 10 frames: 20 - 9 = 11 starts.
    starts = starts_of(SampleViews(num_views=2, clip_len=4, frame_interval=3), 20, 4400).ravel()
    counts = np.bincount(starts)
    assert len(counts) == 11
    expected = 8800 / 11
    assert ((counts - expected)**2 / expected).sum() < 29.6  # chi-squared with 10 degrees of freedom, p = .001


def test_views_are_independent():
    starts = starts_of(SampleViews(num_views=3, clip_len=2, frame_interval=1), 101, 3000).astype(float)
    correlation = np.corrcoef(starts.T)
    assert np.abs(correlation - np.eye(3)).max() < .06  # three standard deviations of 1 / sqrt(3000)
    order = Counter(tuple(np.argsort(row)) for row in starts)
    assert len(order) == 6 and min(order.values()) > 400  # not ordered in time either


def test_draws_are_a_function_of_seed_epoch_index_and_view():
    first, second = SampleViews(), SampleViews(num_views=5)
    first.set_epoch(3, 7)
    second.set_epoch(3, 7)
    a, b = sample(first, 500, index=11), sample(second, 500, index=11)
    np.testing.assert_array_equal(a['frame_inds'], b['frame_inds'][:3])  # more views leave the others as they are
    assert a['view_seeds'] == b['view_seeds'][:3]
    seen = {tuple(a['view_seeds'])}
    for seed, epoch, index in [(4, 7, 11), (3, 8, 11), (3, 7, 12), (7, 3, 11)]:
        first.set_epoch(seed, epoch)
        seen.add(tuple(sample(first, 500, index=index)['view_seeds']))
    assert len(seen) == 5


def test_never_replays_if_no_epoch_was_set():
    transform = SampleViews()
    np.random.seed(0)
    first = sample(transform, 5000)
    np.random.seed(0)
    second = sample(transform, 5000)
    assert first['view_seeds'] != second['view_seeds']
    assert (first['frame_inds'] != second['frame_inds']).any()


def test_without_an_index_the_name_decides():
    transform = SampleViews()
    transform.set_epoch(0, 0)
    seeds = [transform(dict(total_frames=99, fps=30., filename=name))['view_seeds'] for name in ('a', 'b', 'a')]
    assert seeds[0] == seeds[2] != seeds[1]


def test_target_fps_fixes_the_duration():
    """The same clock in Hz gives clips of the same seconds, whatever the video's rate."""
    for fps in (12.5, 25, 30, 59.94):
        inds = sample(SampleViews(clip_len=8, frame_interval=8, target_fps=30), int(20 * fps), fps)['frame_inds']
        seconds = (inds - inds[:, :1]) / fps
        np.testing.assert_allclose(seconds, np.broadcast_to(np.arange(8) * 8 / 30, (3, 8)), atol=1 / fps)
    same = SampleViews(target_fps=30), SampleViews()
    for transform in same:
        transform.set_epoch(1, 1)
    np.testing.assert_array_equal(*[sample(transform, 300, 30.)['frame_inds'] for transform in same])


def test_target_fps_covers_the_whole_video():
    # 25 Hz read at 30 Hz: a clip reaches over 7 * 8 * 25 / 30 = 46.7 frames.
    starts = starts_of(SampleViews(num_views=1, target_fps=30), 60, 2000, 25.).ravel()
    inds = starts[:, None] + np.floor(np.arange(8) * 8 * 25 / 30)
    assert starts.min() == 0 and starts.max() == 13 and inds.max() == 59


@pytest.mark.parametrize('max_span', [0., .1, .77, 2., 1000.])
def test_max_span_bounds_the_distance_of_views(max_span):
    starts = starts_of(SampleViews(num_views=3, max_span=max_span), 400, 1500)
    distance = starts.max(1) - starts.min(1)
    assert distance.max() <= max_span * 30
    if max_span < 100:
        assert distance.max() >= .8 * np.floor(max_span * 30)  # and uses the room it has
    assert starts.min() < 10 and starts.max() > 400 - 57 - 10  # over the whole video still


@pytest.mark.parametrize('max_span', [0., 1., 5., 11.])
def test_max_span_leaves_every_start_equally_likely(max_span):
    """A window inside the video would show its first and last twentieth up to eleven times less often."""
    starts = starts_of(SampleViews(num_views=2, clip_len=2, frame_interval=1, max_span=max_span), 401, 4000)
    for view in range(2):
        counts = np.bincount(starts[:, view] // 20, minlength=20)
        assert len(counts) == 20 and ((counts - 200)**2 / 200).sum() < 50  # 19 degrees of freedom, p = .0001
    if max_span:
        assert len(np.unique(starts[:, 1] - starts[:, 0])) > 50


# Jitter of the frame rate ---------------------------------------------------------------------------------------------


def spaced(fps_jitter: float, total_frames: int, count: int = 1500, **arguments) -> tuple[np.ndarray, np.ndarray]:
    """Starts and mean distances of frames, (count, V) each; clips of 101 frames tell the distance to 1/100."""
    transform = SampleViews(clip_len=101, frame_interval=4, fps_jitter=fps_jitter, **arguments)
    transform.set_epoch(0, 0)
    inds = np.stack([sample(transform, total_frames, index=i)['frame_inds'] for i in range(count)])
    return inds[..., 0], (inds[..., -1] - inds[..., 0]) / 100


def test_fps_jitter_scales_the_distance_uniformly_and_per_view():
    _, distances = spaced(.5, 10000, num_views=2)
    assert 2 <= distances.min() < 2.02 and 5.98 < distances.max() <= 6.01  # 4 x [.5, 1.5]; indices are whole
    counts = np.histogram(distances, bins=10, range=(1.995, 6.005))[0]
    assert ((counts - 300)**2 / 300).sum() < 33.7  # chi-squared with 9 degrees of freedom, p = .0001
    assert abs(np.corrcoef(distances.T)[0, 1]) < .1


def test_fps_jitter_moves_no_other_draw():
    def drawn(**arguments):
        transform = SampleViews(clip_len=1, **arguments)  # clips of one frame: the distance doesn't matter
        transform.set_epoch(2, 3)
        return [sample(transform, 500, index=i) for i in range(20)]

    for span in (None, 2.):
        for without, with_jitter in zip(drawn(max_span=span), drawn(max_span=span, fps_jitter=.5), strict=True):
            np.testing.assert_array_equal(without['frame_inds'], with_jitter['frame_inds'])
            assert without['view_seeds'] == with_jitter['view_seeds']


def test_starts_are_uniform_where_the_jittered_clip_fits():
    starts, distances = spaced(.5, 1200, num_views=2)
    places = starts / (1200 - 100 * distances)  # in [0, 1) of the room that each clip has for itself
    assert places.max() < 1 + 1 / 600
    counts = np.histogram(places, bins=10, range=(0, 1.001))[0]
    assert ((counts - 300)**2 / 300).sum() < 33.7
    assert abs(np.corrcoef(places.ravel(), distances.ravel())[0, 1]) < .08  # four standard deviations of 1 / sqrt(3000)
    assert (starts + 100 * distances).max() == 1199 and starts.min() == 0  # whole, and over the whole video


@pytest.mark.parametrize('max_span', [0., .77, 5., 1000.])
def test_max_span_holds_for_jittered_clips(max_span):
    starts, distances = spaced(.5, 1200, num_views=4, max_span=max_span)
    assert np.ptp(starts, axis=1).max() <= max_span * 30
    assert (starts + 100 * distances).max() <= 1199
    free = spaced(.5, 10000, num_views=4)[1]
    assert np.abs(distances - free).max() < .011  # no clip was cut at the end, nor its distance drawn otherwise
    if max_span == 5:  # uniform where the longest clip fits
        places = starts / (1200 - 100 * distances.max(1, keepdims=True))
        for view in range(4):
            counts = np.histogram(places[:, view], bins=10, range=(0, 1.001))[0]
            assert ((counts - 150)**2 / 150).sum() < 33.7
    if max_span == 1000:
        np.testing.assert_array_equal(starts, spaced(.5, 1200, num_views=4)[0])


def test_same_clip_shares_the_jittered_frames():
    """rho = 1: two crops of one instant; the clip is the one that view 0 has alone."""
    pair, alone = [SampleViews(num_views=views, same_clip=True, fps_jitter=.5, max_span=1.) for views in (2, 1)]
    distances = set()
    for index in range(50):
        for transform in (pair, alone):
            transform.set_epoch(0, 0)
        inds = sample(pair, 100, index=index)['frame_inds']
        np.testing.assert_array_equal(inds[0], inds[1])
        np.testing.assert_array_equal(inds[0], sample(alone, 100, index=index)['frame_inds'][0])
        distances.add(int(inds[0, -1] - inds[0, 0]))
    assert len(distances) > 20


def test_a_test_has_no_jitter():
    jittered, plain = [SampleViews(test_mode=True, fps_jitter=j) for j in (.5, 0.)]
    np.testing.assert_array_equal(sample(jittered, 300)['frame_inds'], sample(plain, 300)['frame_inds'])


def test_same_clip_shares_frames_but_not_seeds():
    results = sample(SampleViews(num_views=3, same_clip=True), 900)
    assert (results['frame_inds'] == results['frame_inds'][0]).all()
    assert len(set(results['view_seeds'])) == 3


@pytest.mark.parametrize('test_mode', [False, True])
def test_short_video_is_seen_whole_and_its_last_frame_held(test_mode):
    inds = sample(SampleViews(num_views=2, clip_len=4, frame_interval=3, test_mode=test_mode), 8)['frame_inds']
    np.testing.assert_array_equal(inds, [[0, 3, 6, 7]] * 2)
    inds = sample(SampleViews(num_views=1, clip_len=4, test_mode=test_mode), 1)['frame_inds']
    np.testing.assert_array_equal(inds, [[0] * 4])


@pytest.mark.parametrize('views', [1, 2, 3, 10])
@pytest.mark.parametrize('clip_len, interval', [(8, 8), (16, 8), (4, 3), (1, 1)])
def test_test_views_are_those_of_mmaction2(views, clip_len, interval):
    """In videos that hold a clip; of shorter ones MMAction2 starts over, here the last frame is held."""
    ours = SampleViews(num_views=views, clip_len=clip_len, frame_interval=interval, test_mode=True)
    stock = SampleFrames(clip_len=clip_len, frame_interval=interval, num_clips=views, test_mode=True)
    least = (clip_len - 1) * interval + 1
    for total in [*range(least, least + 25), 300, 301, 1000, 4999]:
        expected = stock(dict(total_frames=total, start_index=0))['frame_inds'].reshape(views, clip_len)
        np.testing.assert_array_equal(sample(ours, total)['frame_inds'], expected, err_msg=f'{total} frames')


def test_test_views_reach_from_end_to_end_on_a_clock_in_hz_too():
    transform = SampleViews(num_views=3, target_fps=30, test_mode=True)
    inds = sample(transform, 120, 25.)['frame_inds']  # a clip reaches over 46.7 frames, so starts lie in [0, 72.3]
    np.testing.assert_array_equal(inds[:, 0], [0, 36, 72])
    np.testing.assert_array_equal(inds[2] - 72, np.floor(np.arange(8) * 8 * 25 / 30))
    assert inds.max() == 118


def test_test_mode_is_fixed():
    transform = SampleViews(num_views=4, test_mode=True)
    before = sample(transform, 80)
    transform.set_epoch(5, 6)
    after = sample(transform, 80)
    assert before['view_seeds'] == after['view_seeds']
    np.testing.assert_array_equal(before['frame_inds'], after['frame_inds'])


def test_segments_hold_one_uniform_frame_each():
    transform = SampleViews(num_views=2, clip_len=4, sampling='segments')
    transform.set_epoch(0, 0)
    inds = np.stack([sample(transform, 40, index=i)['frame_inds'] for i in range(3000)]).reshape(-1, 4)
    np.testing.assert_array_equal(inds // 10, np.broadcast_to(np.arange(4), inds.shape))
    for counts in map(np.bincount, (inds % 10).T):
        assert len(counts) == 10 and ((counts - 600)**2 / 600).sum() < 33.7  # chi-squared, 9 degrees, p = .0001
    correlation = np.corrcoef(np.hstack([inds[::2], inds[1::2]]).T)  # of segments, and of views
    assert np.abs(correlation - np.eye(8)).max() < .08


def test_segments_of_a_length_that_does_not_divide():
    transform = SampleViews(num_views=1, clip_len=3, sampling='segments')
    transform.set_epoch(0, 0)
    inds = np.concatenate([sample(transform, 10, index=i)['frame_inds'] for i in range(6000)])
    # Frame 3 belongs to the first part by a third (10 / 3) and to the second by two thirds.
    np.testing.assert_allclose((inds == 3).mean(0), [.1, .2, 0], atol=.02)
    assert inds.min() == 0 and inds.max() == 9


def test_segments_of_a_test_are_the_middle_frames():
    def middle(total, **arguments):
        return sample(SampleViews(sampling='segments', test_mode=True, **arguments), total)['frame_inds'].tolist()

    assert middle(80, num_views=1) == [[5, 15, 25, 35, 45, 55, 65, 75]]
    assert middle(32, num_views=3, clip_len=2) == [[4, 20], [8, 24], [12, 28]]
    assert middle(3, num_views=1, clip_len=6) == [[0, 0, 1, 1, 2, 2]]  # fewer frames than segments


def test_segments_span_the_video_whatever_the_interval():
    one, other = [SampleViews(sampling='segments', frame_interval=interval, test_mode=True) for interval in (8, 1)]
    np.testing.assert_array_equal(sample(one, 30)['frame_inds'], sample(other, 30)['frame_inds'])


def test_a_file_cut_off_counts_only_if_it_holds_a_clip():
    class Cut:
        truncated = True

    transform = SampleViews(num_views=1, clip_len=4, frame_interval=3)
    assert transform(dict(total_frames=10, fps=30., filename='a', video=Cut()))['frame_inds'].tolist() == [[0, 3, 6, 9]]
    with pytest.raises(UnreadableVideo, match='cut off and its 9 whole frames hold no clip of 10'):
        transform(dict(total_frames=9, fps=30., filename='a', video=Cut()))
    segments = SampleViews(clip_len=4, frame_interval=3, sampling='segments')
    assert segments(dict(total_frames=4, fps=30., filename='a', video=Cut()))['frame_inds'].max() == 3
    with pytest.raises(UnreadableVideo, match='its 3 whole frames hold no clip of 4'):
        segments(dict(total_frames=3, fps=30., filename='a', video=Cut()))


def test_unknown_frame_rate_matters_only_where_it_is_needed():
    assert sample(SampleViews(), 300, 0.)['frame_inds'].shape == (3, 8)
    for arguments in (dict(target_fps=30), dict(max_span=1.)):
        with pytest.raises(UnreadableVideo, match='frame rate'):
            sample(SampleViews(**arguments), 300, 0.)


@pytest.mark.parametrize('arguments', [dict(num_views=0), dict(clip_len=0), dict(frame_interval=0), dict(target_fps=0),
                                       dict(max_span=-1), dict(sampling='even'),
                                       dict(target_fps=30, sampling='segments'),
                                       dict(max_span=1, sampling='segments'), dict(fps_jitter=-.1), dict(fps_jitter=1),
                                       dict(fps_jitter=.5, sampling='segments')])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        SampleViews(**arguments)
    with pytest.raises(ValueError, match='negative'):
        SampleViews().set_epoch(-1, 0)
