import math

import pytest
import torch

from iboot_mm.models.losses import cosine_distance, spread


def test_cosine_distance_is_that_of_the_angle():
    angles = torch.tensor([0., .3, math.pi / 2, 2., math.pi])
    query = torch.stack([angles.cos(), angles.sin()], dim=-1) * 7
    key = torch.tensor([3., 0.])
    torch.testing.assert_close(cosine_distance(query, key), 2 - 2 * angles.cos(), rtol=0, atol=1e-6)


def test_cosine_distance_is_the_squared_distance_of_unit_vectors():
    query, key = torch.randn(2, 5, 3, 16, generator=torch.Generator().manual_seed(0))
    units = [torch.nn.functional.normalize(x.double(), dim=-1) for x in (query, key)]
    torch.testing.assert_close(cosine_distance(query, key).double(), (units[0] - units[1]).square().sum(-1))


def test_gradient_of_cosine_distance_is_its_closed_form():
    query, key = torch.randn(2, 16, generator=torch.Generator().manual_seed(1)).double()
    query.requires_grad_()
    # The function works in float32, so the closed form is met to float32's digits.
    cosine_distance(query, key).backward()
    q, k = query.detach(), key
    unit_q, unit_k = q / q.norm(), k / k.norm()
    expected = -2 * (unit_k - (unit_q @ unit_k) * unit_q) / q.norm()
    torch.testing.assert_close(query.grad, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_cosine_distance_stays_float32_under_autocast(dtype):
    query = torch.full((1, 4096), 300.)
    key = query.clone()
    key[0, 0] = 0
    with torch.autocast('cpu', dtype=dtype):
        distance = cosine_distance(query, key)
    assert distance.dtype == torch.float32
    # cos = sqrt(4095 / 4096); half precision would give 0 or infinity (300^2 x 4096 overflows).
    assert distance.item() == pytest.approx(2 - 2 * math.sqrt(4095 / 4096), rel=1e-2)


def test_spread_of_known_configurations():
    assert spread(torch.ones(10, 4)).item() == pytest.approx(0, abs=1e-3)
    assert spread(torch.cat([torch.eye(4), -torch.eye(4)])).item() == pytest.approx(1)
    # Orthogonal unit vectors: |mean|^2 = 1 / n.
    assert spread(torch.eye(4)).item() == pytest.approx(math.sqrt(3 / 4))


def test_spread_ignores_lengths_and_leading_axes():
    features = torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(0))
    scaled = features * torch.rand(6, 5, 1, generator=torch.Generator().manual_seed(1)).add(.1)
    torch.testing.assert_close(spread(scaled), spread(features.flatten(0, 1)))
