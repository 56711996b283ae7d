import pytest
from torchvision.models.video import R2Plus1D_18_Weights, S3D_Weights

from ..scripts import load_tool

TOOL = load_tool('analysis/count_backbones')

# The Slow networks as fvcore and mmengine count them, too: their cost grows with T, and their map keeps it.
EXPECTED = [
    ('Slow R50', 31.634, 32.454, 41.740, (2048, 8, 7, 7)),
    ('Slow R18', 20.024, 20.229, 20.058, (512, 8, 7, 7)),
    ('Slow R101', 50.627, 51.446, 71.438, (2048, 8, 7, 7)),
    ('Slow R101', 50.627, 51.446, 93.306, (2048, 8, 8, 8)),
    ('Slow R50', 31.634, 32.454, 2 * 41.740, (2048, 16, 7, 7)),
    ('Slow R50', 31.634, 32.454, 4 * 41.740, (2048, 32, 7, 7)),
    ('R(2+1)D-18', 15.381, 15.586, 48.503, (512, 4, 7, 7)),
    ('S3D-G', 9.129, 9.539, 35.958, (1024, 4, 7, 7)),
    ('R(2+1)D-18, torchvision', 31.300, 31.505, 324.151, (512, 4, 14, 14)),
    ('R(2+1)D-18, MMAction2', 33.228, 33.433, 92.881, (512, 4, 7, 7)),
    ('S3D, torchvision', 7.910, 8.320, 35.957, (1024, 4, 7, 7)),
]


@pytest.mark.parametrize('row, expected', zip(TOOL.ROWS, EXPECTED))
def test_counts_of_table_5(row, expected):
    name, backbone, frames, _, size, *_ = row
    *counts, shape = TOOL.count(backbone, frames, size)
    assert (name, shape) == (expected[0], expected[4])
    assert counts == pytest.approx(expected[1:4], abs=2e-3)


@pytest.mark.parametrize('row', [row for row in TOOL.ROWS if row[0] in ('R(2+1)D-18', 'S3D-G')])
def test_the_study_s_own_networks_have_its_numbers(row):
    _, backbone, frames, _, size, *wanted = row
    weights, _, multiply_adds, _ = TOOL.count(backbone, frames, size)
    assert [round(weights, 1), round(multiply_adds, 1)] == wanted


@pytest.mark.parametrize('name, weights, frames, size', [
    ('r2plus1d_18', R2Plus1D_18_Weights.KINETICS400_V1, 16, 112), ('s3d', S3D_Weights.KINETICS400_V1, 16, 224)])
def test_counts_that_torchvision_states(name, weights, frames, size):
    counted = TOOL.count(dict(type='TorchvisionVideoBackbone', name=name), frames, size)
    assert counted[1] == weights.meta['num_params'] / 1e6
    assert counted[2] == pytest.approx(weights.meta['_ops'], abs=1e-3)  # theirs holds the classifier's .0002 and .0004


def test_the_table_has_the_studys_numbers_beside(monkeypatch):
    monkeypatch.setattr(TOOL, 'ROWS', TOOL.ROWS[4:5])
    assert TOOL.table().splitlines()[1].split() == 'Slow R50 16 x 4 224 31.63 M 32.45 M 83.48 G 31.8 M 83.5 G'.split()
