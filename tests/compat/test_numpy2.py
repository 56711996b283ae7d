"""MMAction2 on numpy 2: its transforms and metrics run, against closed forms and a second implementation."""

import ast
import colorsys
import importlib
import sys
import types
from pathlib import Path

import mmaction
import mmpretrain
import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import ColorJitter, ImgAug, PoseCompact
from mmaction.evaluation import average_recall_at_avg_proposals
from mmaction.evaluation.functional.ava_evaluation.metrics import compute_average_precision
from mmaction.evaluation.metrics import RetrievalRecall
from mmaction.registry import TRANSFORMS
from mmaction.utils import misc
from mmpretrain.evaluation.metrics import RetrievalAveragePrecision

from iboot_mm.compat.numpy2 import USERS

from ..videos import moving_frames, write_video

OLD = ('Inf', 'NAN', 'in1d', 'trapz')


def numpys_of(path: Path) -> set[str]:
    """Every `np.NAME` of a source file that numpy lacks."""
    return {node.attr for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == 'np'
            and not hasattr(np, node.attr)}


@pytest.mark.skipif(hasattr(np, 'Inf'), reason='for numpy 2')
def test_every_user_of_an_old_name_is_known():
    found = set()
    for package in (mmaction, mmpretrain):
        root = Path(package.__file__).parent
        for path in root.rglob('*.py'):
            if '.mim' not in path.parts and numpys_of(path):
                assert numpys_of(path) <= {*OLD}, path
                found.add('.'.join(path.relative_to(root.parent).with_suffix('').parts))
    assert found <= set(USERS)
    for name in found:
        users = importlib.import_module(name).np
        assert all(hasattr(users, old) for old in OLD) and users.ndarray is np.ndarray


@pytest.mark.skipif(hasattr(np, 'Inf'), reason='for numpy 2')
def test_numpy_itself_stays_as_it_is():
    assert not [name for name in OLD if name in vars(np)]


def test_poses_are_compacted_around_their_joints():
    joints = np.zeros((1, 2, 3, 2))
    joints[0, 0] = [[40, 20], [60, 70], [50, 30]]
    results = PoseCompact(padding=.25, threshold=10, hw_ratio=None)(
        dict(img_shape=(100, 100), keypoint=joints.copy()))
    assert results['img_shape'] == (63, 25)  # 1.25 times 50 and 20 pixels, from 13.75 to 76.25
    missing = PoseCompact()(dict(img_shape=(100, 100), keypoint=np.zeros((1, 2, 3, 2))))
    assert missing['img_shape'] == (100, 100)  # no joint: infinite minimum and maximum


def test_area_under_the_average_recall():
    proposals = {'v': np.array([[0., 1., .9], [5., 6., .1]])}
    _, recall, number, area = average_recall_at_avg_proposals(
        {'v': np.array([[0., 1.]])}, proposals, 2, max_avg_proposals=2)
    assert area == pytest.approx(100 * sum(  # trapezoids
        (b - a) * (one + other) / 2 for a, b, one, other in zip(number, number[1:], recall, recall[1:])) / number[-1])


def test_precision_of_nothing_is_no_number():
    assert np.isnan(compute_average_precision(None, None))


def test_recall_and_average_precision_of_a_retrieval():
    scores, relevant = torch.tensor([[.2, .9, .1]]), torch.tensor([[1, 0, 1]])  # ranks: 1 (not relevant), 0, 2
    assert [float(value) for value in RetrievalRecall.calculate(scores, relevant, topk=(1, 2))] == [0., 100.]
    assert RetrievalAveragePrecision.calculate(scores, relevant, topk=3) == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)


def test_frames_are_extracted_at_a_short_side(tmp_path):
    write_video(tmp_path / 'a.mp4', moving_frames(4, 64, 48))
    _, frames = misc.frame_extract(str(tmp_path / 'a.mp4'), short_side=24, out_dir=str(tmp_path))
    assert min(frames[0].shape[:2]) == 24


@pytest.mark.parametrize('hue', [-.5, -.3, -.1, 0., .1, .4, .5])
def test_hues_turn_both_ways(hue):
    """Against Python's own colorsys, on colours whose value OpenCV's 8 bits keep exactly."""
    colours = 255 * np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, .5, 0]], np.float32)
    found = ColorJitter.adjust_hue(colours[None], hue)[0]
    turn = int(hue * 255) / 180  # of a circle, as MMAction2 does
    for before, after in zip(colours / 255, found / 255):
        h, s, v = colorsys.rgb_to_hsv(*before)
        np.testing.assert_allclose(after, colorsys.hsv_to_rgb((h + turn) % 1, s, v), atol=.05)


def test_colours_jitter_for_every_draw():
    frames = [np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)] * 2
    for seed in range(40):
        np.random.seed(seed)
        found = TRANSFORMS.build(dict(type='ColorJitter', hue=.5))(dict(imgs=list(frames)))['imgs']
        assert all(frame.dtype == np.uint8 and frame.shape == (8, 8, 3) for frame in found)


def test_imgaug_is_told_and_leaves_numpys_bool(monkeypatch):
    kept = np.bool

    class Imgaug(types.ModuleType):
        def __getattr__(self, name):
            raise AttributeError('`np.sctypes` was removed in the NumPy 2.0 release.')

    monkeypatch.setitem(sys.modules, 'imgaug', types.ModuleType('imgaug'))
    monkeypatch.setitem(sys.modules, 'imgaug.augmenters', Imgaug('imgaug.augmenters'))
    with pytest.raises(ImportError, match=r"imgaug, which does not run on numpy 2: .*'numpy<2'"):
        ImgAug('default')
    assert np.bool is kept
