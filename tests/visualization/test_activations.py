"""Activation maps are the means over channels of the trained module, of an untrained one, and of the image model."""

import numpy as np
import pytest
import timm
import torch

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.visualization import activation_layers

from ..checkpoint_files import CONFIG, write_checkpoint

STOCK = "dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False)"


def checkpoint(tmp_path, temporal):
    weights = tmp_path / 'vit.pth'
    torch.manual_seed(1)
    torch.save(timm.create_model('test_vit', pretrained=False).state_dict(), weights)
    text = CONFIG.replace(STOCK, f"dict(type='ImageTMM', teacher=dict(type='TimmTeacher', model='test_vit', "
                                 f'checkpoint={str(weights)!r}), out_channels=64, temporal={temporal})')
    assert text != CONFIG
    return describe_checkpoint(write_checkpoint(tmp_path / 'run', text)['checkpoint'])


def test_three_layers_frame_by_frame(tmp_path):
    info = checkpoint(tmp_path, "dict(type='r3d', hidden=8, kernel=3)")
    torch.manual_seed(2)
    clips = torch.rand(2, 3, 4, 32, 32)
    trained, untrained, image_model = activation_layers(info, clips)
    assert [layer.name for layer in (trained, untrained, image_model)] == ['trained', 'untrained', 'image model']
    backbone = info.build_encoder().eval().backbone
    with torch.no_grad():
        tokens = backbone.image_maps(clips)
        expected = backbone.temporal(tokens).mean(1)
    assert expected.shape[:2] == (2, 4)
    np.testing.assert_allclose(trained.maps, expected.flatten(0, 1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(image_model.maps, tokens.mean(1).flatten(0, 1), rtol=1e-4, atol=1e-6)
    assert untrained.maps.shape == trained.maps.shape and np.abs(untrained.maps - trained.maps).max() > .01
    again = activation_layers(info, clips)[1]
    np.testing.assert_array_equal(untrained.maps, again.maps)  # from a seed of its own
    assert trained.low == pytest.approx(trained.maps.min())


def test_without_a_temporal_module_there_is_nothing_to_compare(tmp_path):
    with pytest.raises(ValueError, match='has no temporal module on an image model'):
        activation_layers(describe_checkpoint(write_checkpoint(tmp_path / 'run', CONFIG)['checkpoint']),
                          torch.rand(1, 3, 4, 32, 32))
