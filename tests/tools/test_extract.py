"""A folder's features in a file, against the same from `iboot_mm.load`."""

import sys

import numpy as np
import pytest
import torch

import iboot_mm

from ..checkpoint_files import write_checkpoint
from ..scripts import load_tool
from ..videos import write_folder

TOOL = load_tool('extract')


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    return write_checkpoint(folder / 'run')['checkpoint'].parent


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp('videos'))


def extract(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['extract', *map(str, arguments), '--workers', '0'])
    TOOL.main()


def test_rows_are_the_features_of_the_files(run, videos, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'deep' / 'features.npz'
    extract(monkeypatch, run, videos, '--out', out, '--clips', 2, '--batch-size', 2)
    found = np.load(out)  # no pickle in it
    assert found['files'].tolist() == ['a.mp4', 'b.mp4', 'deep/c.mp4'] and found['features'].dtype == np.float32
    expected = iboot_mm.load(run, num_clips=2)([videos / file for file in found['files']])
    torch.testing.assert_close(torch.from_numpy(found['features']), expected, atol=1e-5, rtol=1e-4)
    printed, errors = capsys.readouterr()
    assert f'{videos}/broken.mp4 cannot be read and is left out' in errors
    assert f'{out}: features of 3 videos, 64 numbers each' in printed


def test_a_second_call_reads_no_video(run, videos, tmp_path, monkeypatch):
    extract(monkeypatch, run, videos, '--out', tmp_path / 'one.npz')
    first = np.load(tmp_path / 'one.npz')['features']
    (tmp_path / 'one.npz').unlink()
    monkeypatch.setattr('iboot_mm.engine.feature_loop.FeatureLoop._encode_batch', lambda self, batch: pytest.fail())
    extract(monkeypatch, run, videos, '--out', tmp_path / 'one.npz')
    assert np.array_equal(np.load(tmp_path / 'one.npz')['features'], first)


@pytest.mark.parametrize('arguments, words', [
    (['RUN', '/no/folder', '--out', 'x.npz'], '/no/folder'),
    (['/no/run', 'VIDEOS', '--out', 'x.npz'], '/no/run'),
    (['RUN', 'VIDEOS', '--out', 'x.txt'], 'ends in .npz'),
    (['RUN', 'EMPTY', '--out', 'x.npz'], 'no video'),
    (['RUN', 'BROKEN', '--out', 'x.npz'], 'None of 1 videos of'),
])
def test_bad_input_is_one_sentence(run, videos, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    for name in ('EMPTY', 'BROKEN'):
        (tmp_path / name).mkdir()
    (tmp_path / 'BROKEN' / 'x.mp4').write_bytes(b'no video')
    places = dict(RUN=run, VIDEOS=videos)
    with pytest.raises(SystemExit) as stop:
        extract(monkeypatch, *(places.get(part, part) for part in arguments))
    assert words in f'{stop.value.code} {capsys.readouterr().err}'
    assert not (tmp_path / 'x.npz').exists()
