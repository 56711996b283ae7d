import io

import pytest
from matplotlib.colors import to_rgba

from iboot_mm.visualization.run_plot import draw_runs
from iboot_mm.visualization.series import Series

NAN = float('nan')


def line(name, runs=1, places=(1., 2., 3.)):
    deviation = [.1] * len(places) if runs > 1 else [NAN] * len(places)
    return Series(name, list(places), [.2 + .1 * at for at in range(len(places))], deviation, [runs] * len(places))


def labels(figure):
    figure.savefig(io.BytesIO(), format='png')
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_for_each_metric_and_a_colour_for_each_name():
    figure = draw_runs({'knn_top1': [line('a', 3), line('b')], 'loss': [line('b')]}, 'epoch')
    first, second = figure.axes
    assert [axis.get_title(loc='left') for axis in figure.axes] == ['knn_top1, %', 'loss']
    for axis, values in ((first, [20, 30, 40]), (second, [.2, .3, .4])):
        assert list(axis.lines[0].get_ydata()) == pytest.approx(values)
    assert first.lines[1].get_color() == second.lines[0].get_color() != first.lines[0].get_color()
    band, = first.collections  # of the seeds
    assert sorted({round(y) for _, y in band.get_paths()[0].vertices}) == [10, 20, 30, 40, 50]
    assert labels(figure) == ['a (3 runs)', 'b']


def test_places_of_a_last_row_without_a_panel_are_empty():
    figure = draw_runs({metric: [line('a')] for metric in ('loss', 'lr', 'knn_top1', 'memory')}, 'epoch')
    assert [axis.axison for axis in figure.axes] == [True] * 4 + [False] * 2


def test_ten_lines_can_be_told_apart():
    lines = draw_runs({'loss': [line(str(number)) for number in range(10)]}, 'step').axes[0].lines
    assert len({(to_rgba(part.get_color()), part.get_linestyle()) for part in lines}) == 10


@pytest.mark.parametrize('name', ['_hidden', '$x', 'a$b$c', 'x_{y}^$', '%s \\frac'])
def test_names_are_drawn_as_they_are(name):
    figure = draw_runs({name: [line(name)]}, 'rho')
    assert [text.replace('\\$', '$').strip() for text in labels(figure)] == [name]


def test_a_long_name_is_cut_in_its_middle():
    text, = labels(draw_runs({'loss': [line('a' * 40 + 'b' * 40)]}, 'step'))
    assert len(text) == 44 and text.startswith('aaa') and text.endswith('bbb') and '\u2026' in text


def test_bars_stand_side_by_side_and_a_missing_one_leaves_its_place():
    figure = draw_runs({'acc/top1': [line('MoCo', 2, ('T S C', 'Base')), line('BYOL', 1, ('Base', ))]}, 'name')
    axis, = figure.axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ['T S C', 'Base']
    middles = [round(bar.get_x() + bar.get_width() / 2, 6) for bar in axis.patches]
    assert middles == [-.2, .8, 1.2] and [bar.get_height() for bar in axis.patches] == pytest.approx([20, 30, 20])
    assert labels(figure) == ['MoCo (2 runs)', 'BYOL']


def test_short_runs_are_in_minutes_and_scales_may_be_logarithmic():
    axis = draw_runs({'loss': [line('a', places=(0., .01, .5))]}, 'time').axes[0]
    assert axis.get_xlabel().startswith('minutes') and list(axis.lines[0].get_xdata()) == pytest.approx([0, .6, 30])
    axis = draw_runs({'loss': [line('a', places=(1., 2.))]}, 'time').axes[0]
    assert axis.get_xlabel().startswith('hours')
    assert draw_runs({'loss': [line('a')]}, 'train_cfg.max_epochs', log=True).axes[0].get_xscale() == 'log'
