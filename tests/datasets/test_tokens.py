"""A store is written whole, by several processes, for one image model; its size is told before."""

import os

import numpy as np
import pytest
import torch

from iboot_mm.datasets import tokens as token_store
from iboot_mm.datasets.decoders import UnreadableVideo
from iboot_mm.datasets.tokens import TokenStore, check_room, estimate_size


def test_maps_are_rounded_to_half_precision(tmp_path):
    maps = torch.randn(3, 4, 2, 2)
    store = TokenStore(tmp_path / 'tokens', {})
    store.put('a.mp4', maps)
    found = store.open('a.mp4')
    assert found.dtype == np.float16 and isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, maps.permute(0, 2, 3, 1).half().numpy())
    assert store.has('a.mp4') and not store.has('b.mp4')


def test_a_video_has_either_maps_or_a_note(tmp_path):
    store = TokenStore(tmp_path / 'tokens', {})
    store.put_unreadable('a.mp4', 'why')
    assert not store.has('a.mp4')
    with pytest.raises(UnreadableVideo, match=r"why, when '.*tokens' was written \(run .*cache_tokens.py again when"):
        store.open('a.mp4')
    store.put('a.mp4', torch.zeros(1, 1, 1, 1))
    assert store.has('a.mp4') and store.open('a.mp4').shape == (1, 1, 1, 1)
    assert [file.name for file in (tmp_path / 'tokens/videos').iterdir()] == ['a.mp4.npy']
    store.put_unreadable('a.mp4', 'replaced')
    with pytest.raises(UnreadableVideo, match='replaced'):
        store.open('a.mp4')


def test_maps_older_than_the_video_do_not_count(tmp_path):
    store, video = TokenStore(tmp_path / 'tokens', {}), tmp_path / 'a.mp4'
    assert not store.has('a.mp4', video)
    store.put('a.mp4', torch.zeros(1, 1, 1, 1))
    assert store.has('a.mp4', video)  # which is not there
    video.touch()
    for seconds, counts in ((99, False), (100, True), (101, True)):
        os.utime(video, (100, 100))
        os.utime(tmp_path / 'tokens/videos/a.mp4.npy', (seconds, seconds))
        assert store.has('a.mp4', video) is counts and store.has('a.mp4')


def test_a_stopped_write_leaves_nothing(tmp_path, monkeypatch):
    store = TokenStore(tmp_path / 'tokens', {})

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr('os.replace', stop)
    with pytest.raises(KeyboardInterrupt):
        store.put('a.mp4', torch.zeros(1, 1, 1, 1))
    assert not store.has('a.mp4') and not list((tmp_path / 'tokens/videos').iterdir())


def test_beyond_half_precision_is_named(tmp_path):
    store = TokenStore(tmp_path / 'tokens', {})
    with pytest.raises(ValueError, match="a token of 'a.mp4' is not within float16's 65504: .* train on the videos"):
        store.put('a.mp4', torch.full((1, 1, 1, 1), 7e4))
    assert not store.has('a.mp4')


def test_processes_start_on_one_folder_at_once(tmp_path, monkeypatch):
    about, sync, others = dict(size=32), os.fsync, []

    def meanwhile(descriptor):  # while one process writes, another does
        if not others:
            others.append(True)
            TokenStore(tmp_path / 'tokens', about)
        sync(descriptor)

    monkeypatch.setattr('os.fsync', meanwhile)
    assert TokenStore(tmp_path / 'tokens', about).about == about
    assert [file.name for file in (tmp_path / 'tokens').iterdir()] == ['store.json'] and others


def test_a_description_without_what_is_asked_is_refused(tmp_path):
    TokenStore(tmp_path / 'tokens', dict(size=32))
    with pytest.raises(ValueError, match='something else: every is None there and 2 here; remove it, or name another'):
        TokenStore(tmp_path / 'tokens', dict(size=32, every=2))


class Video:
    """Of as many frames as its name says."""

    def __init__(self, name):
        if name == 'broken':
            raise UnreadableVideo(name, 'why')
        self.num_frames = int(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_size_is_told_from_some_videos(monkeypatch):
    opened = []
    monkeypatch.setattr(token_store, 'open_video', lambda name: opened.append(name) or Video(name))
    assert estimate_size(['10', '21'], 100, every=1) == 31 * 100
    assert estimate_size(['10', '21'], 100, every=4) == (3 + 6) * 100
    assert estimate_size(['10', 'broken'], 100, every=1) == 20 * 100  # perhaps readable after all
    assert estimate_size(['broken'], 100, every=1) == estimate_size([], 100, every=1) == 0
    opened.clear()
    assert estimate_size(['10'] * 150 + ['20'] * 150, 1, every=1) == 4500
    assert len(opened) == 100


def test_room_is_that_of_the_disk(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr('shutil.disk_usage', lambda path: asked.append(path) or type('Usage', (), dict(free=1000)))
    assert check_room(tmp_path / 'not' / 'there', 1000) == 1000 and asked == [tmp_path]
    with pytest.raises(OSError, match="there' has room for 0.0 GB, but the token maps take 0.0 GB: choose another"):
        check_room(tmp_path / 'not' / 'there', 1001)
