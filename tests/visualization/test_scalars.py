import json

import pytest

from iboot_mm.visualization import read_scalars


def write(path, records, tail=''):
    path.write_text('\n'.join(json.dumps(r) for r in records) + tail)
    return path


def test_training_by_iteration_and_evaluation_at_the_end_of_its_epoch(tmp_path):
    file = write(tmp_path / 'scalars.json', [
        dict(loss=2., lr=.1, epoch=1, iter=10, step=10), dict(loss=1.5, lr=.1, epoch=1, iter=20, step=20),
        {'digit/knn_top1': .3, 'step': 1}, dict(loss=1., lr=.05, epoch=2, iter=40, step=40),
        {'digit/knn_top1': .6, 'step': 2}])
    curves = read_scalars([file])
    assert curves['loss'] == [(10, 2.), (20, 1.5), (40, 1.)]
    assert curves['digit/knn_top1'] == [(20, .3), (40, .6)]
    assert not {'iter', 'step', 'epoch'} & set(curves)


def test_a_resumed_run_replaces_what_it_repeats_and_a_cut_last_line_is_skipped(tmp_path):
    records = [dict(loss=2., epoch=1, iter=10, step=10), dict(loss=9., epoch=2, iter=20, step=20)]
    first = write(tmp_path / 'a.json', records, tail='\n{"loss": 1.')
    second = write(tmp_path / 'b.json', [dict(loss=1., epoch=2, iter=20, step=20)])
    assert read_scalars([first, second])['loss'] == [(10, 2.), (20, 1.)]


def test_broken_and_missing(tmp_path):
    broken = tmp_path / 'scalars.json'
    broken.write_text('{"loss": \n{"loss": 1, "iter": 1, "step": 1}\n')
    with pytest.raises(ValueError, match='line 1 is no JSON'):
        read_scalars([broken])
    with pytest.raises(FileNotFoundError, match='scalars.json'):
        read_scalars([])
