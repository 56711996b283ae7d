"""Ctrl-C ends each of the long commands with one line."""

import argparse

import pytest

from iboot_mm.interruption import one_line_when_stopped

from .scripts import load_tool


def stop(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize('name, goes_on', [
    ('evaluate', True), ('transfer', True), ('frame_stability', False), ('data/cache_tokens', True),
    ('data/compose_shots', True), ('data/find_shots', True), ('data/make_subset', False), ('data/prepare', True),
    ('data/resize_videos', True)])
def test_a_stopped_command_says_whether_it_goes_on(name, goes_on, monkeypatch):
    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', stop)
    with pytest.raises(SystemExit) as ended:
        load_tool(name).main()
    assert ended.value.code == '\nStopped.' + (' The same command goes on from here.' if goes_on else '')


def test_other_errors_pass():
    with pytest.raises(ValueError, match='bad'), one_line_when_stopped():
        raise ValueError('bad')
