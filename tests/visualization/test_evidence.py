"""The page of evidence: its verdicts, and that nothing that was not run looks as if it had been."""

import re

import pytest

from iboot_mm.visualization.evidence import draw_evidence, evidence_page, reading

TITLES = dict(iboot='iBoot', byol='rho-BYOL', simclr='rho-SimCLR')
COLUMNS = dict(knn='k-NN', linear='linear')
ABOUT = dict(hardware='a core', versions=dict(torch='2'), date='2026-01-01', command='python evidence.py')


def table(*pairs, **rows):
    none = dict(knn=None, linear=None)
    return dict(data='fruit', label='label', videos=40, splits=1, pairs=list(pairs),
                rows={name: rows.get(name, none) for name in TITLES})


def pair(theirs, low, high):
    return dict(ours='iboot', theirs=theirs, difference=(low + high) / 2, low=low, high=high, seeds=[0, 1, 2])


@pytest.mark.parametrize('low, high, words', [(.01, .2, 'is ahead of'), (-.2, -.01, r'is \*\*behind\*\*'),
                                              (-.1, .1, 'is not told apart from')])
def test_an_interval_that_holds_0_shows_nothing(low, high, words):
    text = '\n'.join(reading([table(pair('byol', low, high))], TITLES))
    assert re.search(rf'\*\*fruit\*\*: iBoot {words} rho-BYOL', text)
    assert '1 comparisons' in text


def test_what_was_not_run_is_named():
    run = dict(values=[.5, .6, .7], seeds=[0, 1, 2], interval=(.4, .8))
    page = evidence_page([table(iboot=dict(knn=run, linear=None), byol=dict(knn=dict(run, values=[.5]), linear=run))],
                         {}, ABOUT, TITLES, COLUMNS, ['fruit', 'other_data'], 'evidence')
    assert '| iBoot | 60.0 ± 10.0 [40, 80] | not run |' in page and '| rho-BYOL | 50.0 [40, 80] (1 run) |' in page
    assert ('- fruit: nothing was run of rho-SimCLR; not run iBoot (linear); fewer than 3 seeds rho-BYOL (k-NN).'
            in page)
    assert '- other data: nothing was run.' in page and '- fruit: nothing was run.' not in page
    assert 'none of its rows has k-NN of a run that another method has' in page and 'No training was measured.' in page


def test_the_plot_marks_what_was_not_run():
    run = dict(values=[.52, .62, .72], seeds=[0, 1, 2], interval=(.4, .8))
    drawn = draw_evidence([table(iboot=dict(knn=run, linear=None))], TITLES, ['iboot'])
    assert drawn.count('<!-- not run -->') == 2 and '<!-- fruit -->' in drawn
    assert '<!-- 62 -->' in drawn  # the mean as a number, beside its dot
