"""Linear accuracy on stored features as a metric of mmengine's evaluator."""

from collections.abc import Sequence

import torch
from mmaction.registry import METRICS
from mmengine.device import get_device
from mmengine.logging import print_log
from torch import Tensor

from ...ranges import above_zero, at_least, below_one
from .base import label_names, split_roles, stack_labels
from .feature_metric import FeatureMetric, result_key
from .knn import count_classes
from .linear import LEARNING_RATES, LinearGrid, grid_scores, hold_out, train_grid


@METRICS.register_module()
class LinearOnFeaturesMetric(FeatureMetric):
    """Linear classifiers trained on the gallery's features and tested on the queries', see :mod:`.linear`.

    The learning rate is the one that does best on a held-out part of the gallery (ties go to the higher likelihood),
    never on the queries; the classifier that is tested is then trained with it on the whole gallery. A query's score is
    the softmax averaged over its views. Results, all in [0, 1] but the rate: ``linear/top1``, ``linear/top5``,
    ``linear/lr`` and ``linear/heldout_top1``, each as ``<name>/linear/...`` for named labels. Training starts anew when
    a run is interrupted; the features it needs are stored.

    Example:
        >>> test_evaluator = dict(type='LinearOnFeaturesMetric', learning_rates=(.01, .1, 1.))

    Args:
        learning_rates: The grid; a single one is used as it is and nothing is held out.
        holdout: Share of each class of the gallery to choose the learning rate on.
        epochs: See :func:`~iboot_mm.evaluation.metrics.linear.train_grid`, as for the next three.
        batch_size: Videos per step.
        momentum: Of SGD.
        standardize: Whether channels are brought to one scale.
        seed: Of the held-out videos and of training.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: no learning rate, or a ``holdout`` outside (0, 1).
    """

    title = 'Linear'

    def __init__(self, learning_rates: Sequence[float] = LEARNING_RATES, holdout: float = .1, epochs: int = 100,
                 batch_size: int = 64, momentum: float = .9, standardize: bool = True, seed: int = 0,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        if not learning_rates or not 0 < holdout < 1:
            raise ValueError(f'LinearOnFeaturesMetric: learning_rates must not be empty, and holdout in (0, 1), got '
                             f'{learning_rates} and {holdout}')
        above_zero('LinearOnFeaturesMetric', learning_rates=min(learning_rates))
        at_least(1, 'LinearOnFeaturesMetric', epochs=epochs, batch_size=batch_size)
        below_one('LinearOnFeaturesMetric', momentum=momentum)
        self.learning_rates = sorted(learning_rates)
        self.holdout = holdout
        self.seed = seed
        self.training = dict(epochs=epochs, batch_size=batch_size, momentum=momentum, standardize=standardize)

    def score(self, samples: list[dict]) -> dict[str, float]:
        """See the class.

        Raises:
            ValueError: no gallery, no query, no labels, no class with two videos to hold one out, or training diverged.
        """
        gallery, queries = split_roles(samples)
        names = label_names(samples)
        if not names:
            raise ValueError('a linear classifier needs labels: give the gallery and the queries an ann_file with a '
                             'class after each path')
        metrics = {}
        for name in names:
            for figure, value in self._score_label(gallery, queries, name).items():
                metrics[result_key(name, figure)] = value
        return metrics

    def _score_label(self, gallery: list[dict], queries: list[dict], name: str) -> dict[str, float]:
        labels, features = stack_labels(gallery, name), [s['view_features'] for s in gallery]
        rate, metrics = self.learning_rates[0], {}
        if len(self.learning_rates) > 1:
            rate, accuracy = self._choose_rate(features, labels, name)
            metrics['linear/heldout_top1'] = accuracy
        grid = self._train(features, labels, [rate])
        if not grid.weight.isfinite().all():
            raise ValueError(f'training a linear classifier diverged with learning rate {rate:g}: give smaller '
                             'learning_rates')
        (top1, top5), _ = grid_scores(grid, [s['view_features'] for s in queries], stack_labels(queries, name), (1, 5))
        return {'linear/top1': top1.item(), 'linear/top5': top5.item(), 'linear/lr': rate, **metrics}

    def _choose_rate(self, features: list[Tensor], labels: Tensor, name: str) -> tuple[float, float]:
        """The best learning rate and its accuracy on the held-out part."""
        held = hold_out(labels, self.holdout, self.seed)
        inside, outside = ([features[i] for i in mask.nonzero().flatten()] for mask in (~held, held))
        grid = self._train(inside, labels[~held], self.learning_rates)
        (accuracies,), likelihoods = grid_scores(grid, outside, labels[held])
        accuracies = accuracies.where(likelihoods.isfinite(), 0)  # a rate that diverged is never the best
        found = list(zip(accuracies.tolist(), likelihoods.nan_to_num(-torch.inf).tolist()))
        best = max(range(len(found)), key=found.__getitem__)
        table = ', '.join(f'{rate:g}: {100 * a:.1f}' for rate, (a, _) in zip(self.learning_rates, found))
        print_log(f'Linear, {name}: top-1 on {int(held.sum())} held-out gallery videos by learning rate: {table}.',
                  'current')
        if best in (0, len(found) - 1):
            print_log(f'Linear, {name}: the best learning rate, {self.learning_rates[best]:g}, is at the edge of the '
                      'grid: widen learning_rates.', 'current', level=30)
        return self.learning_rates[best], found[best][0]

    def _train(self, features: list[Tensor], labels: Tensor, learning_rates: Sequence[float]) -> LinearGrid:
        return train_grid(features, labels, count_classes(labels), learning_rates, seed=self.seed,
                          device=get_device(), **self.training)
