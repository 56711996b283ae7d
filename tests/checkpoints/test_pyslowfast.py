"""PySlowFast's names against its own, and what is refused."""

import functools
import json

import numpy as np
import pytest
import torch
import yaml
from mmaction.registry import MODELS
from torch import Tensor

from iboot_mm.checkpoints.pyslowfast import from_peer, own_name, peer_name, read_settings, to_peer

from ..peer_checkpoints import CFG, byol, slow_shapes, supervised


@functools.cache
def own_shapes(depth: int, width: int = 64) -> dict:
    with torch.device('meta'):
        network = MODELS.build(dict(type='SlowResNet', depth=depth, base_channels=width))
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


@pytest.mark.parametrize('depth, entries', [(50, 318), (101, 624)])
def test_every_entry_has_its_counterpart_of_the_same_shape(depth, entries):
    shapes = slow_shapes(depth, width=64)
    assert len(shapes) == entries
    assert {own_name(name): shape for name, shape in shapes.items()} == own_shapes(depth)
    assert all(peer_name(own_name(name)) == name for name in shapes)


def test_the_map_and_the_heads_are_those_of_the_peer(shared):
    peer = json.loads((shared / 'golden/keymap.json').read_text())
    assert {name: own_name(name) for name in peer['shapes']} == peer['map']
    assert {name: list(shape) for name, shape in slow_shapes(50, 64).items()} == peer['shapes']
    state = {f'backbone.{name}': torch.empty(shape, device='meta')
             for name, shape in [*peer['shapes'].items(), *peer['head_keys'].items()]}
    assert {what: len(names) for what, names in from_peer(state).left_out.items()} == {
        'projection and prediction heads': len(peer['head_keys'])}


@pytest.mark.parametrize('kind, mode', [('SlowResNet', 'eval'), ('SlowResNet', 'train'), ('ResNet3dSlowOnly', 'train')])
def test_features_are_the_peer_s(shared, kind, mode):
    """In double precision, which no machine's order of summation changes: what is left is the peer's own rounding."""
    golden = {name: torch.from_numpy(value) for name, value in np.load(shared / 'golden/slow_r50_width4.npz').items()}
    conversion = from_peer({name[2:]: value for name, value in golden.items() if name.startswith('w.')})
    network = MODELS.build(dict(conversion.backbone, type=kind))
    missing = network.load_state_dict({name.removeprefix('backbone.'): value
                                       for name, value in conversion.state.items()}, strict=False)
    assert not missing.unexpected_keys and all('num_batches_tracked' in name for name in missing.missing_keys)
    network.train(mode == 'train').double()
    features = network(golden['x'].double()).mean(dim=(2, 3, 4))
    rounding = dict(eval=5e-7, train=5e-5)[mode]  # BN over so few values takes it from 2.5e-7 to 2.8e-5
    torch.testing.assert_close(features, golden[f'pooled_{mode}'].double(), atol=rounding, rtol=0)


@pytest.mark.parametrize('momentum, prefix', [(False, 'backbone.'), (True, 'backbone_hist.')])
def test_a_contrastive_model_s_network_is_taken_bit_by_bit_and_all_else_is_counted(momentum, prefix):
    state = byol()['model_state']
    conversion = from_peer(state, momentum)
    assert (conversion.backbone, conversion.feature_dim) == (dict(type='SlowResNet', depth=50, base_channels=4), 128)
    assert conversion.state.keys() == {f'backbone.{name}' for name in own_shapes(50, 4)}
    for name in slow_shapes():
        assert conversion.state[f'backbone.{own_name(name)}'] is state[prefix + name]
    other = 'the online network' if momentum else 'the momentum copy'
    assert {what: len(names) for what, names in conversion.left_out.items()} == {
        other: 334, 'projection and prediction heads': 16, 'the queue': 3, 'memory banks': 1, "SwAV's prototypes": 1}
    assert len(conversion.state) + sum(map(len, conversion.left_out.values())) == len(state)


@pytest.mark.parametrize('depth', [50, 101])
def test_a_classifier_comes_with_its_head_and_goes_back_as_it_was(depth):
    state = supervised(depth)['model_state']
    conversion = from_peer(state)
    assert conversion.backbone['depth'] == depth and not conversion.left_out
    assert conversion.state['cls_head.fc_cls.weight'] is state['head.projection.weight']
    assert conversion.state['cls_head.fc_cls.bias'] is state['head.projection.bias']
    back = to_peer(conversion.state)
    assert back.state.keys() == state.keys() and all(back.state[name] is state[name] for name in state)


def test_step_counters_may_be_missing():
    state = {name: value for name, value in supervised()['model_state'].items() if 'num_batches' not in name}
    assert len(from_peer(state).state) == len(state) == 318 + 2 - 53


def test_a_bare_backbone_goes_back_too_and_what_stands_beside_one_is_left_out():
    bare = {own_name(name): value for name, value in supervised()['model_state'].items() if own_name(name)}
    assert to_peer(bare).state.keys() == slow_shapes().keys()
    nested = {f'backbone.{name}': value for name, value in bare.items()}
    nested |= {'projectors.0.weight': torch.ones(2, 2), 'momentum.network.conv1.conv.weight': torch.ones(1)}
    conversion = to_peer(nested)
    assert conversion.state.keys() == slow_shapes().keys()
    assert conversion.left_out == {'projectors.*': ['projectors.0.weight'],
                                   'momentum.*': ['momentum.network.conv1.conv.weight']}


def drop(name: str):
    return lambda state: {key: value for key, value in state.items() if key != name}


def put(name: str, *shape: int):
    return lambda state: state | {name: torch.ones(shape)}


@pytest.mark.parametrize('spoil, message', [
    (put('s1.pathway1_stem.conv.weight', 8, 3, 5, 7, 7), '1 of its entries are unknown: s1.pathway1_stem.conv.weight'),
    (put('head.other.weight', 1), 'unknown: head.other.weight'),
    (put('backbone.s6.what', 1), r'unknown: .*s1.pathway0_stem.*and \d+ more'),  # half nested
    (put('s1.pathway0_stem.conv.bias', 4), 'depth 50 .it has backbone.conv1.conv.bias besides'),
    (drop('s3.pathway0_res1.branch2.b.weight'), 'it has no backbone.layer2.1.conv2.conv.weight'),
    (drop('s1.pathway0_stem.conv.weight'), 'it has no backbone.conv1.conv.weight'),
    (drop('head.projection.bias'), 'it has no cls_head.fc_cls.bias'),
    (put('head.projection.weight', 5, 64), r'fc_cls.weight is \(5, 64\) there and \(5, 128\) here'),
    # As in MMAction2's own R50, but also in res3.
    (put('s3.pathway0_res1.branch2.a.weight', 8, 32, 3, 1, 1), r'layer2.1.conv1.conv.weight is \(8, 32, 3'),
    (lambda state: {'blocks.0.conv.weight': torch.ones(1)}, 'unknown: blocks.0.conv.weight'),
    (lambda state: {key: value for key, value in state.items() if not key.startswith('s4.pathway0_res5')},
     r'blocks per stage are \(3, 4, 5, 3\), as in none of depth 18, 34, 50')])
def test_what_is_no_slow_network_is_refused_and_the_entries_are_named(spoil, message):
    with pytest.raises(ValueError, match=message):
        from_peer(spoil(supervised()['model_state']))


def test_a_model_without_a_momentum_copy_has_none_to_take():
    with pytest.raises(ValueError, match='no momentum copy'):
        from_peer(supervised()['model_state'], momentum=True)


def slow18(stem: int) -> dict[str, Tensor]:
    """A Slow-18 by the peer's names; its own has a stem of 16 channels, a quarter of the first stage."""
    state = {peer_name(name): torch.zeros(shape) for name, shape in own_shapes(18).items()}
    return {name: value[:stem] if name.startswith('s1.') and value.dim() else value for name, value in state.items()}


def test_slow_18_is_another_network_there():
    assert from_peer(slow18(64)).backbone == dict(type='SlowResNet', depth=18)
    with pytest.raises(ValueError, match='not the Slow network of depth 18'):
        from_peer(slow18(16))
    with pytest.raises(ValueError, match='no Slow network like this one of depth 18, only 50 and 101'):
        to_peer(from_peer(slow18(64)).state)
    deeper = {f'backbone.{name}': torch.empty(shape, device='meta') for name, shape in own_shapes(152).items()}
    with pytest.raises(ValueError, match='like this one of depth 152'):
        to_peer(deeper)


def test_another_kind_of_network_does_not_go_back():
    with pytest.raises(ValueError, match='2 of its entries are unknown: backbone.blocks.0, backbone.blocks.1'):
        to_peer({'backbone.blocks.0': torch.ones(1), 'backbone.blocks.1': torch.ones(1), 'cls_head.x': torch.ones(1)})


def test_the_file_s_own_settings():
    clip = dict(clip_len=16, frame_interval=4, target_fps=30, sampling='dense', size=224, short_side=256)
    assert read_settings(yaml.safe_dump(CFG)) == ('byol', clip, dict(mean=[.45] * 3, std=[.225] * 3))
    cfg = dict(MODEL=dict(MODEL_NAME='ResNet'), DATA=dict(NUM_FRAMES=16, MEAN=[.4, .5, .6]))
    assert read_settings(yaml.safe_dump(cfg)) == ('supervised', None, dict(mean=[.4, .5, .6], std=[.225] * 3))


@pytest.mark.parametrize('cfg', [None, '', 'a: [', 'only text', dict(DATA=1)])
def test_settings_that_tell_nothing(cfg):
    assert read_settings(cfg) == ('unknown', None, dict(mean=[.45] * 3, std=[.225] * 3))
