"""The ONNX file gives what PyTorch gives, for any number of clips."""

import json
import sys

import numpy as np
import pytest
import torch

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.compat import keep_pads_apart

from ..checkpoint_files import write_checkpoint
from ..scripts import load_tool

onnxruntime = pytest.importorskip('onnxruntime', reason='the extra onnx is not installed')
export_onnx = load_tool('convert/export_onnx')


@pytest.fixture(scope='module')
def exported(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp('onnx')
    trained = write_checkpoint(folder / 'run')
    difference = export_onnx.export(trained['checkpoint'], folder / 'out' / 'net.onnx', trained['config'])
    return dict(trained, file=folder / 'out' / 'net.onnx', difference=difference)


@pytest.fixture(scope='module')
def session(exported):
    return onnxruntime.InferenceSession(str(exported['file']), providers=['CPUExecutionProvider'])


@pytest.mark.parametrize('batch', [1, 2, 5])
def test_features_equal_pytorch_s_in_any_batch(exported, session, batch):
    clips = torch.rand(batch, 3, 4, 32, 32, generator=torch.Generator().manual_seed(batch))
    features = session.run(None, dict(clips=clips.numpy()))[0]
    encoder = describe_checkpoint(exported['checkpoint'], exported['config']).build_encoder()
    with torch.no_grad():
        expected = encoder(clips[:, None], mode='tensor').mean(dim=(1, 2)).numpy()  # of (N, V, T', D)
    assert features.shape == (batch, 64) and features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=1e-4 * abs(expected).max(), rtol=0)
    assert 0 <= exported['difference'] <= export_onnx.TOLERANCE


def test_the_file_says_which_clips_it_wants_and_is_one_file(exported, session):
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said['clip']) == describe_checkpoint(exported['checkpoint'], exported['config']).clip
    assert (said['config'], said['source']) == ('my_recipe.py', 'epoch_3.pth')
    assert [file.name for file in exported['file'].parent.iterdir()] == ['net.onnx']


def test_a_file_that_gives_other_features_is_not_written(exported, monkeypatch, tmp_path):
    monkeypatch.setattr(export_onnx, 'TOLERANCE', -1.)
    monkeypatch.setattr(torch.onnx, 'export', lambda *args, **kwargs: Program(exported['file']))
    with pytest.raises(ValueError, match='net.onnx differ from those of PyTorch by .* it was not written'):
        export_onnx.export(exported['checkpoint'], tmp_path / 'net.onnx', exported['config'])
    assert list(tmp_path.iterdir()) == []


class Program:
    """What torch's exporter returned before, to save its ten seconds."""

    def __init__(self, file) -> None:
        self.file, self.model = file, self
        self.metadata_props: dict[str, str] = {}

    def save(self, path: str, external_data: bool) -> None:
        with open(path, 'wb') as copy:
            copy.write(self.file.read_bytes())


def test_other_weights_are_noticed(exported, session):
    torch.manual_seed(9)
    network = export_onnx.ClipFeatures(describe_checkpoint(exported['checkpoint'], exported['config']).build_encoder())
    clips = torch.rand(2, 3, 4, 32, 32)
    assert export_onnx.compare(network, session, clips) <= export_onnx.TOLERANCE
    with torch.no_grad():
        network.encoder.backbone.conv1.conv.weight[0, 0, 0, 0, 0] += .5
    assert export_onnx.compare(network, session, clips) > export_onnx.TOLERANCE


def test_a_missing_package_is_named(exported, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    monkeypatch.setattr(sys, 'argv', ['export_onnx.py', str(exported['checkpoint']), str(tmp_path / 'net.onnx')])
    with pytest.raises(SystemExit, match=r'^export_onnx: onnxscript is not installed: pip install iboot_mm\[onnx\]$'):
        export_onnx.main()


def test_zeros_padded_before_max_pooling_count(tmp_path):
    """As in the stem of a ``FrameResNetV2`` with GroupNorm."""
    network = torch.nn.Sequential(torch.nn.ConstantPad2d(1, 0.), torch.nn.MaxPool2d(3, 2)).eval()
    maps = -1 - torch.rand(1, 1, 6, 6)
    keep_pads_apart(network)
    torch.onnx.export(network, (maps, ), str(tmp_path / 'stem.onnx'), input_names=['maps'], dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(str(tmp_path / 'stem.onnx'), providers=['CPUExecutionProvider'])
    pooled = torch.from_numpy(session.run(None, dict(maps=maps.numpy()))[0])
    assert network(maps)[..., 0].eq(0).all()
    assert pooled.equal(network(maps))
