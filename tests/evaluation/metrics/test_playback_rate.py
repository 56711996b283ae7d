"""Rates recognised, against counting by hand."""

import pytest
import torch

from iboot_mm.evaluation import PlaybackRateMetric


def clips(predicted, shown, replaced=False):
    return [dict(pred_score=torch.eye(3)[p], gt_label=torch.tensor([s]), replaced=replaced)
            for p, s in zip(predicted, shown, strict=True)]


def test_figures_are_counted_over_clips_and_the_log_shows_the_matrix(monkeypatch):
    metric = PlaybackRateMetric(names=('1x', '2x', '4x'))
    two_videos = dict(data_samples=[None, None])
    metric.process(two_videos, clips([0, 1], [0, 0]) + clips([1, 0], [1, 0]))
    metric.process(dict(data_samples=[None]), clips([2, 2], [2, 2], replaced=True))
    lines = []
    monkeypatch.setattr('iboot_mm.evaluation.metrics.playback_rate.print_log', lambda text, **_: lines.append(text))
    figures = metric.evaluate(size=3)
    assert figures == {'rate/top1': pytest.approx(.75), 'rate/chance': pytest.approx(.75),
                       'rate/top1_1x': pytest.approx(2 / 3), 'rate/top1_2x': 1.}
    table = [line.split() for line in lines[0].splitlines()[1:]]
    assert '1 unreadable' in lines[0]
    assert table == [['1x', '2x', '4x'], ['1x', '2', '1', '0'], ['2x', '0', '1', '0'], ['4x', '0', '0', '0']]


def test_the_padded_tail_of_a_sampler_is_cut_by_videos():
    metric = PlaybackRateMetric(names=('1x', '2x', '4x'))
    metric.process(dict(data_samples=[None] * 3), clips([0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]))
    assert metric.evaluate(size=2)['rate/top1'] == 1.


def test_nothing_readable():
    metric = PlaybackRateMetric(names=('1x', '2x', '4x'))
    metric.process(dict(data_samples=[None]), clips([0], [0], replaced=True))
    with pytest.raises(ValueError, match='none of the videos could be read'):
        metric.evaluate(size=1)


@pytest.mark.parametrize('names', [('1x', '2x'), ('1x', '2x', '4x', '8x')])
def test_every_class_has_a_name(names):
    metric = PlaybackRateMetric(names=names)
    with pytest.raises(ValueError, match=f'names has {len(names)} classes, but the head tells 3 apart: name those of'):
        metric.process(dict(data_samples=[None]), clips([0], [0]))
