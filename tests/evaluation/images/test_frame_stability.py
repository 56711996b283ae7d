"""Accuracy under a video's own perturbations against brute force, intervals against published ones."""

import numpy as np
import pytest

from iboot_mm.evaluation.images.frame_stability import Anchor, judge, summarise_stability

from ...videos import cut, write_video


def one(label: int, frame: int, first: int, predictions: list[int]) -> dict:
    return dict(path='v.mp4', right=predictions[frame - first] == label,
                right_everywhere=set(predictions) == {label}, predictions=predictions)


def test_the_figures_of_hand_made_predictions():
    judged = [one(1, 5, 4, [1, 1, 1]),  # right everywhere
              one(1, 5, 4, [0, 1, 1]),  # right on the anchor, wrong before it
              one(1, 0, 0, [0, 1]),  # wrong on the anchor alone
              one(2, 3, 2, [1, 1, 1])]  # stable, but wrong
    summary = summarise_stability(judged)
    assert summary['anchors'] == 4 and summary['accuracy']['value'] == .5 and summary['perturbed']['value'] == .25
    assert summary['difference'] == .25
    with pytest.raises(ValueError, match='no anchor frame could be judged'):
        summarise_stability([])


@pytest.mark.parametrize('hits, count, interval', [
    (0, 10, (0, .3085)), (8, 10, (.4439, .9748)), (10, 10, (.6915, 1)),  # tables of Clopper and Pearson's interval
    (754, 1109, (.652, .707)), (690, 1109, (.593, .651)), (513, 1109, (.433, .492)),  # VIVI, table 3: 68.0, 62.2, 46.3
])
def test_intervals(hits, count, interval):
    judged = [one(1, 0, 0, [1 if number < hits else 0]) for number in range(count)]
    share = summarise_stability(judged)['accuracy']
    assert share['value'] == hits / count
    assert share['interval'] == pytest.approx(interval, abs=6e-4 if count > 10 else 5e-5)


@pytest.fixture
def videos(tmp_path):
    """Two videos whose frames show their number: as gray / 8."""
    for name, count in (('a', 30), ('b', 7)):
        gray = np.arange(count, dtype=np.uint8) * 8
        write_video(tmp_path / f'{name}.mp4', np.broadcast_to(gray[:, None, None, None], (count, 32, 32, 3)))
    return tmp_path


def test_neighbourhoods_against_brute_force(videos):
    classes = np.random.default_rng(0).integers(0, 2, 30)  # the class of a frame by its number
    seen = []

    def predict(frames):
        numbers = [round(int(frame.mean()) / 8) for frame in frames]
        seen.append(numbers)
        return [classes[number] for number in numbers]

    anchors = [Anchor(str(videos / f'{name}.mp4'), label, frame) for name, frames in (('a', (0, 3, 11, 15, 29, None)),
                                                                                      ('b', (None, 6)))
               for frame in frames for label in (0, 1)]
    verdicts = judge(anchors, predict, radius=2)
    assert verdicts.cut == verdicts.left_out == [] and len(verdicts.judged) == len(anchors)
    assert seen == [[0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 27, 28, 29], [1, 2, 3, 4, 5, 6]]
    right = everywhere = 0
    for anchor, found in zip(anchors, verdicts.judged):
        count = 30 if 'a.mp4' in anchor.path else 7
        middle = count // 2 if anchor.frame is None else anchor.frame
        near = [number for number in range(count) if abs(number - middle) <= 2]
        assert found['predictions'] == classes[near].tolist() and found['first'] == near[0]
        right += classes[middle] == anchor.label
        everywhere += all(classes[near] == anchor.label)
    summary = summarise_stability(verdicts.judged)
    assert summary['accuracy']['value'] == right / len(anchors)
    assert summary['perturbed']['value'] == everywhere / len(anchors) > 0


def test_a_radius_of_0_changes_nothing_and_a_negative_one_is_refused(videos):
    anchors = [Anchor(str(videos / 'a.mp4'), 0)]
    summary = summarise_stability(judge(anchors, lambda frames: [0] * len(frames), 0).judged)
    assert summary['difference'] == 0 and summary['accuracy']['value'] == 1
    with pytest.raises(ValueError, match='a number of frames from 0, got -1'):
        judge(anchors, len, -1)


def test_cut_and_unreadable_videos_are_counted_and_what_is_left_is_judged(videos):
    frames = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3), dtype=np.uint8)
    write_video(videos / 'long.mp4', frames, format_options=dict(movflags='faststart'))
    cut(videos / 'long.mp4', videos / 'cut.mp4', .6)
    (videos / 'broken.mp4').write_bytes(b'no video')
    paths = {name: str(videos / f'{name}.mp4') for name in ('a', 'cut', 'broken', 'missing')}
    anchors = [Anchor(paths['a'], 0), Anchor(paths['a'], 0, 30), Anchor(paths['cut'], 0), Anchor(paths['cut'], 0, 39),
               Anchor(paths['broken'], 0), Anchor(paths['missing'], 0), Anchor(paths['missing'], 0, 2)]
    verdicts = judge(anchors, lambda part: [0] * len(part))
    assert verdicts.cut == [paths['cut']]
    assert [found['path'] for found in verdicts.judged] == [paths['a'], paths['cut']]
    assert 5 < verdicts.judged[1]['frame'] < 20
    reasons = dict(verdicts.left_out)
    assert [path for path, _ in verdicts.left_out] == [paths[n] for n in ('a', 'cut', 'broken', 'missing', 'missing')]
    assert reasons[paths['a']] == 'frame 30 is asked for, but it has 30' and all(reasons.values())
