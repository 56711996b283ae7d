"""What the metrics on features share: keeping what they need of each sample, leaving out what could not be read."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log


class FeatureMetric(BaseMetric):
    """Gathers the features of all videos; a subclass scores those that could be read.

    A subclass implements :meth:`score` and sets ``title``, what to call it in logs.
    """

    title: str

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keeps of each sample its ``view_features`` ``(V, D)``, role, labels and name.

        Memory-mapped features stay so: a float32 tensor on the CPU is not copied.
        """
        for sample in data_samples:
            self.results.append(dict(
                view_features=sample['view_features'].detach().float().cpu(),
                role=sample.get('role'),
                labels=dict(sample.get('labels') or {}),
                filename=sample.get('filename', ''),
                replaced=bool(sample.get('replaced'))))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Scores the gathered samples.

        Raises:
            ValueError: features that are not finite; names a file.
        """
        kept = [r for r in results if not r['replaced']]
        if len(kept) < len(results):
            print_log(f'{self.title}: {len(results) - len(kept)} of {len(results)} videos could not be read and are '
                      'left out.', 'current', level=30)
        broken = next((r['filename'] for r in kept if not torch.isfinite(r['view_features']).all()), None)
        if broken is not None:
            raise ValueError(f'the network gives NaN or infinite features, first for {broken}: its weights are broken')
        return self.score(kept)

    def score(self, samples: list[dict]) -> dict[str, float]:
        """Figures of the readable samples, see :meth:`process` for their keys."""
        raise NotImplementedError


def result_key(label: str, figure: str) -> str:
    """``figure`` for the single unnamed label, ``label/figure`` for a named one."""
    return figure if label == 'label' else f'{label}/{figure}'
