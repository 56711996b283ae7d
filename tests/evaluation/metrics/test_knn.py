import numpy as np
import pytest
import torch

from iboot_mm.evaluation import knn_classify, nearest_neighbors, weighted_vote
from iboot_mm.evaluation.metrics.knn import LazyStack, chunk_sizes


def brute_force(queries, gallery, labels, k, temperature):
    """The vote in float64, one query at a time, with Python's own sort."""
    units = [x / x.norm() for x in gallery.double()]
    guesses = []
    for query in queries.double():
        cosines = [(float(query / query.norm() @ unit), int(label)) for unit, label in zip(units, labels)]
        votes = {}
        for cosine, label in sorted(cosines, reverse=True)[:k]:
            votes[label] = votes.get(label, 0) + np.exp(cosine / temperature)
        guesses.append(max(votes, key=votes.get))
    return torch.tensor(guesses)


# GiB; room for all at once, for two rows or so, and for something between.
@pytest.mark.parametrize('memory', [4., 1e-6, 2e-5])
@pytest.mark.parametrize('k', [1, 20, 200])
def test_equals_brute_force(k, memory):
    generator = torch.Generator().manual_seed(k)
    queries, gallery = torch.randn(31, 6, generator=generator), torch.randn(200, 6, generator=generator)
    labels = torch.randint(0, 9, (200,), generator=generator)
    guesses = knn_classify(queries, gallery, labels, k=k, temperature=.07, memory=memory, device='cpu')
    assert torch.equal(guesses, brute_force(queries, gallery, labels, k, .07))


@pytest.mark.parametrize('memory', [4., 1e-6])
def test_chunks_give_the_same_neighbors_in_order(memory):
    generator = torch.Generator().manual_seed(0)
    queries, gallery = torch.randn(5, 8, generator=generator), torch.randn(97, 8, generator=generator)
    lazy = [LazyStack(list(features[:, None])) for features in (queries, gallery)]
    similarities, indices = nearest_neighbors(*lazy, 10, memory, 'cpu')
    cosines = torch.nn.functional.cosine_similarity(queries[:, None], gallery[None], dim=2)
    assert torch.equal(indices, cosines.argsort(dim=1, descending=True)[:, :10])
    assert torch.allclose(similarities, cosines.gather(1, indices), atol=1e-6)


@pytest.mark.parametrize('num_queries, num_gallery', [(20_000, 240_000), (20_000, 10), (1, 240_000), (3, 4)])
@pytest.mark.parametrize('width', [64, 2048])
@pytest.mark.parametrize('memory', [.01, .5, 4., 100.])
def test_chunks_fit_the_memory_and_use_it(num_queries, num_gallery, width, memory):
    q, g = chunk_sizes(num_queries, num_gallery, width, memory)
    assert 1 <= q <= num_queries and 1 <= g <= min(num_gallery, 8192)

    def gib(q, g):
        return 8 * (q * width + g * width + min(q, 1024) * g) / 2**30

    assert gib(q, g) <= memory
    assert q == num_queries or gib(q + 1, 0) > .5 * memory  # the queries have half, the gallery the rest
    assert g == min(num_gallery, 8192) or gib(q, g + 1) > memory


def test_the_gallery_is_read_once_and_in_parts():
    class Counting(LazyStack):
        def __getitem__(self, part):
            taken = super().__getitem__(part)
            self.log.append(len(taken))
            return taken

    gallery, queries = Counting(list(torch.randn(500, 1, 16))), Counting(list(torch.randn(40, 1, 16)))
    gallery.log, queries.log = [], []
    memory = 4e-5
    nearest_neighbors(queries, gallery, 3, memory, 'cpu')
    assert sum(gallery.log) == 500 and len(gallery.log) > 3 and queries.log == [40]
    assert 8 * (16 * (40 + max(gallery.log)) + 40 * max(gallery.log)) <= memory * 2**30


def test_queries_without_room_take_turns():
    generator = torch.Generator().manual_seed(0)
    queries, gallery = torch.randn(3000, 8, generator=generator), torch.randn(50, 8, generator=generator)
    chunks = chunk_sizes(3000, 50, 8, 1e-4)
    assert chunks[0] < 3000 > 2 * chunks[0] and chunks[1] < 50
    whole, parts = (nearest_neighbors(queries, gallery, 5, memory, 'cpu') for memory in (4., 1e-4))
    assert torch.equal(whole[1], parts[1]) and torch.allclose(whole[0], parts[0], atol=1e-6)


def test_vote_by_hand():
    # Two neighbours of class 1 at .5 outvote one of class 0 at .55 only when the temperature is high enough.
    similarities, labels = torch.tensor([[.55, .5, .5]]), torch.tensor([[0, 1, 1]])
    assert weighted_vote(similarities, labels, 3, 1.).argmax() == 1
    scores = weighted_vote(similarities, labels, 3, .05)
    assert scores.argmax() == 0
    assert torch.allclose(scores, torch.tensor([[np.exp(11.), 2 * np.exp(10.), 0.]], dtype=torch.float32))


def test_a_cold_vote_listens_to_the_nearest():
    """exp(1 / .01) is no float32: with infinite votes the lowest class would win."""
    scores = weighted_vote(torch.tensor([[.99, .93, .92]]), torch.tensor([[2, 0, 0]]), 3, .01)
    assert scores.isfinite().all() and scores.argmax() == 2
    assert scores[0, 0] / scores[0, 2] == pytest.approx(np.exp(-6) + np.exp(-7), rel=1e-4)


@pytest.mark.parametrize('temperature', [.5, .07])
def test_vote_of_the_peer(shared, temperature):
    golden = np.load(shared / 'golden' / 'knn.npz')
    queries, memory = torch.from_numpy(golden['queries']), torch.from_numpy(golden['memory'])
    labels = torch.from_numpy(golden['labels'])
    similarities, indices = nearest_neighbors(queries, memory, int(golden['K']), memory=1e-4)
    assert np.allclose(similarities, golden['top_sim'], atol=1e-5)
    scores = weighted_vote(similarities, labels[indices], int(golden['num_classes']), temperature)
    assert np.allclose(scores, golden[f'scores_T{temperature}'], rtol=1e-4)
    assert np.array_equal(scores.argmax(1), golden[f'pred_T{temperature}'])


@pytest.mark.parametrize('queries, gallery, k, memory, words', [
    (torch.zeros(0, 4), torch.ones(3, 4), 1, 4., 'queries'),
    (torch.ones(3, 4), torch.zeros(0, 4), 1, 4., 'gallery'),
    (torch.ones(3, 4), LazyStack([]), 1, 4., 'gallery'),
    (torch.ones(3, 4), torch.ones(3, 5), 1, 4., 'width 4 and the gallery 5'),
    (torch.ones(3, 4), torch.ones(3, 4), 0, 4., 'k=0 nearest'),
    (torch.ones(3, 4), torch.ones(3, 4), 20, 4., 'the gallery holds 3 readable videos: set k to a number from 1 to 3'),
    (torch.ones(3, 4), torch.ones(3, 4), 1, 0, 'memory=0'),
])
def test_bad_input(queries, gallery, k, memory, words):
    with pytest.raises(ValueError, match=words):
        nearest_neighbors(queries, gallery, k, memory)
