import pytest
import torch
from mmaction.registry import MODELS

from iboot_mm.models.modules.features import frame_features, match_time

BACKBONES = {  # T' measured for 8 frames in
    'slow': (dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, lateral=False), 8, 32),
    'r2plus1d': (dict(type='ResNet2Plus1d', depth=18, base_channels=4, conv1_kernel=(3, 7, 7), conv1_stride_t=1,
                      pool1_stride_t=1, inflate=(1, 1, 1, 1), spatial_strides=(1, 2, 2, 2),
                      temporal_strides=(1, 2, 2, 2), pretrained2d=False, conv_cfg=dict(type='Conv2plus1d')), 1, 32),
    'swin': (dict(type='SwinTransformer3D', arch=dict(embed_dims=16, depths=[1, 1], num_heads=[1, 2]),
                  window_size=(4, 4, 4), out_indices=(1,), pretrained2d=False), 4, 32),
    'videomae': (dict(type='VisionTransformer', img_size=32, patch_size=16, embed_dims=24, depth=1, num_heads=2,
                      num_frames=8, return_feat_map=True), 4, 24),
    'mvit': (dict(type='MViT', arch=dict(embed_dims=16, num_layers=2, num_heads=1, downscale_indices=[1]),
                  spatial_size=32, temporal_size=8, out_scales=1), 4, 32),
}
FULL_SIZE = {  # torchvision's can't be made narrow, so most tests do without them
    'torchvision_r2plus1d': (dict(type='TorchvisionVideoBackbone', name='r2plus1d_18'), 1, 512),
    'torchvision_s3d': (dict(type='TorchvisionVideoBackbone', name='s3d'), 1, 1024),
}


@pytest.mark.parametrize('name', [*BACKBONES, *FULL_SIZE])
def test_every_form_of_output_becomes_features_per_step(name):
    config, steps, width = {**BACKBONES, **FULL_SIZE}[name]
    backbone = MODELS.build(config)
    backbone.eval()
    with torch.no_grad():
        features = frame_features(backbone(torch.randn(2, 3, 8, 32, 32)))
    assert features.shape == (2, steps, width)


def test_maps_are_averaged_over_space_only():
    maps = torch.arange(2 * 3 * 2 * 2 * 2.).view(2, 3, 2, 2, 2)  # (N, D, T, H, W)
    expected = torch.stack([maps[:, :, t].flatten(2).mean(-1) for t in range(2)], dim=1)
    torch.testing.assert_close(frame_features(maps), expected)


def test_the_last_stage_and_its_map_count():
    early, late, token = torch.zeros(1, 2, 4, 2, 2), torch.ones(1, 3, 2, 1, 1), torch.full((1, 3), 9.)
    assert frame_features((early, late)).eq(1).all()
    assert frame_features(([early, token], [late, token])).eq(1).all()


def test_an_output_without_features_is_named():
    with pytest.raises(TypeError, match='dict'):
        frame_features({})
    with pytest.raises(TypeError, match=r'\(4,\)'):
        frame_features(torch.zeros(4))


def test_match_time_averages_even_bins():
    features = torch.arange(8.).view(1, 8, 1)
    assert match_time(features, 4).flatten().tolist() == [.5, 2.5, 4.5, 6.5]
    assert match_time(features, 1).flatten().tolist() == [3.5]
    assert match_time(features[:, :2], 4).flatten().tolist() == [0, 0, 1, 1]
