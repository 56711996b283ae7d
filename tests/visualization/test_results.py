import re
from statistics import mean, stdev
from xml.etree import ElementTree

from iboot_mm.visualization.results import draw_results, format_table, model_card_page, spread_of

ROWS = [
    dict(name='knn', title='k-NN, K400', figures={'knn_top1': [.5, .52, .57]}, paper=56.2, source='Table 6',
         counts=dict(gallery=dict(videos=240, official=250), query=dict(videos=20, official=None)),
         config='downstream/knn_k400.py', commands=['python tools/test.py knn'],
         seconds=[60., 30., 30.]),
    dict(name='order', title='order', figures={'order/knn_top1_forward': [.25, .25, .25],
                                               'order/knn_top1_reversed': [.125, .125, .125]},
         paper=None, source='', counts=dict(query=dict(videos=7, official=None)), config='downstream/order.py',
         commands=['python tools/test.py order'], seconds=[6., 6., 6.]),
]
RESULTS = dict(title='A network', checkpoints=[dict(name='a.pth', sha256='0123456789abcdef' * 4, seed=0),
                                               dict(name='b.pth', sha256='f' * 64, seed=1)],
               backbone=dict(type='SlowResNet', depth=18),
               teachers=[dict(type='TimmTeacher', model='resnet50', width=2048, licence='mit')],
               hardware='2 CPU cores (x)', versions=dict(torch='2.14.1'),
               date='2026-11-21', command='python tools/evaluate.py a.pth b.pth', rows=ROWS)


def test_mean_and_sample_deviation_in_percent():
    values = [.5, .52, .57]
    assert spread_of(values) == f'{100 * mean(values):.1f} ± {100 * stdev(values):.1f}' == '53.0 ± 3.6'
    assert spread_of([.4567]) == '45.7'
    assert spread_of([.4567, .4569], 'order/change_reversed') == '0.4568 ± 0.0001'  # a distance, no share


def test_table_puts_the_papers_figure_beside_the_first_of_ours():
    lines = format_table(ROWS).splitlines()
    assert re.fullmatch(r"\s+ours, %\s+paper's, %", lines[0])
    assert re.fullmatch(r'k-NN, K400 \(knn_top1\)\s+53\.0 ± 3\.6\s+56\.2 \(Table 6\)', lines[1])
    assert re.fullmatch(r'order \(order/knn_top1_forward\)\s+25\.0 ± 0\.0', lines[2])
    assert re.fullmatch(r'\s+order/knn_top1_reversed\s+12\.5 ± 0\.0', lines[3])
    change = dict(ROWS[1], figures={'order/change_reversed': [.5]})
    assert format_table([change]).splitlines()[1].split('  ')[0] == 'order (order/change_reversed, a cosine distance)'


def test_page_carries_every_figure_its_counts_its_config_and_its_commands():
    page = model_card_page(RESULTS)
    assert ('| k-NN, K400 | `knn_top1` | 53.0 ± 3.6 | 56.2 (Table 6) | 240 gallery (official 250), 20 query '
            '| `downstream/knn_k400.py` | 2.0 min |') in page
    assert '| order | `order/knn_top1_forward` | 25.0 ± 0.0 | none | 7 query |' in page
    assert '|  | `order/knn_top1_reversed` | 12.5 ± 0.0 |  |' in page
    for text in ('`a.pth`, sha256 0123456789abcdef', '2 CPU cores (x)', 'torch 2.14.1', 'python tools/test.py order',
                 'python tools/evaluate.py a.pth b.pth', '| seeds | 0, 1 |',
                 '| pre-trained towards | resnet50, embedding of width 2048, licence of its weights: mit |'):
        assert text in page
    assert 'those of iBoot' in page and 'those of iBoot' not in model_card_page(dict(RESULTS, rows=ROWS[1:]))
    rows = [line for line in page.splitlines() if line.startswith('|')]
    assert all(line.count('|') == 8 for line in rows if '`knn' in line or '`order' in line)


def test_picture_has_a_bar_for_each_protocol_and_a_mark_for_the_papers():
    svg = draw_results(ROWS)
    ElementTree.fromstring(svg)
    assert svg.count('#0b6e99') >= 2 and '#d9730d' in svg
    assert '#d9730d' not in draw_results(ROWS[1:])
