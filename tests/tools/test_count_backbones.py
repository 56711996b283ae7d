import pytest
from torchvision.models.video import R2Plus1D_18_Weights, S3D_Weights

from ..scripts import load_tool

TOOL = load_tool('analysis/count_backbones')

# The Slow networks as fvcore and mmengine count them, too: their cost grows with T, and their map keeps it.
EXPECTED = [
    ('Slow R50', 32.454, 41.740, (2048, 8, 7, 7)),
    ('Slow R18', 20.229, 20.058, (512, 8, 7, 7)),
    ('Slow R101', 51.446, 71.438, (2048, 8, 7, 7)),
    ('Slow R101', 51.446, 93.306, (2048, 8, 8, 8)),
    ('Slow R50', 32.454, 2 * 41.740, (2048, 16, 7, 7)),
    ('Slow R50', 32.454, 4 * 41.740, (2048, 32, 7, 7)),
    ('R(2+1)D-18, torchvision', 31.505, 324.151, (512, 4, 14, 14)),
    ('R(2+1)D-18, MMAction2', 33.433, 92.881, (512, 4, 7, 7)),
    ('S3D, torchvision (S3D-G)', 8.320, 35.957, (1024, 4, 7, 7)),
]


@pytest.mark.parametrize('row, expected', zip(TOOL.ROWS, EXPECTED))
def test_counts_of_table_5(row, expected):
    name, backbone, frames, _, size, *_ = row
    weights, multiply_adds, shape = TOOL.count(backbone, frames, size)
    assert (name, shape) == (expected[0], expected[3])
    assert (weights, multiply_adds) == pytest.approx(expected[1:3], abs=2e-3)


@pytest.mark.parametrize('name, weights, frames, size', [
    ('r2plus1d_18', R2Plus1D_18_Weights.KINETICS400_V1, 16, 112), ('s3d', S3D_Weights.KINETICS400_V1, 16, 224)])
def test_counts_that_torchvision_states(name, weights, frames, size):
    counted = TOOL.count(dict(type='TorchvisionVideoBackbone', name=name), frames, size)
    assert counted[0] == weights.meta['num_params'] / 1e6
    assert counted[1] == pytest.approx(weights.meta['_ops'], abs=1e-3)  # theirs holds the classifier's .0002 and .0004


def test_the_table_has_the_studys_numbers_beside(monkeypatch):
    monkeypatch.setattr(TOOL, 'ROWS', TOOL.ROWS[4:5])
    assert TOOL.table().splitlines()[1].split() == 'Slow R50 16 x 4 224 32.45 M 83.48 G 31.8 M 83.5 G'.split()
