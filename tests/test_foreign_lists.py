"""Stores and lists from elsewhere, good, bad and malicious: little memory, and one sentence that names the file."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mmengine.config import Config

from iboot_mm.datasets.listing import parse_list
from iboot_mm.datasets.shots.shots import read_shots, usable_shots
from iboot_mm.datasets.tokens import TokenStore
from iboot_mm.datasets.transforms.targets import TargetTable
from iboot_mm.evaluation.metrics.knn import count_classes
from iboot_mm.evaluation.metrics.zero_shot import read_names, read_vectors
from iboot_mm.evaluation.protocols.config_text import config_text, parse_config_text
from iboot_mm.stores.features import FeatureStore

from .foreign_files import answer

MANY = settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.integers() | st.sampled_from([10**30, -1, 2**31, 10**12]) | st.floats()
JSON = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                    max_leaves=5)


def header(shape: str, descr: str = '<f4') -> bytes:
    """The beginning of a ``.npy`` file that says what it likes."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + '\n'
    return b'\x93NUMPY\x01\x00' + len(text).to_bytes(2, 'little') + text.encode()


def saved(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


ARRAYS = dict(
    half=saved(np.zeros((4, 2, 6), np.float32))[:150], empty=b'', text=b'features\n',
    objects=saved(np.array([{'a': 1}, None])), huge=header('(1000000000, 1000000, 1000)'),
    negative=header('(-4, 2, 6)'),
    long=header('(' + '1, ' * 2000 + ')'), digits=header('(1' + '0' * 5000 + ',)'), code=header('__import__("os")'),
    words=saved(np.array(['a', 'b'])), times=saved(np.zeros(3, 'M8[s]')), number=saved(np.array(1.)),
    fewer=saved(np.zeros((1, 2, 6), np.float32)), version=b'\x93NUMPY\x09\x00' + bytes(200))


@pytest.fixture
def features(tmp_path) -> Path:
    """Targets of four videos."""
    store = FeatureStore(tmp_path / 'features', identity=dict(network='a', data=dict(videos=4)))
    store.append([dict(index=i, view_features=torch.zeros(2, 6), filename=f'/v/{i}.mp4') for i in range(4)])
    store.flush()
    return tmp_path / 'features'


@pytest.fixture
def tokens(tmp_path) -> Path:
    TokenStore(tmp_path / 'tokens', dict(models='a')).put('a.mp4', torch.zeros(3, 8, 2, 2))
    return tmp_path / 'tokens'


def read_store(folder: Path, out: Path) -> None:
    """All that is ever read of stored features and targets."""
    store = FeatureStore(folder)
    store.stored()
    assert all(torch.is_tensor(sample['feature']) for sample in store.samples())
    TargetTable(str(folder)).clips(0, '/v/0.mp4')


def read_tokens(folder: Path, out: Path) -> None:
    maps = TokenStore(folder).open('a.mp4')
    assert maps.ndim == 4 and maps.dtype == np.float16


def test_good_stores_are_read(features, tokens):
    assert not answer(read_store, features, None) and not answer(read_tokens, tokens, None)


@pytest.mark.parametrize('kind', ARRAYS)
def test_arrays_that_are_none(features, tokens, tmp_path, kind):
    for file, read, place in ((features / '00000000.npy', read_store, features),
                              (tokens / 'videos' / 'a.mp4.npy', read_tokens, tokens),
                              (tmp_path / 'vectors.npy', lambda path, out: read_vectors(str(path)), None)):
        file.write_bytes(ARRAYS[kind])
        said = answer(read, place or file, None)
        assert file.name in said or kind == 'fewer' and place is None


@MANY
@given(data=st.data())
def test_generated_indices_of_stores(features, tokens, data):
    kept = features.with_name('kept')
    if not kept.exists():
        shutil.copytree(features, kept)
    shutil.copytree(kept, features, dirs_exist_ok=True)
    file = features / data.draw(st.sampled_from(['store.json', '00000000.json']))
    content = json.loads(file.read_text())
    key = data.draw(st.sampled_from([*content, 'more']))
    value = data.draw(JSON | st.lists(NUMBERS | st.none() | st.text(max_size=2), min_size=4, max_size=4))
    changed = value if key == 'more' else {**content, key: value}
    file.write_text(json.dumps(changed))
    answer(read_store, features, None)
    (tokens / 'store.json').write_text(json.dumps(value))
    answer(read_tokens, tokens, None)


@pytest.mark.parametrize('text', ['', '{', '[' * 200_000, '{"a": ' + '9' * 5000 + '}', 'null', '\x00\xff',
                                  '{"data": 5}', '{"data": {"videos": 1000000000000}}', '{"data": {"videos": 0}}'])
def test_texts_that_are_no_index(features, tokens, text):
    for folder, read in ((features, read_store), (tokens, read_tokens)):
        (folder / 'store.json').write_text(text)
        assert answer(read, folder, None) or folder is tokens and text.startswith('{"data"')


def read_shot_list(path: Path, out: Path) -> None:
    _, entries = read_shots(path)
    for entry in entries.values():
        if 'error' not in entry:
            usable_shots(entry).astype(np.int32)


@MANY
@given(entry=st.fixed_dictionaries({}, optional=dict(
    file=st.sampled_from(['a.mp4', '', 5, None]), frames=NUMBERS, fps=NUMBERS | JSON, black=JSON, error=JSON,
    starts=st.lists(NUMBERS, max_size=3) | st.just([0]) | st.just([0, 5]) | JSON)) | JSON)
def test_generated_shot_lists(tmp_path, entry):
    path = tmp_path / 'shots.jsonl'
    path.write_text(json.dumps(entry) + '\n')
    answer(read_shot_list, path, None)


@pytest.mark.parametrize('line', [
    '{"file": "a.mp4", "frames": 1' + '0' * 30 + ', "fps": 25, "starts": [0]}', '[' * 200_000, 'x' * 1_000_000,
    '{"file": "a.mp4", "frames": ' + '9' * 5000 + ', "fps": 25, "starts": [0]}', '\x00', 'null', '5',
    '{"file": "a.mp4", "frames": 5, "fps": NaN, "starts": [0]}', '{"file": "a.mp4", "error": 5}',
    '{"file": "a.mp4", "frames": 5, "fps": 25, "starts": [0], "black": [9]}', '{"fps": "x"}',
    '{"file": "a.mp4", "frames": 5, "fps": 25, "starts": []}',
    '{"file": "a.mp4", "frames": true, "fps": 1, "starts": [0]}'])
def test_lines_that_are_no_shots(tmp_path, line):
    path = tmp_path / 'shots.jsonl'
    path.write_text(line)
    assert 'Line 1' in answer(read_shot_list, path, None)


LISTS = dict(labels=lambda path, out: parse_list(str(path)), classes=lambda path, out: read_names(str(path)))


@MANY
@given(content=st.binary(max_size=60) | st.lists(st.sampled_from(
    ['a.mp4', ' ', '1', '9' * 5000, '\t', ',', '"', '\n', '#', '-1', 'nan', '\udcff']), max_size=9).map(
        lambda parts: ''.join(parts).encode('utf-8', 'surrogateescape')), kind=st.sampled_from(sorted(LISTS)))
def test_generated_lists(tmp_path, content, kind):
    path = tmp_path / 'list.txt'
    path.write_bytes(content)
    answer(LISTS[kind], path, None)


def test_labels_of_many_digits_and_with_large_gaps(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('a.mp4 ' + '7' * 5000)
    assert 'Line 1' in answer(LISTS['labels'], path, None)
    assert count_classes(torch.tensor([0, 3, 399])) == 400
    with pytest.raises(ValueError, match='2 labels name classes up to 1000000000000: number the classes'):
        count_classes(torch.tensor([1, 10**12]))


PLAIN = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                     | st.text(max_size=9) | st.sampled_from(['{{ fileDirname }}', "'''", '{{$HOME:x}}', '"""\n']),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
                     max_leaves=8)


@settings(MANY, max_examples=30)
@given(value=PLAIN)
def test_a_config_comes_back_as_it_was_whatever_is_in_it(tmp_path, value):
    data = dict(model=dict(backbone=value), more=[value, 1])
    text = config_text(Config(dict(cfg := data)))
    assert parse_config_text(text) == data == cfg
    if not any(key in text for key in ('_base_', '_delete_', '__')):
        path = tmp_path / 'config.py'
        path.write_text(text, encoding='utf-8')
        assert Config.fromfile(path).to_dict() == data


@pytest.mark.parametrize('text', ['import os', 'a = 1\nb = open("x")', 'a = b = 1', 'a.b = 1', 'f(1)', 'a = (',
                                  'a, b = 1, 2', 'a = ' + '(' * 500 + ')' * 500])
def test_code_is_no_config_of_data(text):
    with pytest.raises(ValueError, match='no list of assignments of plain data'):
        parse_config_text(text)


def test_what_is_no_data_is_not_written():
    with pytest.raises(ValueError, match='something else than plain data'):
        config_text(Config(dict(a=float('inf'))))
