"""A file's packets are read once in a process, and again when the file is another one."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iboot_mm.datasets.decoders import open_video, packets
from iboot_mm.datasets.decoders.index_cache import BoundedCache
from tests.datasets.decoders.test_decoders import B_FRAMES, GAPS
from tests.videos import cut, moving_frames, write_video

KINDS = dict(
    mp4=('mp4', dict(codec_options=B_FRAMES)), avi=('avi', dict(codec='mpeg4')),
    broadcast=('ts', dict(codec='mpeg2video')), variable=('mkv', dict(times=np.cumsum(GAPS))),
    without_times=('h264', {}))


@pytest.fixture
def read(monkeypatch) -> list:
    """Paths whose packets were read."""
    found, read_packets = [], packets.read_packets

    def count(av, container, stream):
        found.append(container.name)
        return read_packets(av, container, stream)

    monkeypatch.setattr(packets, 'read_packets', count)
    monkeypatch.setattr(packets, 'KNOWN', BoundedCache(2**20))
    return found


def frames_of(path, decoder='pyav'):
    with open_video(str(path), decoder) as video:
        return video.num_frames, video.fps, video.truncated, video.read(range(0, video.num_frames, 7))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('damaged', [False, True])
def test_a_file_opened_again_gives_the_same_and_is_not_looked_through(kind, damaged, tmp_path, read):
    ending, arguments = KINDS[kind]
    path = write_video(tmp_path / f'a.{ending}', moving_frames(60), **arguments)
    if damaged:
        path = cut(path, tmp_path / f'cut.{ending}', .8)
    try:
        first = frames_of(path)
    except Exception as error:  # what cannot be read is looked through each time
        with pytest.raises(type(error), match=re.escape(str(error))):
            frames_of(path)
        return
    for _ in range(2):
        again = frames_of(path)
        assert again[:3] == first[:3]
        np.testing.assert_array_equal(again[3], first[3])
    assert len(read) == 1


def test_a_file_that_has_changed_is_looked_through_again(tmp_path, read):
    path = write_video(tmp_path / 'a.mp4', moving_frames(20))
    assert frames_of(path)[0] == frames_of(path)[0] == 20
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1))
    assert frames_of(path)[0] == 20 and len(read) == 2
    write_video(path, moving_frames(30))
    assert frames_of(path)[0] == 30 and len(read) == 3


@pytest.mark.parametrize('how', ['in place', 'renamed', 'a link that moves', 'another working directory'])
def test_other_content_of_the_same_size_and_time_is_looked_through(how, tmp_path, read, monkeypatch):
    """As archives that give all of their files one time unpack it."""
    for count in (20, 30):
        (tmp_path / str(count)).mkdir()
        write_video(tmp_path / f'{count}/a.mp4', moving_frames(count))
    shorter, longer = (tmp_path / f'{count}/a.mp4' for count in (20, 30))
    filling = longer.stat().st_size - shorter.stat().st_size
    shorter.write_bytes(shorter.read_bytes() + filling.to_bytes(4, 'big') + b'free' + bytes(filling - 8))
    for file in (shorter, longer):
        os.utime(file, ns=(0, 10**18))
    path = tmp_path / 'b.mp4'
    if how == 'another working directory':
        path = Path('a.mp4')
        monkeypatch.chdir(tmp_path / '20')
    elif how == 'a link that moves':
        path.symlink_to(shorter)
    else:
        shutil.copy2(shorter, path)
    assert frames_of(path)[0] == frames_of(path)[0] == 20 and len(read) == 1
    if how == 'another working directory':
        monkeypatch.chdir(tmp_path / '30')
    elif how == 'a link that moves':
        path.unlink()
        path.symlink_to(longer)
    elif how == 'renamed':
        os.replace(longer, path)
    else:
        path.write_bytes(longer.read_bytes())
        os.utime(path, ns=(0, 10**18))
    assert frames_of(path)[0] == 30 and len(read) == 2


def test_a_remote_file_is_looked_through_once_where_its_server_tells_versions(tmp_path, read, monkeypatch):
    fsspec = pytest.importorskip('fsspec')
    data = Path(write_video(tmp_path / 'a.mp4', moving_frames(20))).read_bytes()
    fsspec.filesystem('memory').pipe('/cache/a.mp4', data)
    first, again = (frames_of('memory://cache/a.mp4') for _ in range(2))
    np.testing.assert_array_equal(first[3], again[3])
    assert len(read) == 1
    monkeypatch.setattr('iboot_mm.datasets.sources.stat_remote', lambda path: (len(data), ''))
    for _ in range(2):
        frames_of('memory://cache/a.mp4')
    assert len(read) == 3


def test_other_decoders_know_it_too(tmp_path, read):
    path = write_video(tmp_path / 'a.mp4', moving_frames(20))
    np.testing.assert_array_equal(frames_of(path)[3], frames_of(path, 'opencv')[3])
    assert len(read) == 1


def test_what_is_kept_of_a_video_is_small(tmp_path, read):
    path = write_video(tmp_path / 'a.h264', moving_frames(60))
    frames_of(path)
    assert len(packets.KNOWN) == 1 and packets.KNOWN.size < 3000  # no frames, though they had to be decoded


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 6), st.integers(1, 20), st.booleans()), max_size=60))
def test_bounded_by_bytes_and_by_last_use(limit, calls):
    cache, held = BoundedCache(limit), []  # held: (key, size), the last used last
    for key, size, put in calls:
        found = next((entry for entry in held if entry[0] == key), None)
        if found:
            held.remove(found)
        if put:
            cache.put(key, (key, size), size)
            held.append((key, size))
            while sum(size for _, size in held) > limit:
                held.pop(0)
        else:
            assert cache.get(key) == found
            held += [found] if found else []
        assert cache.size == sum(size for _, size in held) and len(cache) == len(held)
