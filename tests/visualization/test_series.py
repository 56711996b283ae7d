from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from iboot_mm.visualization.series import (
    Series,
    average_curves,
    common_name,
    gather_points,
    in_percent,
    short_names,
)


def test_mean_and_sample_deviation_of_each_place():
    values = np.random.default_rng(0).random((3, 5))
    series = average_curves('a', [list(enumerate(line)) for line in values])
    assert series.x == list(range(5)) and series.runs == [3] * 5
    assert series.mean == pytest.approx([mean(column) for column in values.T])
    assert series.deviation == pytest.approx([stdev(column) for column in values.T])
    assert series.rows('m', 'epoch')[2] == dict(metric='m', name='a', over='epoch', x=2, mean=series.mean[2],
                                                deviation=series.deviation[2], runs=3)


def test_runs_logged_at_other_places_are_averaged_where_all_of_them_are():
    straight = [[(at, 2. * at) for at in (0, 3, 7, 10)], [(at, 4. * at) for at in (1, 4, 6)]]
    series = average_curves('a', straight)
    assert series.x == [1, 3, 4, 6] and series.mean == pytest.approx([3. * at for at in series.x])
    with pytest.raises(ValueError, match='of the runs of a one ends before another begins'):
        average_curves('a', [[(0, 1.), (1, 1.)], [(2, 1.)]])


def test_one_run_has_no_deviation():
    series = average_curves('a', [[(1, .5), (2, .75)]])
    assert series.mean == [.5, .75] and np.isnan(series.deviation).all() and series.runs == [1, 1]


def test_what_is_no_number_is_a_gap():
    series = average_curves('a', [[(1, .5), (2, float('inf')), (3, .25)]])
    assert np.isnan(series.mean[1]) and [series.mean[0], series.mean[2]] == [.5, .25]


def test_single_figures_are_put_together_by_place():
    series = gather_points('a', [(3, 1.), (1, 5.), (3, 2.), (3, 6.)])
    assert (series.x, series.mean, series.runs) == ([1, 3], [5., 3.], [1, 3])
    assert series.deviation[1] == pytest.approx(stdev([1, 2, 6]))
    assert gather_points('a', [('T S C', 1.), ('Base', 2.), ('T S C', 3.)]).x == ['T S C', 'Base']


@pytest.mark.parametrize('metric, value, percent', [
    ('digit/knn_top1', .6, True), ('ava/mAP', .2, True), ('accuracy/top1', 71., False), ('loss', .3, False),
    ('top1_acc', .1, True), ('retrieval/R@5', .5, True), ('lr', .1, False)])
def test_shares_are_shown_in_percent(metric, value, percent):
    assert in_percent(metric, [Series('a', [1], [value], [float('nan')], [1])]) is percent


def test_names_are_as_short_as_they_can_be():
    assert short_names([Path('/a/b/run'), Path('/a/c/run'), Path('/a/c/x')]) == ['b/run', 'c/run', 'c/x']
    assert short_names([Path('/a/run')] * 2) == ['run', 'run']


@pytest.mark.parametrize('names, name', [
    (['byol_seed0', 'byol_seed1'], 'byol'), (['r18-s0', 'r18-s12'], 'r18'), (['run1', 'run2'], 'run'),
    (['bus', 'bus2'], 'bus'), (['0', '1'], '0 and others'), (['a/x', 'a/y'], 'a'), (['byol_seed0'], 'byol_seed0')])
def test_names_of_seeds(names, name):
    assert common_name(names) == name
