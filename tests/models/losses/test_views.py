import math

import pytest
import torch

from iboot_mm.models.losses.views import (
    cosine_distance,
    info_nce,
    nt_xent,
    sinkhorn,
    spread,
    swapped_prediction,
    target_info_nce,
)


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


def logits(*shape, seed=0):
    """Similarities over a temperature of .1, float64."""
    return 20 * torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 10


def units(*shape, seed=0):
    features = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(features, dim=-1)


def test_info_nce_is_its_sums():
    positives, negatives = logits(4, 3), logits(4, 7, seed=1)
    joint, separate = info_nce(positives, negatives), info_nce(positives, negatives, separate=True)
    for n in range(4):
        good = [math.exp(x) for x in positives[n].tolist()]
        bad = sum(math.exp(x) for x in negatives[n].tolist())
        assert joint[n].item() == pytest.approx(-math.log(sum(good) / (sum(good) + bad)), rel=1e-9)
        assert separate[n].item() == pytest.approx(sum(-math.log(x / (x + bad)) for x in good) / 3, rel=1e-9)
    torch.testing.assert_close(info_nce(positives[:, :1], negatives), info_nce(positives[:, :1], negatives, True))


@pytest.mark.parametrize('separate', [False, True])
def test_info_nce_at_extremes(separate):
    left_out = torch.cat([logits(2, 3), torch.full((2, 1), -math.inf, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(info_nce(logits(2, 2, seed=1), left_out, separate),
                               info_nce(logits(2, 2, seed=1), logits(2, 3), separate))
    # exp(1000) overflows; the loss is the distance.
    far = info_nce(torch.tensor([[-500.], [500.]]), torch.tensor([[500.], [-500.]]), separate)
    assert far.tolist() == [1000, 0]


@pytest.mark.parametrize('separate', [False, True])
def test_gradient_of_info_nce(separate):
    positives, negatives = logits(2, 3).requires_grad_(), logits(2, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, n: info_nce(p, n, separate), (positives, negatives))


@pytest.mark.parametrize('rho', [2, 3, 4])
@pytest.mark.parametrize('first', [0, 2])
def test_nt_xent_is_a_double_loop(rho, first):
    keys = units(rho, 5, 6)
    queries = keys[:, first:first + 3]
    losses = nt_xent(queries, keys, first, .1)
    for v in range(rho):
        for n in range(3):
            numerator = denominator = 0.
            for w in range(rho):
                for m in range(5):
                    similarity = math.exp(float(queries[v, n] @ keys[w, m]) / .1)
                    if (w, m) != (v, first + n):
                        denominator += similarity
                        numerator += similarity * (m == first + n)
            assert losses[v, n].item() == pytest.approx(-math.log(numerator / denominator), rel=1e-9)


def test_nt_xent_is_the_cross_entropy_of_simclr():
    clips = units(2, 4, 6)
    rows = clips.flatten(0, 1)
    similarity = (rows @ rows.T / .1).fill_diagonal_(-math.inf)
    expected = torch.nn.functional.cross_entropy(similarity, torch.arange(8).roll(4), reduction='none')
    torch.testing.assert_close(nt_xent(clips, clips, 0, .1), expected.view(2, 4))


def test_gradient_of_nt_xent():
    queries, keys = units(3, 2, 4).requires_grad_(), units(3, 3, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda q, k: nt_xent(q, k, 1, .5), (queries, keys))


def textbook_sinkhorn(scores, epsilon, iterations):
    """SwAV, appendix A, in float64: prototypes to a mass of 1 / K, samples to 1 / B, by loops."""
    b, k = scores.shape
    q = [[math.exp(x / epsilon) for x in row] for row in scores.tolist()]
    total = sum(map(sum, q))
    q = [[x / total for x in row] for row in q]
    for _ in range(iterations):
        mass = [sum(row[j] for row in q) for j in range(k)]
        q = [[x / mass[j] / k for j, x in enumerate(row)] for row in q]
        q = [[x / sum(row) / b for x in row] for row in q]
    return torch.tensor([[x * b for x in row] for row in q])


@pytest.mark.parametrize('iterations', [1, 3, 100])
def test_sinkhorn_is_the_textbooks(iterations):
    scores = 2 * torch.rand(8, 5, generator=torch.Generator().manual_seed(0)) - 1
    codes = sinkhorn(scores.requires_grad_(), .2, iterations)
    torch.testing.assert_close(codes, textbook_sinkhorn(scores, .2, iterations), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(codes.sum(1), torch.ones(8))
    assert not codes.requires_grad and codes.dtype == torch.float32
    if iterations == 100:
        torch.testing.assert_close(codes.sum(0), torch.full((5,), 8 / 5), rtol=1e-3, atol=0)


def test_sinkhorn_stays_finite_at_the_ends():
    scores = torch.eye(4) * 2 - 1  # cosines of 1 and -1
    codes = sinkhorn(scores.bfloat16())
    assert codes.isfinite().all()
    torch.testing.assert_close(codes.diagonal(), torch.ones(4), rtol=0, atol=1e-4)


@pytest.mark.parametrize('rho', [2, 3])
def test_swapped_prediction_is_its_loops(rho):
    scores, codes = logits(rho, 3, 5) / 10, logits(rho, 3, 5, seed=1).softmax(-1)
    losses = swapped_prediction(scores, codes, .1)
    for v in range(rho):
        for n in range(3):
            log_probs = (scores[v, n] / .1).log_softmax(0)
            terms = [-sum(float(c) * float(p) for c, p in zip(codes[w, n], log_probs)) for w in range(rho) if w != v]
            assert losses[v, n].item() == pytest.approx(sum(terms) / (rho - 1), rel=1e-9)


def test_gradient_of_swapped_prediction():
    codes = logits(3, 2, 4, seed=1).softmax(-1)
    assert torch.autograd.gradcheck(lambda s: swapped_prediction(s, codes, .5), (logits(3, 2, 4).requires_grad_(),))


def test_target_info_nce_is_its_definition_and_knows_where_its_rank_begins():
    generator = torch.Generator().manual_seed(3)
    predictions, targets = torch.randn(2, 3, 8, generator=generator), torch.randn(7, 8, generator=generator)
    losses = target_info_nce(predictions, targets, first=4, temperature=.5)
    units = torch.nn.functional.normalize(targets.double(), dim=-1)
    for v in range(2):
        for n in range(3):
            cosines = units @ predictions[v, n].double() / predictions[v, n].double().norm()
            expected = -cosines[4 + n] / .5 + (cosines / .5).exp().sum().log()
            assert losses[v, n].item() == pytest.approx(expected.item(), rel=1e-5)


def test_target_info_nce_wants_another_video():
    with pytest.raises(ValueError, match='num_videos must be at least 2, got 1'):
        target_info_nce(torch.ones(2, 1, 4), torch.ones(1, 4), 0, .1)
