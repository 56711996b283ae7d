"""The k-NN benchmark's rows find the same, and its table carries what they found."""

import importlib.util
import re
import sys
from argparse import Namespace

import knn
import pytest
import torch
from torch.nn.functional import normalize

SMALL = dict(gallery=4500, queries=60, width=1024, device='cpu')


def test_rows_on_disk_in_memory_and_in_a_process_of_their_own(tmp_path, forked):
    args = Namespace(**SMALL, folder=tmp_path, memory=[1e-2])
    found = {row: knn.search(row, args) for row in ('stored, 0.01 GiB', 'in memory')}
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ['gallery_4500x1024', 'query_60x1024']
    rows = knn.matrix('gallery', 4500, 1024)
    assert torch.equal(rows[4096:], knn.features('gallery', 4096, 404, 1024)) and len(rows.unique(dim=0)) == 4500
    apart = knn.in_own_process('in memory', 0., args)
    assert torch.equal(apart['indices'], found['in memory']['indices']) and apart['gib'] >= 0 < apart['seconds']
    knn.vote(apart, args)
    assert apart['top1'] == pytest.approx(found['stored, 0.01 GiB']['top1']) and apart['top1'] > 0
    cosines = normalize(knn.matrix('query', 60, 1024)) @ normalize(rows).T
    assert torch.allclose(apart['cosines'], cosines.topk(20, dim=1).values, atol=1e-5)


@pytest.mark.parametrize('with_faiss', [False, True])
def test_table(monkeypatch, tmp_path, capsys, with_faiss):
    if with_faiss:
        pytest.importorskip('faiss')
    else:
        find = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: name != 'faiss' and find(name, *rest))

    def in_this_process(row, memory, args):
        return knn.search(row, Namespace(**{**vars(args), 'memory': [memory]}))

    monkeypatch.setattr(knn, 'in_own_process', in_this_process)
    options = [f'--{name}={value}' for name, value in SMALL.items()] + ['--memory=1e-2', f'--folder={tmp_path}']
    monkeypatch.setattr(sys, 'argv', ['benchmarks/knn.py', *options])
    knn.main()
    printed = capsys.readouterr().out
    rows = re.findall(r'^\| (.+?) +\| +(\S+) \| +(\S+) \| +(\S+) \| +(\S+) \|$', printed, re.M)[1:]
    assert [row[0] for row in rows] == ['stored, 0.01 GiB', 'in memory'] + ['faiss flat'] * with_faiss
    assert rows[1][2] == '1.00' and len({row[4] for row in rows}) == 1 and float(rows[0][4]) > 0
    assert ('100.0000% of the queries; the same vote: 100.0000%' if with_faiss else 'faiss is not installed') in printed


def test_agreement_counts_sets_and_votes():
    ours = dict(indices=torch.tensor([[1, 2], [3, 4], [5, 6], [7, 8]]), votes=torch.tensor([0, 1, 2, 3]))
    other = dict(indices=torch.tensor([[2, 1], [3, 4], [5, 6], [7, 9]]), votes=torch.tensor([0, 1, 0, 0]))
    assert '75.0000% of the queries; the same vote: 50.0000%' in knn.agreement(ours, other)
