"""Intervals against tables, exact tails and the normal approximation."""

import numpy as np
import pytest
from scipy.stats import beta

from iboot_mm.evaluation.metrics.intervals import accuracy_interval, paired_difference


@pytest.mark.parametrize('hits, videos', [(0, 10), (8, 10), (10, 10), (33, 90)])
def test_accuracy_interval_is_clopper_and_pearson_s(hits, videos):
    low = beta.ppf(.025, hits, videos - hits + 1) if hits else 0.
    high = beta.ppf(.975, hits + 1, videos - hits) if hits < videos else 1.
    assert accuracy_interval(hits / videos, videos) == pytest.approx((low, high))


def test_accuracy_interval_refuses_what_is_no_share():
    with pytest.raises(ValueError, match=r'is in \[0, 1\], got 33'):
        accuracy_interval(33, 90)
    with pytest.raises(ValueError, match='num_videos'):
        accuracy_interval(.5, 0)


def test_one_run_is_the_bootstrap_over_videos():
    rng = np.random.default_rng(1)
    ours, theirs = rng.random(400) < .6, rng.random(400) < .5
    gap = ours.astype(float) - theirs
    difference, low, high = paired_difference([ours], [theirs], True)
    assert difference == pytest.approx(gap.mean())
    error = 1.96 * gap.std() / 20  # of a mean of 400
    assert (low, high) == pytest.approx((gap.mean() - error, gap.mean() + error), abs=.012)


def test_pairs_take_out_what_is_easy_for_both():
    easy = np.arange(200) < 100
    ours, theirs = easy.copy(), easy.copy()
    ours[100:120] = True  # ten points ahead on the same videos
    _, low, _ = paired_difference([ours], [theirs], True, rounds=2000)
    _, unpaired, _ = paired_difference([ours], [np.random.default_rng(0).permutation(theirs)], True, rounds=2000)
    assert low > .05 > unpaired


def test_seeds_that_disagree_widen_it_and_other_videos_are_drawn_apart():
    good, bad = np.ones(50, bool), np.zeros(50, bool)
    assert paired_difference([good, bad, bad], [bad, bad, bad], True, rounds=500)[1:] == (0., 1.)
    # each run's own videos: 1/50 and 49/50 can only be told apart where they are not drawn in common
    half = np.arange(50) < 25
    apart = paired_difference([half, ~half], [bad, bad], False, rounds=4000)
    same = paired_difference([half, ~half], [bad, bad], True, rounds=4000)
    assert apart[0] == same[0] == .5
    assert apart[2] - apart[1] == pytest.approx(2 * 1.96 * .5 / 10, abs=.03)  # of 100 coins
    with pytest.raises(ValueError, match=r'the same videos, got \[50\] and \[40\]'):
        paired_difference([good], [bad[:40]], True)
