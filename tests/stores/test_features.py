import json
import os

import numpy as np
import pytest
import torch
from torch import nn

from iboot_mm.stores.features import FeatureStore
from iboot_mm.stores.identity import network_identity

IDENTITY = dict(network=dict(weights='a'), data=dict(views=(1, 2)))


def video(index, views=2, **changes):
    generator = torch.Generator().manual_seed(index)
    return dict(index=index, filename=f'{index}.mp4', role='gallery', labels=dict(a=index % 3), replaced=index == 4,
                view_features=torch.randn(views, 5, generator=generator), **changes)


def assert_holds(store, indices, views=2):
    samples = list(store.samples())
    assert [s['index'] for s in samples] == sorted(indices)
    for found in samples:
        expected = video(found['index'], views)
        assert torch.equal(found.pop('view_features'), expected['view_features'])
        torch.testing.assert_close(found.pop('feature'), expected.pop('view_features').mean(0))
        assert found == expected


def test_samples_come_back_by_value_in_order(tmp_path):
    store = FeatureStore(tmp_path, IDENTITY, shard_size=3)
    store.append([video(i) for i in (7, 1, 0, 3, 4)])
    assert set(store.stored()) == {0, 1, 7}  # a full shard is written at once
    store.flush()
    store.flush()
    assert store.stored() == {0: False, 1: False, 3: False, 4: True, 7: False}
    assert_holds(FeatureStore(tmp_path), [0, 1, 3, 4, 7])


def test_one_view_is_read_from_the_file_itself(tmp_path):
    store = FeatureStore(tmp_path, IDENTITY)
    store.append([video(i, views=1) for i in range(3)])
    store.flush()
    assert_holds(store, range(3), views=1)
    before = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0
    samples = list(store.samples())
    assert all(s['feature'].data_ptr() == s['view_features'].data_ptr() for s in samples)
    if before:  # no file stays open: a large store has more shards than a process may open files
        assert len(os.listdir('/proc/self/fd')) == before
    assert np.array_equal(np.load(tmp_path / '00000000.npy'), torch.stack([s['view_features'] for s in samples]))


def test_writers_side_by_side_and_a_second_run(tmp_path):
    """Two processes that share a folder, one of them killed with a shard half written."""
    first, second = FeatureStore(tmp_path, IDENTITY, 2), FeatureStore(tmp_path, IDENTITY, 2)
    first.append([video(i) for i in (0, 2, 4)])
    second.append([video(i) for i in (1, 3, 5)])
    (tmp_path / '00000004.npy').write_bytes(b'\x93NUMPY, but no more')
    assert set(first.stored()) == {0, 1, 2, 3}
    third = FeatureStore(tmp_path, IDENTITY)
    assert_holds(third, range(4))
    third.append([video(i) for i in (4, 5)])
    third.flush()
    assert_holds(third, range(6))
    assert not list(tmp_path.glob('*.part'))


def test_features_of_something_else_are_refused(tmp_path):
    FeatureStore(tmp_path, IDENTITY)
    assert FeatureStore(tmp_path, dict(IDENTITY)).identity == json.loads(json.dumps(IDENTITY))
    with pytest.raises(ValueError, match=r'holds features of something else \(network differ from store.json there\): '
                                         'delete the folder or name another one'):
        FeatureStore(tmp_path, dict(IDENTITY, network='b'))


def test_a_folder_without_a_store(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no stored features in '{tmp_path}'"):
        FeatureStore(tmp_path)


def test_a_network_is_its_weights_and_its_config():
    config = dict(type='Any', depth=18, init_cfg=dict(checkpoint='/some/path'), stages=(1, 2))
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    first = network_identity(model, config)
    model[1].num_batches_tracked += 1
    assert network_identity(model, dict(config, init_cfg=None)) == first
    assert network_identity(model, dict(config, depth=50)) != first
    with torch.no_grad():
        model[0].bias[2] += 1e-6
    assert network_identity(model, config) != first


def test_half_precision(tmp_path):
    store = FeatureStore(tmp_path / 'half', IDENTITY, shard_size=3, dtype='float16')
    store.append([video(i) for i in range(4)])
    store.flush()
    samples = list(FeatureStore(tmp_path / 'half', IDENTITY).samples())
    for index, sample in enumerate(samples):
        expected = video(index)['view_features'].half()
        assert sample['view_features'].dtype == torch.float16 and torch.equal(sample['view_features'], expected)
        torch.testing.assert_close(sample['feature'], expected.float().mean(0))
    assert sorted(path.stat().st_size for path in (tmp_path / 'half').glob('*.npy')) == [128 + 20, 128 + 60]


@pytest.mark.parametrize('value', [65520., -1e6, float('inf'), float('nan')])
def test_what_half_precision_cannot_hold(tmp_path, value):
    features = torch.zeros(2, 2, 5)
    features[1, 1, 4] = value
    store = FeatureStore(tmp_path, IDENTITY, dtype='float16')
    with pytest.raises(ValueError, match="a feature of 'b.mp4' is not within float16's 65504: .* dtype='float32'"):
        store.append([dict(index=i, filename=f'{name}.mp4', view_features=features[i]) for i, name in enumerate('ab')])
        store.flush()
    assert store.stored() == {}
