"""A backbone as an encoder: what it gives, and which checkpoints it takes."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.models.encoders.video import BACKBONE_MEAN, BACKBONE_STD, VideoEncoder
from iboot_mm.models.modules.momentum import MomentumCopy


def test_features_are_the_backbones_averaged_over_time_space_and_views(slow_backbone):
    encoder = VideoEncoder(slow_backbone).eval()
    views = torch.rand(2, 3, 3, 4, 32, 32)  # (N, V, C, T, H, W)
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (BACKBONE_MEAN, BACKBONE_STD))
    samples = [ActionDataSample() for _ in range(2)]
    with torch.no_grad():
        encoder(views, samples, mode='predict')
        for n in range(2):
            expected = encoder.backbone((views[n] - mean) / std).mean(dim=(2, 3, 4))  # (V, D)
            torch.testing.assert_close(samples[n].view_features, expected)
            torch.testing.assert_close(samples[n].feature, expected.mean(0))
        assert encoder(views).shape == (2, 3, 4, 64)


def test_a_normalisation_of_its_own(slow_backbone):
    encoder = VideoEncoder(slow_backbone, normalization=dict(mean=[.1, .2, .3], std=[.5, .25, .2]))
    clips = torch.tensor([.6, .7, .9]).view(1, 3, 1, 1, 1)
    assert encoder.normalize(clips).flatten().tolist() == pytest.approx([1, 2, 3])
    assert not any('mean' in key and 'running' not in key for key in encoder.state_dict())
    for wrong in (dict(mean=[.5], std=[.2]), dict(mean=[.5] * 3), dict(mean=[.5] * 3, std=[.2, 0., .2])):
        with pytest.raises(ValueError, match='mean and the positive std of R, G and B'):
            VideoEncoder(slow_backbone, normalization=wrong)


def test_it_has_no_loss(slow_backbone):
    with pytest.raises(ValueError, match="mode='loss' is unknown to VideoEncoder"):
        VideoEncoder(slow_backbone)(torch.rand(1, 1, 3, 4, 32, 32), mode='loss')


def test_a_pretraining_checkpoint_loads_by_value(slow_backbone):
    method = MODELS.build(dict(type='IBoot', backbone=slow_backbone, feature_dim=64,
                               teacher=dict(type='PatchMeanTeacher')))
    encoder = VideoEncoder(slow_backbone)
    encoder.load_state_dict(method.state_dict(), strict=False)
    for name, value in method.backbone.state_dict().items():
        torch.testing.assert_close(encoder.backbone.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.parametrize('change, key', [(dict(base_channels=4), 'backbone.conv1.conv.weight is'),
                                         (dict(depth=50), r'backbone\.layer1\.0\.conv1\.conv\.weight is')])
def test_a_checkpoint_of_another_backbone_is_refused(slow_backbone, change, key):
    other = VideoEncoder({**slow_backbone, **change})
    with pytest.raises(ValueError, match=key):
        VideoEncoder(slow_backbone).load_state_dict(other.state_dict(), strict=False)


def train_steps(model, views, steps=3):
    """Losses and weights of a few steps of SGD from weights that are the same in all calls."""
    torch.manual_seed(0)
    model.init_weights()
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=.1, momentum=.9), []
    for _ in range(steps):
        loss = model.train()(views).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize('option', [dict(channels_last=True), dict(compile=dict(backend='aot_eager'))])
def test_layout_and_compilation_change_neither_losses_nor_names(slow_backbone, option):
    plain, fast = VideoEncoder(slow_backbone), VideoEncoder(slow_backbone, **option)
    views = torch.rand(2, 2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))  # rounding grows on some
    assert train_steps(fast, views) == pytest.approx(train_steps(plain, views), rel=1e-4)
    assert list(fast.state_dict()) == list(plain.state_dict())
    plain.load_state_dict(fast.state_dict())
    for model in (plain.eval(), fast.eval()):
        model.features = model(views)
    torch.testing.assert_close(fast.features, plain.features, rtol=1e-4, atol=1e-5)


def test_layout_outlives_initialisation_and_loading_and_is_the_momentum_copys(slow_backbone):
    plain, encoder = VideoEncoder(slow_backbone), VideoEncoder(slow_backbone, channels_last=True)
    encoder.init_weights()
    encoder.load_state_dict(plain.state_dict())
    for network in (encoder.backbone, MomentumCopy(encoder.backbone).network):
        weights = [m.weight for m in network.modules() if isinstance(m, torch.nn.Conv3d) and m.in_channels > 1]
        assert weights and all(w.is_contiguous(memory_format=torch.channels_last_3d) for w in weights)
        maps = network(torch.rand(2, 3, 4, 32, 32))
        assert maps.is_contiguous(memory_format=torch.channels_last_3d)


def test_layout_of_2d_convolutions():
    backbone = dict(type='FrameResNetV2', layers=(1, 1), channels=(16, 32), stem_chs=8)
    plain, encoder = VideoEncoder(backbone), VideoEncoder(backbone, channels_last=True)
    views = torch.rand(2, 2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    assert train_steps(encoder, views) == pytest.approx(train_steps(plain, views), rel=1e-4)
    weights = [m.weight for m in encoder.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    assert weights and all(w.is_contiguous(memory_format=torch.channels_last) for w in weights)
    assert encoder.backbone(views[0, :, :, 0]).is_contiguous(memory_format=torch.channels_last)
    assert not plain.backbone(views[0, :, :, 0]).is_contiguous(memory_format=torch.channels_last)


def test_a_compiled_backbone_is_called_and_a_copy_of_it_is_compiled_when_told(slow_backbone):
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    encoder = VideoEncoder(slow_backbone, compile=dict(backend=backend))
    copy = MomentumCopy(encoder.backbone)
    views = torch.rand(1, 1, 3, 4, 32, 32)
    copy.eval()(views[0])
    assert not compiled
    encoder.eval()(views)
    assert len(compiled) == 1
    encoder.compile_network(copy.network)
    copy(views[0])
    assert len(compiled) == 2
