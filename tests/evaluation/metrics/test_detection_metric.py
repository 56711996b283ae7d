"""AVA's files in, mean average precision out."""

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmengine.structures import InstanceData

from iboot_mm.evaluation.metrics.detection import action_ap

CLASSES = 'item {\n  name: "stand"\n  id: 1\n}\nlabel {\n  name: "swim"\n  label_id: 3\n}\n'
TRUTH = ('m1,0902,0.0,0.0,0.5,1.0,1,7\nm1,0902,0.0,0.0,0.5,1.0,2,7\nm1,0902,0.5,0.0,1.0,1.0,3,8\n'
         'm2,0902,0.0,0.0,1.0,1.0,1,1\nm2,0903,0.0,0.0,1.0,1.0,1,1\n')


@pytest.fixture
def metric(tmp_path):
    def build(**changes):
        for name, text in (('truth.csv', TRUTH), ('classes.pbtxt', CLASSES), ('excluded.csv', 'm2,0903\n')):
            (tmp_path / name).write_text(text)
        return METRICS.build(dict(
            type='ActionDetectionMetric', ann_file=str(tmp_path / 'truth.csv'), num_classes=3,
            class_file=str(tmp_path / 'classes.pbtxt'), exclude_file=str(tmp_path / 'excluded.csv'), **changes))
    return build


def sample(video, second, boxes, scores, **meta):
    found = InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4),
                         scores=torch.tensor(scores).reshape(-1, 3))
    return dict(video_id=video, timestamp=second, pred_instances=found, **meta)


def test_the_mean_is_over_the_classes_of_the_list_and_excluded_key_frames_are_left_out(metric):
    metric = metric()
    metric.process(None, [
        sample('m1', 902, [[0, 0, .5, 1], [.5, 0, 1, 1]], [[.9, .9, .3], [.8, .1, .2]]),
        sample('m2', 902, [[0, 0, 1, 1]], [[.7, .1, .1]]),
        sample('m2', 903, [[0, 0, .1, .1]], [[1., 1., 1.]])])  # excluded
    # stand: .9 right, .8 wrong, .7 right, of 2; swim: .3 wrong, .2 right, of 1; the action 2 is not in the list.
    figures = metric.evaluate(3)
    assert figures['ava/mAP'] == pytest.approx((5 / 6 + 1 / 2) / 2, abs=1e-12)
    assert figures['ava/unreadable'] == 0


def test_key_frames_that_were_not_read_or_not_tested_count_as_undetected(metric):
    metric = metric()
    right = sample('m1', 902, [[0, 0, .5, 1], [.5, 0, 1, 1]], [[.9, 0, 0], [0, 0, .9]])
    metric.process(None, [right, sample('m1', 902, [[.5, 0, 1, 1]], [[1, 1, 1]], replaced=True)])
    figures = metric.evaluate(2)
    assert figures == {'ava/mAP': pytest.approx((.5 + 1) / 2), 'ava/unreadable': 1}


def test_figures_are_those_of_the_function_on_many_key_frames(metric, tmp_path):
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, .5, (30, 2)).round(3)
    boxes = np.concatenate([corners, (corners + .2).round(3)], 1)
    labels = rng.random((30, 3)) < .5
    metric = metric()
    lines = [f'v{n},{n},{",".join(map(str, boxes[n]))},{c + 1},1' for n in range(30) for c in range(3) if labels[n, c]]
    (tmp_path / 'truth.csv').write_text('\n'.join(lines))
    metric.__init__(str(tmp_path / 'truth.csv'), str(tmp_path / 'classes.pbtxt'), num_classes=3)
    scores = rng.random((30, 3)).astype(np.float32)
    metric.process(None, [sample(f'v{n}', n, [boxes[n].tolist()], scores[n].tolist()) for n in range(30)])
    expected = action_ap({n: (boxes[n:n + 1], scores[n:n + 1]) for n in range(30)},
                         {n: (boxes[n:n + 1], labels[n:n + 1]) for n in range(30)}, [1, 3])
    assert metric.evaluate(30)['ava/mAP'] == pytest.approx(np.mean(list(expected.values())), abs=1e-12)


def test_a_list_with_more_classes_than_the_network_is_told(metric, tmp_path):
    metric()
    (tmp_path / 'truth.csv').write_text('m1,0902,0,0,1,1,1,7\n')
    with pytest.raises(ValueError, match='numbers actions up to 3, but num_classes is 2'):
        METRICS.build(dict(type='ActionDetectionMetric', ann_file=str(tmp_path / 'truth.csv'), num_classes=2,
                           class_file=str(tmp_path / 'classes.pbtxt')))
