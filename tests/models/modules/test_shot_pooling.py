"""How frames make a shot."""

import torch

from iboot_mm.models.modules.shot_pooling import AttentionPool, AveragePool


def test_average():
    frames = torch.tensor([[[1., 2.], [3., 6.]]])
    assert AveragePool()(frames).tolist() == [[2., 4.]]


def test_attention_starts_as_the_average():
    frames = torch.randn(2, 3, 5, 4)
    torch.testing.assert_close(AttentionPool(4)(frames), frames.mean(dim=2))


def test_attention_weighs_each_frame_by_its_score():
    pool, frames = AttentionPool(2), torch.tensor([[1., 0.], [0., 1.], [2., 2.]])
    with torch.no_grad():
        pool.score.weight.copy_(torch.tensor([[1., -1.]]))  # scores 1, -1, 0
    weights = torch.tensor([1., -1., 0.]).exp()
    expected = (weights[:, None] * frames).sum(0) / weights.sum()
    torch.testing.assert_close(pool(frames), expected)


def test_float32_under_autocast():
    frames = torch.randn(2, 3, 4, dtype=torch.bfloat16)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert AttentionPool(4)(frames).dtype == AveragePool()(frames).dtype == torch.float32
