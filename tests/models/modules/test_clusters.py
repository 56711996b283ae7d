"""Clusters of targets: those that are there are found, once, the same on all ranks and after a stop."""

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from iboot_mm.models.modules.clusters import TargetClusters, k_means
from tests.distributed import run_in_processes


def blobs(count=120, kinds=4, seed=0):
    """Features ``(count, 3)`` around four centres, one channel fifty times as wide, and their kinds."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(kinds, (count, ), generator=generator)
    centres = torch.tensor([[0., 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4]])
    return (centres[kind] + .3 * torch.randn(count, 3, generator=generator)) * torch.tensor([1., 1, 50]), kind


def test_k_means_is_scikit_learns():
    points = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    ours = torch.cdist(points, k_means(points, 6)).amin(1).square().sum()
    assert ours <= 1.02 * KMeans(6, n_init=10, random_state=0).fit(points.numpy()).inertia_


def test_clusters_are_found_when_the_bank_is_full_and_stay():
    points, kinds = blobs()
    clusters = TargetClusters(3, number=4, bank=60).train()
    assert clusters(points[:40]) is None and int(clusters.filled) == 40 and not clusters.found
    assert clusters.eval()(points[40:80]) is None and int(clusters.filled) == 40  # evaluation takes nothing in
    labels = clusters.train()(points[40:80])  # 20 of them fill it
    assert torch.equal(clusters.bank, points[:60])
    assert adjusted_rand_score(kinds[40:80], labels) == 1
    before = clusters.centres.clone()
    assert adjusted_rand_score(kinds, clusters(points)) == 1
    assert torch.equal(clusters.centres, before) and torch.equal(clusters.bank, points[:60])


def test_a_stopped_run_goes_on():
    points = blobs()[0]
    whole, first, second, third = (TargetClusters(3, number=4, bank=60).train() for _ in range(4))
    whole(points[:40])
    first(points[:40])
    second.load_state_dict(first.state_dict())
    expected = whole(points[40:80])
    assert torch.equal(second(points[40:80]), expected)
    assert not third.found
    third.load_state_dict(second.state_dict())
    assert third.found and torch.equal(third(points[40:80]), expected)


def check_ranks(rank, world_size):
    points = blobs()[0]
    alone = TargetClusters(3, number=4, bank=60).train()
    ours = TargetClusters(3, number=4, bank=60).train()
    for start in (0, 40):
        part = points[start:start + 40]
        expected = alone.eval()(part) if alone.found else None  # alone is fed by hand, without the other rank
        found = ours(part.chunk(world_size)[rank])
    assert expected is None and torch.equal(ours.bank, points[:60])
    alone.bank.copy_(points[:60])
    alone.centres.copy_(k_means(points[:60] / ours.scale, 4) * ours.scale)
    torch.testing.assert_close(ours.centres, alone.centres)
    assert len(found) == 20


def test_ranks_find_the_clusters_of_one_process():
    run_in_processes(check_ranks, 2)


def test_impossible_options():
    with pytest.raises(ValueError, match='TargetClusters: number must be at least 2, got 1'):
        TargetClusters(3, number=1)
    with pytest.raises(ValueError, match='TargetClusters: bank must be at least 32, got 8'):
        TargetClusters(3, bank=8)
