"""Ctrl-C, a full disk and the like end a run in one sentence; all else passes."""

import errno
import json
import logging
import os

import pytest
import torch

from iboot_mm.compat.data_loading import SharedMemoryError
from iboot_mm.datasets.transforms import SampleViews
from iboot_mm.engine.ending import CANNOT_WRITE, ends_in_a_sentence
from iboot_mm.ranges import above_zero


def ending(folder, error: BaseException, capsys) -> str:
    with pytest.raises(SystemExit) as stop, ends_in_a_sentence(str(folder), 'training'):
        raise error
    assert stop.value.code == 1
    return capsys.readouterr().err.strip()


def test_ctrl_c_names_what_it_goes_on_from(tmp_path, capsys):
    assert ending(tmp_path, KeyboardInterrupt(), capsys) == (
        'Stopped: training goes on from the start, since there is no checkpoint yet.')
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/epoch_3.pth')
    assert ending(tmp_path, KeyboardInterrupt(), capsys) == (
        f'Stopped: training goes on from {tmp_path}/epoch_3.pth with --resume.')


def test_ctrl_c_while_something_catches_everything(tmp_path, capsys):
    with pytest.raises(SystemExit), ends_in_a_sentence(str(tmp_path), 'training'):
        try:
            raise KeyboardInterrupt
        except:  # noqa: E722  (as mmengine does)
            raise SyntaxError('check the config')  # noqa: B904
    assert capsys.readouterr().err.startswith('\nStopped: training goes on from the start')


@pytest.mark.parametrize('number', CANNOT_WRITE)
def test_what_cannot_be_written_is_named(tmp_path, capsys, number):
    told = ending(tmp_path, OSError(number, os.strerror(number), '/disk/epoch_1.pth'), capsys)
    assert told.startswith(f'/disk/epoch_1.pth cannot be written ({os.strerror(number)}), and training stopped: ')
    assert len(told.splitlines()) == 1
    assert ending(tmp_path, OSError(number, os.strerror(number)), capsys).startswith(f'{tmp_path} cannot be written')


@pytest.mark.parametrize('is_folder', [False, True])
def test_what_cannot_be_read_is_not_said_to_be_unwritable(tmp_path, capsys, monkeypatch, is_folder):
    (place := tmp_path / 'foreign').mkdir() if is_folder else (place := tmp_path / 'foreign.pth').touch()
    monkeypatch.setattr(os, 'access', lambda path, mode: path != str(place) or not mode & os.R_OK)  # root may all
    error = PermissionError(errno.EACCES, 'Permission denied', str(place))
    assert ending(tmp_path, error, capsys) == (
        f'{place} cannot be read (Permission denied), and training stopped: have it made readable for this user; it '
        'goes on from the start, since there is no checkpoint yet.')


def test_a_log_on_a_full_disk(tmp_path, capsys):
    handler = logging.FileHandler('/dev/full')
    with pytest.raises(SystemExit), ends_in_a_sentence(str(tmp_path), 'test'):
        handler.handle(logging.makeLogRecord(dict(msg='a line')))
    assert f'{tmp_path} cannot be written (No space left on device), and test stopped' in capsys.readouterr().err


def test_shared_memory_is_told_without_a_workers_traceback(tmp_path, capsys):
    wrapped = SharedMemoryError('Caught SharedMemoryError in worker 0.\nOriginal Traceback:\n ...\n'
                                'iboot_mm.compat.data_loading.SharedMemoryError: /dev/shm has 1 MiB\n')
    assert ending(tmp_path, wrapped, capsys) == '/dev/shm has 1 MiB.'


@pytest.mark.parametrize('error', [ValueError('bad'), OSError(errno.ENOENT, 'no such file'), FloatingPointError('NaN')])
def test_others_pass(tmp_path, error):
    with pytest.raises(type(error)), ends_in_a_sentence(str(tmp_path), 'training'):
        raise error


def test_what_is_refused_is_one_sentence_and_the_way_there_is_kept(tmp_path, capsys):
    """By a check of ours, or by an argument that is none; not what a library raises, nor a fault of ours."""
    for call, words in ((lambda: above_zero('Thing', share=-1.), 'share'),
                        (lambda: SampleViews(num_viws=2), "unexpected keyword argument 'num_viws'")):
        with pytest.raises(SystemExit) as stop, ends_in_a_sentence(str(tmp_path / 'run'), 'training'):
            call()
        told = capsys.readouterr().err.strip()
        assert stop.value.code == 1 and len(told.splitlines()) == 1 and words in told
        assert told.endswith(f' (where: {tmp_path}/run/error.txt).')
        assert (tmp_path / 'run' / 'error.txt').read_text().startswith('Traceback')
    for fault in (lambda: int('x'), lambda: torch.ones(2) @ torch.ones(3), lambda: SampleViews(*range(20)),
                  lambda: json.loads('{')):
        with pytest.raises((ValueError, RuntimeError, TypeError)), ends_in_a_sentence(str(tmp_path), 'training'):
            fault()
