"""From the student's output back to the teacher's features."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.models.encoders.joint_space import JointSpaceEncoder
from iboot_mm.models.encoders.video import VideoEncoder


def method(backbone: dict, **options) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(dict(type='IBoot', backbone=backbone, feature_dim=64,
                             teacher=[dict(type='PatchMeanTeacher', width=8), dict(type='PatchMeanTeacher', width=6)],
                             **options))


@pytest.mark.parametrize('temporal_pool', [True, False])
def test_without_target_norm_it_is_the_direction_of_w_f(slow_backbone, temporal_pool):
    student = method(slow_backbone).eval()
    encoder = JointSpaceEncoder(slow_backbone, 64, 6, target=1, temporal_pool=temporal_pool).eval()
    encoder.load_state_dict(student.state_dict(), strict=False)
    views, samples = torch.rand(2, 3, 3, 4, 32, 32), [ActionDataSample(), ActionDataSample()]  # (N, V, C, T, H, W)
    with torch.no_grad():
        encoder(views, samples, mode='predict')
        features = student.extract_feat(views.flatten(0, 1))  # (N V, T', 64)
        if temporal_pool:
            features = features.mean(1, keepdim=True)
        expected = F.normalize(student.projectors[1](features), dim=-1).mean(1).unflatten(0, (2, 3))
    for sample, views in zip(samples, expected):
        torch.testing.assert_close(sample.view_features, views)
        torch.testing.assert_close(sample.feature, views.mean(0))


@pytest.mark.parametrize('mode', ['center', 'standardize'])
def test_a_student_that_is_right_up_to_scale_is_mapped_back_exactly(mode):
    """Targets mean + std * sign are all equally long in the normalised space, so the scale is known exactly."""
    generator = torch.Generator().manual_seed(0)
    mean, std = torch.randn(8, generator=generator), torch.rand(8, generator=generator) + .5
    signs = torch.randint(0, 2, (20, 8), generator=generator) * 2. - 1
    signs = torch.cat([signs, -signs])
    targets = mean + std * signs  # (40, 8): mean and std are exactly those
    encoder = JointSpaceEncoder(dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, lateral=False), 8, 8,
                                target_norm=mode)
    norm = encoder.target_norms['0']
    norm.train()(targets[:, None])
    torch.testing.assert_close(norm.mean, mean)
    normalised = norm.eval()(targets)
    torch.testing.assert_close(norm.typical_norm().expand(40), normalised.norm(dim=1))
    with torch.no_grad():
        encoder.projectors['0'].weight.copy_(torch.eye(8)), encoder.projectors['0'].bias.zero_()
        scales = torch.rand(40, 1, generator=generator) * 9 + .1  # a cosine leaves each one free
        torch.testing.assert_close(encoder.to_teacher(scales * normalised), targets)


def test_typical_norm_is_the_root_mean_square_of_any_targets():
    targets = torch.randn(50, 4, 8, generator=torch.Generator().manual_seed(1)).exp()  # skewed, of unlike lengths
    for mode in ('center', 'standardize'):
        norm = JointSpaceEncoder(dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, lateral=False), 8, 8,
                                 target_norm=mode).target_norms['0']
        norm.train()(targets)
        expected = norm.eval()(targets).square().sum(-1).mean().sqrt()
        torch.testing.assert_close(norm.typical_norm(), expected)


def test_a_training_checkpoint_loads_by_value(slow_backbone):
    student = method(slow_backbone, target_norm='standardize').train()
    student(torch.rand(2, 2, 3, 4, 32, 32), mode='loss')  # moves the statistics
    encoder = JointSpaceEncoder(slow_backbone, 64, 8, target_norm='standardize')
    missing = encoder.load_state_dict(student.state_dict(), strict=False).missing_keys
    assert not missing and encoder.target_norms['0'].count == 1
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, student.state_dict()[name])


@pytest.mark.parametrize('options, words', [
    (dict(width=8, target=2), r'no projectors\.2\.weight'),
    (dict(width=512), r'projectors\.0\.weight of the checkpoint maps width 64 to 8, but the config says 64 to 512'),
    (dict(width=8, feature_dim=32), 'maps width 64 to 8, but the config says 32 to 8'),
    (dict(width=8, target_norm='center'), 'was trained without target_norm'),
])
def test_a_checkpoint_that_does_not_fit(slow_backbone, options, words):
    encoder = JointSpaceEncoder(**{**dict(backbone=slow_backbone, feature_dim=64), **options})
    with pytest.raises(ValueError, match=words):
        encoder.load_state_dict(method(slow_backbone).state_dict(), strict=False)


def test_target_norm_and_backbone_must_be_those_of_training(slow_backbone):
    encoder = JointSpaceEncoder(slow_backbone, 64, 8)
    with pytest.raises(ValueError, match='was trained with target_norm: set model.target_norm'):
        encoder.load_state_dict(method(slow_backbone, target_norm='center').state_dict(), strict=False)
    with pytest.raises(ValueError, match=r'no projectors\.0\.weight'):
        encoder.load_state_dict(VideoEncoder(slow_backbone).state_dict(), strict=False)
    with pytest.raises(ValueError, match='does not fit the backbone'):
        encoder.load_state_dict(method(dict(slow_backbone, depth=34)).state_dict(), strict=False)
