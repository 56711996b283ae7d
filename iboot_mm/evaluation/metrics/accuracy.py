"""Accuracy of a classifier over the videos that could be read."""

from collections.abc import Sequence

from mmaction.evaluation import AccMetric
from mmaction.registry import METRICS
from mmengine.logging import print_log


@METRICS.register_module()
class ReadableAccMetric(AccMetric):
    """MMAction2's ``AccMetric`` without the videos that stand in for unreadable ones, which it counts.

    A video that cannot be read is replaced by another of the list (see :class:`~iboot_mm.datasets.VideoFolder`); as a
    test video that one would be counted twice. Results: MMAction2's ``acc/top1``, ``acc/top5``, ``acc/mean1``, and
    ``acc/unreadable``, how many videos were left out.

    Raises:
        ValueError: no video could be read.
    """

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keeps each sample's scores and label, and whether it stands in for another."""
        before = len(self.results)
        super().process(data_batch, data_samples)
        # Marked, not dropped: the evaluator cuts the sampler's padded tail by counting results.
        for result, sample in zip(self.results[before:], data_samples, strict=True):
            result['replaced'] = bool(sample.get('replaced'))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """MMAction2's figures over what was readable."""
        kept = [result for result in results if not result['replaced']]
        if not kept:
            raise ValueError('accuracy: none of the test videos could be read; check root and ann_file of '
                             'test_dataloader')
        left_out = len(results) - len(kept)
        if left_out:
            print_log(f'Accuracy: {left_out} of {len(results)} videos could not be read and are left out.', 'current',
                      level=30)
        return {**super().compute_metrics(kept), 'unreadable': left_out}
