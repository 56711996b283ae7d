"""Mean average precision of an action detector, as a metric of mmengine's evaluator."""

from collections.abc import Sequence

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...datasets.ava_files import read_annotations, read_class_names, read_exclusions
from .detection import action_ap


@METRICS.register_module()
class ActionDetectionMetric(BaseMetric):
    """AVA's measure: the mean over classes of the average precision at an intersection over union of .5.

    See :func:`~iboot_mm.evaluation.metrics.detection.action_ap`. All annotated key frames count but the excluded ones,
    also those in which nobody was detected. MMAction2's ``AVAMetric`` leaves out classes that are never detected and
    detections in key frames without truth, counts the truth of excluded key frames, and rounds to four digits.
    Results: ``ava/mAP`` in [0, 1] and ``ava/unreadable``, key frames whose video could not be read, which count as
    undetected.

    Example:
        >>> test_evaluator = dict(type='ActionDetectionMetric', ann_file='data/ava/ava_val_v2.2.csv',
        ...                       class_file='data/ava/ava_action_list_v2.2_for_activitynet_2019.pbtxt',
        ...                       exclude_file='data/ava/ava_val_excluded_timestamps_v2.2.csv')

    Args:
        ann_file: The truth, ``ava_val_v2.2.csv``.
        class_file: List of the actions that count; 60 of the 80 officially.
        exclude_file: Key frames that do not count.
        num_classes: Actions of the network.
        most: See ``action_ap``; 50 is the official script's.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file of another form, or classes beyond ``num_classes``.
    """

    default_prefix = 'ava'

    def __init__(self, ann_file: str, class_file: str, exclude_file: str | None = None, num_classes: int = 80,
                 most: int | None = None, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        excluded = read_exclusions(exclude_file) if exclude_file else set()
        self.truth = {key: found for key, found in read_annotations(ann_file, num_classes).items()
                      if key not in excluded}
        self.names = read_class_names(class_file)
        if not all(1 <= number <= num_classes for number in self.names):
            raise ValueError(f"'{class_file}' numbers actions up to {max(self.names)}, but num_classes is "
                             f'{num_classes}.')
        self.excluded, self.most = excluded, most

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keeps the boxes and scores of each key frame."""
        for sample in data_samples:
            found = sample['pred_instances']
            self.results.append(dict(
                key=(sample['video_id'], sample['timestamp']), replaced=bool(sample.get('replaced')),
                boxes=found['bboxes'].double().cpu().numpy(), scores=found['scores'].float().cpu().numpy()))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """See the class; the average precision of each class goes to the log."""
        detections = {result['key']: (result['boxes'], result['scores']) for result in results
                      if not result['replaced'] and result['key'] not in self.excluded}
        found = action_ap(detections, self.truth, sorted(self.names), most=self.most)
        print_log('Average precision: ' + ', '.join(f'{self.names[number]} {ap:.3f}' for number, ap in found.items()),
                  'current')
        unreadable = sum(result['replaced'] for result in results)
        if unreadable:
            print_log(f'{unreadable} of {len(results)} key frames could not be read and count as undetected.',
                      'current', level=30)
        return dict(mAP=float(np.mean(list(found.values()))) if found else float('nan'), unreadable=unreadable)
