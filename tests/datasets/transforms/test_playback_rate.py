"""Rates are what their labels say, drawn evenly, and never stretched by a repeated frame."""

import numpy as np
import pytest
from scipy.stats import chisquare

from iboot_mm.datasets.decoders import UnreadableVideo
from iboot_mm.datasets.transforms import PackViews, PlaybackRate


def draw(total_frames=300, videos=200, **options):
    """Frame numbers (videos, V, T) and classes (videos, V)."""
    sample = PlaybackRate(**options)
    sample.set_epoch(0, 0)
    drawn = [sample(dict(filename='a.mp4', sample_idx=i, total_frames=total_frames, fps=30.)) for i in range(videos)]
    return (np.array([result['frame_inds'] for result in drawn]),
            np.array([result['labels']['playback_rate'] for result in drawn]))


def test_frames_lie_as_far_apart_as_the_label_says():
    inds, labels = draw(jitter=0.)
    assert inds.shape == (200, 4, 8) and inds.min() >= 0 and inds.max() <= 299
    np.testing.assert_array_equal(np.diff(inds), np.broadcast_to(2 * 2**labels[..., None], (200, 4, 7)))


def test_rates_and_starts_are_drawn_evenly():
    labels = draw(videos=600)[1]
    assert np.bincount(labels.ravel()).tolist() == pytest.approx([600] * 4, rel=.15)
    starts = draw(videos=600, rates=(1, ), jitter=0., total_frames=20)[0][..., 0]  # 15 frames lie in it at 6 places
    assert np.bincount(starts.ravel()).tolist() == pytest.approx([400] * 6, rel=.15)
    assert (starts[:, 0] == starts[:, 1]).mean() == pytest.approx(1 / 6, abs=.05)  # each by itself


def test_jitter_multiplies_the_rate():
    inds, labels = draw(jitter=.2)
    speeds = (inds[..., -1] - inds[..., 0]) / 7 / (2 * 2.**labels)
    assert speeds[labels > 1].min() == pytest.approx(.8, abs=.03) and speeds[labels > 1].max() == pytest.approx(
        1.2, abs=.03)


def test_jitter_never_repeats_a_frame():
    inds, labels = draw(jitter=.4, frame_interval=1, rates=(1, 2))
    assert np.diff(inds).min() >= 1
    assert (np.diff(inds)[labels == 0] > 1).any()  # there is some


def test_a_short_video_is_shown_at_the_rates_that_fit():
    inds, labels = draw(total_frames=57)  # (8 - 1) x 2 x 4 + 1: rate 4 fits just so, rate 8 does not
    assert set(labels.ravel()) == {0, 1, 2}
    assert (np.diff(inds) >= 1).all() and inds.max() <= 56  # no frame is repeated
    assert (inds[..., -1] - inds[..., 0]).max() == 56


@pytest.mark.parametrize('total_frames', [15, 57, 112, 300])
def test_frame_numbers_that_wrap_show_each_rate_as_often_in_every_video(total_frames):
    inds, labels = draw(total_frames, videos=600, jitter=0., wrap=True)
    assert chisquare(np.bincount(labels.ravel(), minlength=4)).pvalue > .001
    assert inds.min() >= 0 and inds.max() < total_frames
    np.testing.assert_array_equal(np.diff(inds) % total_frames,  # a jump to the beginning counts as a step
                                  np.broadcast_to(2 * 2**labels[..., None] % total_frames, (600, 4, 7)))
    starts = inds[..., 0].ravel()  # where a clip at the lowest rate fits, at every rate
    for label in range(4):
        found = np.bincount(starts[labels.ravel() == label], minlength=total_frames - 14)
        assert len(found) == total_frames - 14 and (total_frames == 15 or chisquare(found).pvalue > .001)


def test_without_wrapping_the_length_of_a_video_tells_of_the_rate():
    labels = draw(112, videos=600, jitter=0.)[1]  # rate 8 spans 113 frames
    shares = np.bincount(labels.ravel(), minlength=4) / labels.size
    assert chisquare(np.bincount(labels.ravel(), minlength=4)).pvalue < 1e-9
    np.testing.assert_allclose(shares, [1 / 3, 1 / 3, 1 / 3, 0], atol=.03)


def test_wrapped_clips_with_jitter_backward_and_in_the_middle():
    inds, labels = draw(total_frames=113, wrap=True, jitter=.2, videos=400)
    steps = np.diff(inds) % 113
    assert set(steps[labels == 3].ravel()) <= set(range(12, 21)) and len(set(steps[labels == 3].ravel())) > 6
    backward, kinds = draw(total_frames=40, wrap=True, jitter=0., reverse=True, rates=(1, 8), distinct=True)
    np.testing.assert_array_equal(np.diff(backward) % 40, np.choose(kinds, [2, 16, 38, 24])[..., None] + [[[0] * 7]])
    np.testing.assert_array_equal(np.sort(kinds), np.broadcast_to(np.arange(4), (200, 4)))
    inds, labels = draw(total_frames=60, videos=2, test_mode=True, wrap=True, rates=(1, 8))
    np.testing.assert_array_equal(labels, [[0, 1, 0, 1], [1, 0, 1, 0]])
    assert inds[0, 0].tolist() == list(range(22, 38, 2))
    assert inds[0, 1].tolist() == [(np.floor(-52.5 / 2) + 16 * step) % 60 for step in range(8)]


def test_backward_clips_have_labels_of_their_own():
    inds, labels = draw(reverse=True, rates=(1, 2), jitter=0.)
    np.testing.assert_array_equal(np.diff(inds)[..., 0], np.choose(labels, [2, 4, -2, -4]))
    assert np.bincount(labels.ravel()).tolist() == pytest.approx([200] * 4, rel=.25)


def test_distinct_clips_show_every_class_of_a_video():
    inds, labels = draw(videos=400, distinct=True, reverse=True, rates=(1, 2), jitter=.2)
    np.testing.assert_array_equal(np.sort(labels), np.broadcast_to(np.arange(4), (400, 4)))
    assert np.bincount(labels[:, 0]).tolist() == pytest.approx([100] * 4, rel=.3)  # in turn from a drawn one
    lengths = inds[..., -1] - inds[..., 0]
    assert (np.sign(lengths) == np.where(labels < 2, 1, -1)).all()
    assert np.ptp(lengths[labels == 1]) > 7  # with jitter
    short = draw(total_frames=57, distinct=True)[1]  # rate 8 does not fit, so one of three comes twice
    assert [len(set(row)) for row in short] == [3] * 200 and set(short.ravel()) == {0, 1, 2}
    fewer = draw(num_views=2, distinct=True)[1]
    assert (fewer[:, 0] != fewer[:, 1]).all()


def test_test_mode_shows_every_class_in_the_middle():
    inds, labels = draw(videos=3, test_mode=True, reverse=True, rates=(1, 2), total_frames=101)
    np.testing.assert_array_equal(labels, [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1]])
    assert np.abs(inds.mean(-1) - 50).max() <= 1
    np.testing.assert_array_equal(inds, draw(videos=3, test_mode=True, reverse=True, rates=(1, 2), total_frames=101)[0])


def test_draws_depend_on_seed_epoch_video_and_view_only():
    sample, info = PlaybackRate(), dict(filename='a.mp4', sample_idx=3, total_frames=300, fps=30.)
    sample.set_epoch(1, 5)
    first = sample(dict(info))['frame_inds']
    sample(dict(info, sample_idx=4))
    np.testing.assert_array_equal(sample(dict(info))['frame_inds'], first)
    sample.set_epoch(1, 6)
    assert (sample(dict(info))['frame_inds'] != first).any()


def test_a_video_shorter_than_a_clip_is_unreadable():
    with pytest.raises(UnreadableVideo, match='a.mp4 cannot be read: its 14 frames hold no clip at the lowest rate, '
                                              'which takes 15'):
        draw(total_frames=14, videos=1)
    assert draw(total_frames=15, videos=1)[1].tolist() == [[0] * 4]
    with pytest.raises(UnreadableVideo, match='its 11 frames .* takes 12'):
        draw(total_frames=11, videos=1, frame_interval=1.5)
    assert draw(total_frames=12, videos=1, frame_interval=1.5)[1].tolist() == [[0] * 4]


@pytest.mark.parametrize('options', [dict(rates=()), dict(rates=(2, 1)), dict(rates=(0, 1)), dict(jitter=1.)])
def test_bad_options(options):
    with pytest.raises(ValueError, match='PlaybackRate: (rates|jitter) must'):
        PlaybackRate(**options)
    with pytest.raises(ValueError, match='PlaybackRate: num_views and clip_len must be at least 1'):
        PlaybackRate(num_views=0)
    with pytest.raises(ValueError, match='PlaybackRate: at rate 0.5 a clip would repeat frames, since'):
        PlaybackRate(frame_interval=1, rates=(.5, 1))


def test_labels_reach_the_data_sample():
    imgs = np.zeros((2, 1, 4, 4, 3), np.uint8)
    labels = dict(digit=3, playback_rate=[2, 0])
    packed = PackViews(label='playback_rate')(dict(imgs=imgs, labels=labels, view_seeds=[1, 2]))
    assert packed['data_samples'].gt_label.tolist() == [2, 0]
