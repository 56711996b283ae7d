import pytest
import torch
from mmaction.evaluation import AccMetric

from iboot_mm.evaluation import ReadableAccMetric

from ...distributed import run_in_processes


def samples(count, classes=3, seed=0, replaced=()):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(count, classes, generator=generator)
    labels = torch.randint(classes, (count, 1), generator=generator)
    return [dict(pred_score=scores[i], gt_label=labels[i], replaced=i in replaced) for i in range(count)]


def build(*topk):
    return ReadableAccMetric(metric_options=dict(top_k_accuracy=dict(topk=topk)))


def top1(data):
    return sum(int(d['pred_score'].argmax() == d['gt_label'][0]) for d in data) / len(data)


def evaluate(metric, data, size=None):
    for start in range(0, len(data), 4):
        metric.process(None, data[start:start + 4])
    return metric.evaluate(size or len(data))


def test_it_is_mmaction2s_figure_and_the_counted_share():
    data = samples(50)
    figures = evaluate(build(1, 2), data)
    stock = evaluate(AccMetric(metric_options=dict(top_k_accuracy=dict(topk=(1, 2)))), data)
    assert figures.pop('acc/unreadable') == 0
    assert figures == stock and figures['acc/top1'] == pytest.approx(top1(data))


def test_stand_ins_are_left_out_and_counted(caplog):
    gone = {0, 7, 8, 31}
    data = samples(40, replaced=gone)
    figures = evaluate(build(1), data)
    assert figures['acc/unreadable'] == 4
    assert figures['acc/top1'] == pytest.approx(top1([d for i, d in enumerate(data) if i not in gone]))
    assert figures['acc/top1'] != pytest.approx(top1(data))


def test_nothing_readable_is_an_error():
    with pytest.raises(ValueError, match='none of the test videos could be read'):
        evaluate(build(1), samples(4, replaced=range(4)))


def _on_rank(rank, world_size, out):
    data = samples(7, replaced={3})  # 7 videos on 2 ranks: the sampler repeats video 0 at the end
    own = [data[i % 7] for i in range(rank, 8, world_size)]
    figures = evaluate(build(1), own, size=7)
    if rank == 0:
        torch.save(figures, out)


def test_the_padded_tail_is_not_counted(tmp_path):
    run_in_processes(_on_rank, 2, str(tmp_path / 'figures.pth'))
    figures = torch.load(tmp_path / 'figures.pth')
    kept = [d for i, d in enumerate(samples(7)) if i != 3]
    assert figures['acc/top1'] == pytest.approx(top1(kept)) and figures['acc/unreadable'] == 1


def test_the_mean_over_many_labels_is_scikit_learns():
    """Charades: labels that no video has are left out; the rest is the step-wise area, ties taken together."""
    average_precision_score = pytest.importorskip('sklearn.metrics').average_precision_score
    generator = torch.Generator().manual_seed(3)
    scores = (torch.rand(60, 7, generator=generator) * 20).round() / 20  # with ties
    labels = (torch.rand(60, 7, generator=generator) < .2).float()
    labels[:, 4] = 0
    data = [dict(pred_score=scores[i], gt_label=labels[i], replaced=False) for i in range(60)]
    figure = evaluate(ReadableAccMetric(metric_list='mean_average_precision'), data)['acc/mean_average_precision']
    there = labels.sum(0) > 0
    expected = average_precision_score(labels[:, there].numpy(), scores[:, there].numpy(), average='macro')
    assert figure == pytest.approx(expected, abs=1e-9)
