import numpy as np
import pytest
import torch

from iboot_mm.evaluation import knn_classify, nearest_neighbors, weighted_vote


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


@pytest.mark.parametrize('chunks', [{}, dict(query_chunk=1, gallery_chunk=1), dict(query_chunk=7, gallery_chunk=13),
                                    dict(query_chunk=64, gallery_chunk=500)])
@pytest.mark.parametrize('k', [1, 20, 300])
def test_equals_brute_force(k, chunks):
    generator = torch.Generator().manual_seed(k)
    queries, gallery = torch.randn(31, 6, generator=generator), torch.randn(200, 6, generator=generator)
    labels = torch.randint(0, 9, (200,), generator=generator)
    guesses = knn_classify(queries, gallery, labels, k=k, temperature=.07, **chunks)
    assert torch.equal(guesses, brute_force(queries, gallery, labels, k, .07))


def test_chunks_give_the_same_neighbors_in_order():
    generator = torch.Generator().manual_seed(0)
    queries, gallery = torch.randn(5, 8, generator=generator), torch.randn(97, 8, generator=generator)
    similarities, indices = nearest_neighbors(queries, gallery, 10, query_chunk=2, gallery_chunk=9)
    cosines = torch.nn.functional.cosine_similarity(queries[:, None], gallery[None], dim=2)
    assert torch.equal(indices, cosines.argsort(dim=1, descending=True)[:, :10])
    assert torch.allclose(similarities, cosines.gather(1, indices), atol=1e-6)


def test_vote_by_hand():
    # Two neighbours of class 1 at .5 outvote one of class 0 at .55 only when the temperature is high enough.
    similarities, labels = torch.tensor([[.55, .5, .5]]), torch.tensor([[0, 1, 1]])
    assert weighted_vote(similarities, labels, 3, 1.).argmax() == 1
    scores = weighted_vote(similarities, labels, 3, .05)
    assert scores.argmax() == 0
    assert torch.allclose(scores, torch.tensor([[np.exp(11.), 2 * np.exp(10.), 0.]], dtype=torch.float32))


@pytest.mark.parametrize('temperature', [.5, .07])
def test_vote_of_the_peer(shared, temperature):
    golden = np.load(shared / 'golden' / 'knn.npz')
    queries, memory = torch.from_numpy(golden['queries']), torch.from_numpy(golden['memory'])
    labels = torch.from_numpy(golden['labels'])
    similarities, indices = nearest_neighbors(queries, memory, int(golden['K']), gallery_chunk=64)
    assert np.allclose(similarities, golden['top_sim'], atol=1e-5)
    scores = weighted_vote(similarities, labels[indices], int(golden['num_classes']), temperature)
    assert np.allclose(scores, golden[f'scores_T{temperature}'], rtol=1e-4)
    assert np.array_equal(scores.argmax(1), golden[f'pred_T{temperature}'])


@pytest.mark.parametrize('queries, gallery, k, words', [
    (torch.zeros(0, 4), torch.ones(3, 4), 1, 'queries'),
    (torch.ones(3, 4), torch.zeros(0, 4), 1, 'gallery'),
    (torch.ones(3, 4), torch.ones(3, 5), 1, 'width 4 and the gallery 5'),
    (torch.ones(3, 4), torch.ones(3, 4), 0, 'k=0'),
])
def test_bad_input(queries, gallery, k, words):
    with pytest.raises(ValueError, match=words):
        nearest_neighbors(queries, gallery, k)
