import json

import pytest

from iboot_mm.visualization import read_scalars
from iboot_mm.visualization.scalars import read_log, scalar_files

from ..run_logs import write_start


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


@pytest.mark.parametrize('text', [True, False], ids=['with the log', 'without'])
@pytest.mark.parametrize('length, interval', [(40, 10), (10, 3), (80, 20)])
def test_starts_of_another_split_are_put_together_by_epochs(tmp_path, text, length, interval):
    """The value of a place is a function of its epoch, so all points lie on one line, whatever was repeated."""
    write_start(tmp_path, 0, 5.5, 40, 10, lambda at: at, '20260101_000000', text=text)
    write_start(tmp_path, 3, 8, length, interval, lambda at: 10 + at, '20260102_000000', text=text)
    log = read_log(scalar_files(tmp_path))
    assert log.length == length
    accuracy = log.over('digit/knn_top1', 'epoch')
    assert accuracy == [*((float(e), float(e)) for e in (1, 2, 3)), *((float(e), 10. + e) for e in (4, 5, 6, 7, 8))]
    assert log.over('digit/knn_top1', 'step') == [(length * epoch, value) for epoch, value in accuracy]
    loss = log.over('loss', 'epoch')
    assert all(value == pytest.approx(2 - at - (10 if at > 3 else 0)) for at, value in loss)
    assert [at for at, _ in loss] == sorted({at for at, _ in loss}) and loss[-1][0] == 8


def test_hours_are_those_of_the_iterations_that_count(tmp_path):
    """3 epochs of 40 at half a second, then 2 of 20 at 2 s; what was repeated and validations (99 s) do not count."""
    write_start(tmp_path, 0, 3.5, 40, 10, seconds=.5)
    write_start(tmp_path, 3, 5, 20, 10, seconds=2., stamp='20260102_000000')
    hours = dict(zip(range(1, 6), (at for at, _ in read_log(scalar_files(tmp_path)).over('digit/knn_top1', 'time'))))
    assert {epoch: round(3600 * at) for epoch, at in hours.items()} == {1: 20, 2: 40, 3: 60, 4: 100, 5: 140}
    assert set(read_log(scalar_files(tmp_path)).curves) == {'loss', 'lr', 'memory', 'time', 'digit/knn_top1'}


def test_a_run_begun_anew_in_its_folder_is_the_new_run(tmp_path):
    write_start(tmp_path, 0, 5, value=lambda at: -at)
    write_start(tmp_path, 0, 2, value=lambda at: at, stamp='20260102_000000')
    assert read_log(scalar_files(tmp_path)).over('digit/knn_top1', 'epoch') == [(1, 1.), (2, 2.)]


def test_an_unfinished_first_epoch_is_a_part_of_one(tmp_path):
    write_start(tmp_path, 0, .5)
    assert read_log(scalar_files(tmp_path)).over('loss', 'epoch')[-1][0] == .5


def test_a_run_without_epochs_or_times(tmp_path):
    file = write(tmp_path / 'scalars.json', [dict(loss=2., iter=50, step=50), {'knn_top1': .3, 'step': 60},
                                             dict(loss=1., iter=100, step=100), {'knn_top1': .4, 'step': 2}])
    log = read_log([file])
    assert log.over('knn_top1', 'step') == [(50, .3), (100, .4)] and log.length is None
    for axis, sentence in (('epoch', 'counts iterations, not epochs'), ('time', "logged no 'time'")):
        with pytest.raises(ValueError, match=sentence):
            log.over('loss', axis)


def test_a_validation_alone(tmp_path):
    assert read_scalars([write(tmp_path / 'scalars.json', [{'knn_top1': .3, 'step': 0}])]) == {'knn_top1': [(0, .3)]}


@pytest.mark.parametrize('text, sentence', [
    ('{"loss": \n{"loss": 1, "iter": 1, "step": 1}\n', 'line 1 is no JSON'), ('[1]\n{"iter": 1}', 'line 1 has neither'),
    ('{"loss": 1}\n', "neither 'iter' nor 'step'"), ('{"iter": "ten"}', "neither 'iter' nor 'step'"),
    ('{"iter": 1, "epoch": "1"}', "line 1 has '1' for 'epoch'"), ('{"iter": 1, "epoch": null}', "None for 'epoch'"),
    ('{"iter": NaN}', "nan for 'iter'"), ('{"iter": 1, "time": "x"}', "'x' for 'time'"),
    (f'{{"step": 1{"0" * 400}}}', "inf for 'step'"), ('[' * 10**5 + '\n{"iter": 1}', 'line 1 is no JSON')])
def test_broken(tmp_path, text, sentence):
    (tmp_path / 'scalars.json').write_text(text)
    with pytest.raises(ValueError, match=f'scalars.json, {sentence}|{sentence}'):
        read_scalars([tmp_path / 'scalars.json'])


def test_a_whole_number_too_large_for_a_float_is_infinite(tmp_path):
    (tmp_path / 'scalars.json').write_text(f'{{"iter": 1, "loss": 1{"0" * 5000}}}')
    assert read_scalars([tmp_path / 'scalars.json']) == {'loss': [(1, float('inf'))]}


def test_missing_and_no_text(tmp_path):
    with pytest.raises(FileNotFoundError, match='scalars.json'):
        read_scalars([])
    (tmp_path / 'scalars.json').write_bytes(b'\xff\xfe\x00\x80')
    with pytest.raises(ValueError, match='is no text'):
        read_scalars([tmp_path / 'scalars.json'])
