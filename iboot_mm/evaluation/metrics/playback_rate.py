"""How well playback rates are told apart."""

from collections.abc import Sequence

import torch
from mmaction.evaluation import ConfusionMatrix
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log


@METRICS.register_module()
class PlaybackRateMetric(BaseMetric):
    """Accuracy over all clips and per class, the chance level, and the confusion matrix, which goes to the log.

    Results: ``rate/top1``; ``rate/chance``, the share of the commonest class among the clips shown; and for each class
    ``rate/top1_<name>``, if any clip shows it.

    Args:
        names: What the classes of :class:`~iboot_mm.datasets.transforms.PlaybackRate` are called, in their order.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: the head tells more or fewer classes apart than there are names; no video could be read.
    """

    default_prefix = 'rate'

    def __init__(self, names: Sequence[str] = ('1x', '2x', '4x', '8x'), collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.names = tuple(names)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Takes the clips in, one result a video: mmengine cuts the sampler's padded tail by counting results."""
        if (classes := len(data_samples[0]['pred_score'])) != len(self.names):
            raise ValueError(f'PlaybackRateMetric: names has {len(self.names)} classes, but the head tells {classes} '
                             'apart: name those of PlaybackRate, each rate and with reverse=True each rate backward, '
                             'and set model.cls_head.num_classes to as many')
        views = len(data_samples) // len(data_batch['data_samples'])
        for first in range(0, len(data_samples), views):
            clips = data_samples[first:first + views]
            self.results.append(dict(
                predicted=torch.stack([clip['pred_score'].argmax() for clip in clips]).cpu(),
                shown=torch.cat([clip['gt_label'] for clip in clips]).cpu(),
                replaced=bool(clips[0].get('replaced'))))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """See the class."""
        kept = [result for result in results if not result['replaced']]
        if not kept:
            raise ValueError('PlaybackRateMetric: none of the videos could be read; check root and ann_file of the '
                             'dataloader')
        predicted, shown = (torch.cat([result[key] for result in kept]) for key in ('predicted', 'shown'))
        matrix = ConfusionMatrix.calculate(predicted, shown, num_classes=len(self.names))  # (shown, predicted)
        counts, hits = matrix.sum(1), matrix.diag()
        print_log(f'Playback rates, clips as shown (rows) and as recognised, {len(results) - len(kept)} unreadable '
                  f'videos left out:\n{format_matrix(matrix, self.names)}', logger='current')
        per_class = {f'top1_{name}': (hits[i] / counts[i]).item() for i, name in enumerate(self.names) if counts[i]}
        return dict(top1=(hits.sum() / counts.sum()).item(), chance=(counts.max() / counts.sum()).item(), **per_class)


def format_matrix(matrix: torch.Tensor, names: Sequence[str]) -> str:
    """A matrix of counts with names along both sides."""
    width = max(len(str(int(matrix.max()))), *map(len, names)) + 2
    lines = [[name, *map(str, row.tolist())] for name, row in zip(names, matrix, strict=True)]
    return '\n'.join(''.join(cell.rjust(width) for cell in line) for line in (['', *names], *lines))
