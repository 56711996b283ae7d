"""Published self-supervised image ResNets as starts: each layout of names, with the values that have to arrive."""

import argparse

import pytest
import torch
from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS
from torch import Tensor

from iboot_mm.models.backbones import SlowResNet
from iboot_mm.models.backbones.inflation import name_in_2d


def resnet(seed: int) -> dict[str, Tensor]:
    """Random weights of a narrow 2D ResNet-18 by torchvision's names."""
    generator = torch.Generator().manual_seed(seed)
    network = MMPRETRAIN_MODELS.build(dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4))
    return {name: torch.rand(value.shape, generator=generator) if value.is_floating_point() else value
            for name, value in network.state_dict().items()}


WANTED, OTHER = resnet(0), resnet(1)


def under(prefix: str, state: dict[str, Tensor], **more: Tensor) -> dict[str, Tensor]:
    return {f'{prefix}{name}': value for name, value in {**state, **more}.items()}


def heads(*names: str) -> dict[str, Tensor]:
    return {name: torch.rand(2, 2) for name in names}


SWAV = under('module.', WANTED, **heads('projection_head.0.weight', 'projection_head.1.running_mean',
                                        'projection_head.3.bias', 'prototypes.weight'))
DINO_HEAD = heads('head.mlp.0.weight', 'head.last_layer.weight_g', 'head.last_layer.weight_v')
MOCO3 = {**under('module.base_encoder.', WANTED, **heads('fc.0.weight', 'fc.1.running_mean')),
         **under('module.momentum_encoder.', OTHER, **heads('fc.0.weight', 'fc.1.running_mean')),
         **under('module.predictor.', heads('0.weight', '1.running_var'))}
MOCO2 = {**under('module.encoder_q.', WANTED, **heads('fc.0.weight')),
         **under('module.encoder_k.', OTHER, **heads('fc.0.weight')),
         **under('module.', heads('queue', 'queue_ptr'))}


def dino(wrapped: str) -> dict:
    """The student runs in DDP; so does the teacher of a network with BN."""
    return dict(student=under('module.', {**under('backbone.', OTHER), **DINO_HEAD}),
                teacher=under(wrapped, {**under('backbone.', WANTED), **DINO_HEAD}), epoch=800,
                optimizer=dict(state={}, param_groups=[]), args=argparse.Namespace(arch='resnet50'),
                dino_loss=dict(center=torch.zeros(1, 4)))


def mmpretrain(copy: str) -> dict:
    return dict(meta=dict(epoch=200), message_hub={}, state_dict={
        **under('backbone.', WANTED), **under('neck.', heads('fc0.weight')), **under('head.', heads('fc.weight')),
        **under(f'{copy}.module.0.', OTHER), **under(f'{copy}.', heads('steps'))})


def last_first(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(reversed(state.items()))


LAYOUTS = {
    'SwAV, published': SWAV,
    'SwAV, training': dict(epoch=100, state_dict=SWAV, optimizer=dict(state={}), amp=None),
    'DINO, backbone': WANTED,
    'DINO, training': dino('module.'),
    'DINO, bare teacher': dino(''),
    'MoCo v3': dict(epoch=300, arch='resnet50', state_dict=MOCO3, optimizer=dict(state={})),
    'MoCo v3, copy first': dict(state_dict=last_first(MOCO3)),
    'MoCo v2': dict(epoch=800, arch='resnet50', state_dict=MOCO2),
    'MoCo v2, copy first': dict(state_dict=last_first(MOCO2)),
    'mmpretrain BYOL': mmpretrain('target_net'),
    'mmpretrain MoCo v3': mmpretrain('momentum_encoder'),
    'mmpretrain SimCLR': dict(state_dict={**under('backbone.', WANTED), **under('neck.', heads('fc0.weight'))}),
}


def start(content: dict, tmp_path) -> SlowResNet:
    torch.save(content, tmp_path / 'image.pth.tar')
    network = SlowResNet(depth=18, base_channels=4, pretrained=str(tmp_path / 'image.pth.tar'))
    network.init_weights()
    return network


@pytest.mark.parametrize('layout', LAYOUTS)
def test_the_network_that_its_authors_evaluate_is_inflated(layout, tmp_path):
    for name, value in start(LAYOUTS[layout], tmp_path).state_dict().items():
        wanted = WANTED[name_in_2d(name)]
        if value.dim() == 5:  # every moment of the kernel is its share of the image's
            wanted = torch.stack([wanted / value.shape[2]] * value.shape[2], dim=2)
        assert value.equal(wanted), name


def test_two_networks_of_one_rank_are_no_start(tmp_path):
    with pytest.raises(ValueError, match=r'image.pth.tar holds several ResNets \(left., right.\); save the one'):
        start({**under('left.', WANTED), **under('right.', OTHER)}, tmp_path)


def test_a_momentum_copy_that_is_alone_is_a_start(tmp_path):
    network = start(dict(state_dict=under('module.encoder_k.', OTHER)), tmp_path)
    assert network.conv1.conv.weight[:, :, 0].equal(OTHER['conv1.weight'])
