"""The teacher in the place of a video encoder."""

import pytest
import torch
import torch.distributed as dist
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.engine import DistributedPretrainer
from iboot_mm.models import TeacherEncoder
from iboot_mm.stores.identity import network_identity

VIEWS = torch.rand(2, 3, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))  # (N, V, C, T, H, W)


def test_features_are_the_teachers_averaged_over_frames_and_views():
    encoder = TeacherEncoder(dict(type='PatchMeanTeacher')).eval()
    samples = encoder(VIEWS, [ActionDataSample() for _ in range(2)], mode='predict')
    for n in range(2):
        frames = [[encoder.teacher(VIEWS[n, v:v + 1, :, t:t + 1])[0, 0] for t in range(4)] for v in range(3)]
        expected = torch.stack([torch.stack(view).mean(0) for view in frames])  # (V, D)
        torch.testing.assert_close(samples[n].view_features, expected)
        torch.testing.assert_close(samples[n].feature, expected.mean(0))
    assert encoder(VIEWS).shape == (2, 3, 4, 8)
    with pytest.raises(ValueError, match="mode='loss' is unknown to TeacherEncoder"):
        encoder(VIEWS, mode='loss')


def test_torchs_distributed_wrapper_takes_it(tmp_path):
    """It refuses models without a parameter."""
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/group', rank=0, world_size=1)
    try:
        wrapped = DistributedPretrainer(TeacherEncoder(dict(type='PatchMeanTeacher')))
    finally:
        dist.destroy_process_group()
    assert wrapped.module(VIEWS).shape == (2, 3, 4, 8)


def small(seed, **options):
    torch.manual_seed(seed)
    config = dict(type='TeacherEncoder', teacher=dict(
        type='TimmTeacher', model='resnet10t', pretrained=False, model_args=dict(num_classes=5), input_size=32,
        **options))
    return MODELS.build(config), config


def test_tokens_are_averaged():
    encoder, _ = small(0, output='tokens')
    mean, _ = small(0, output='mean')
    torch.testing.assert_close(encoder(VIEWS), mean(VIEWS))


def test_it_is_known_by_its_weights():
    """The same config, and nothing in the state dict: features of one must not pass for those of the other."""
    identities = [network_identity(*small(seed)) for seed in (0, 0, 1)]
    assert identities[0] == identities[1]
    assert identities[0]['own']['weights'] != identities[2]['own']['weights']
    assert identities[0]['weights'] == identities[2]['weights']
