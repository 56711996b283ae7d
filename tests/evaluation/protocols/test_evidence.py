"""Cells of the page of evidence: what they are compared by, and how sure they are."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest

from iboot_mm.evaluation.protocols.evidence import COLUMNS, METHODS, Cell, compare, evidence_tables, interval_of, select


def cell(method, seed, right, split=0, **about):
    about = {**dict(data='people', label='label', protocol='knn', right=tuple(right)), **about}
    return Cell(method=method, seed=seed, value=float(np.mean(right)), videos=len(right), split=split, **about)


HALF, MOST = [True, False] * 20, [True] * 30 + [False] * 10


def test_seeds_on_the_same_videos_are_one_test_and_splits_are_several():
    same = [cell('iboot', seed, MOST) for seed in range(3)]
    apart = [cell('iboot', seed, MOST, split=seed) for seed in range(3)]
    assert interval_of(same) == pytest.approx(tuple(binomtest(30, 40).proportion_ci(.95, 'exact')))
    assert interval_of(apart) == pytest.approx(tuple(binomtest(90, 120).proportion_ci(.95, 'exact')))


def test_only_runs_that_both_have_are_compared():
    cells = [*(cell('iboot', seed, MOST) for seed in (0, 1)), *(cell('simclr', seed, HALF) for seed in (1, 2)),
             dataclasses.replace(cell('byol', 1, HALF), right=None)]
    found = compare(cells, 'iboot', 'simclr')
    assert found['seeds'] == [1] and found['difference'] == pytest.approx(.25)
    assert found['low'] < .25 < found['high']
    assert compare(cells, 'iboot', 'byol') is None and compare(cells, 'iboot', 'moco') is None


def test_tables_have_a_row_for_every_method_and_a_place_for_every_protocol():
    cells = [cell('iboot', 1, HALF), cell('iboot', 0, MOST), cell('iboot', 0, MOST, label='motion', data='digits')]
    people, digits = evidence_tables(cells)
    assert (people['data'], digits['data'], digits['label']) == ('people', 'digits', 'motion')
    assert people['rows'].keys() == METHODS.keys()
    assert all(row.keys() == COLUMNS.keys() for row in people['rows'].values())
    assert people['rows']['iboot']['knn']['values'] == [.75, .5]  # by seed
    assert people['rows']['byol']['knn'] is None and people['videos'] == 40
    assert select(cells, data='digits', seed=1) == []
