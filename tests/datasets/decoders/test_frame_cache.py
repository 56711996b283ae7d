"""Stored frames are the decoder's, and storing them harms nothing."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

from iboot_mm.datasets.decoders import UnreadableVideo, frame_cache, open_video
from iboot_mm.datasets.decoders.frame_cache import MappedReader, StoringReader
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from tests.videos import moving_frames, write_video

PICKED = [0, 3, 4, 19]


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(frame_cache, '_given_up', set())


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / 'a.mp4', moving_frames(20), fps=12.5, codec_options=dict(g='12', bf='3'))


def read(path, folder, **options):
    with open_video(path, 'frame_cache', folder=str(folder), **options) as reader:
        return type(reader), (reader.num_frames, reader.fps, reader.truncated), reader.read(PICKED)


def stored(folder):
    return sorted(os.listdir(folder)) if folder.is_dir() else []


@pytest.mark.parametrize('cut', [False, True])
def test_frames_are_the_decoders(tmp_path, video, cut):
    if cut:
        video = write_video(tmp_path / 'b.mkv', moving_frames(90, 96, 128), codec_options=dict(g='6'))
        os.truncate(video, os.path.getsize(video) * 2 // 3)
    with open_video(video, 'pyav') as plain:
        expected = plain.num_frames, plain.fps, plain.truncated
        frames = plain.read(PICKED)
    assert expected[2] == cut
    for kind in (StoringReader, MappedReader):
        found = read(video, tmp_path / 'cache', source='pyav')
        assert found[:2] == (kind, expected)
        assert found[2].dtype == np.uint8 and np.array_equal(found[2], frames)
    assert len(stored(tmp_path / 'cache')) == 1


def test_a_changed_file_and_another_decoder_have_entries_of_their_own(tmp_path, video):
    first = read(video, tmp_path / 'cache')[2]
    write_video(video, moving_frames(20, seed=1))
    os.utime(video, (0, 0))
    kind, _, second = read(video, tmp_path / 'cache')
    assert kind is StoringReader and not np.array_equal(first, second)
    assert read(video, tmp_path / 'cache')[0] is MappedReader
    assert read(video, tmp_path / 'cache', source='opencv')[0] is StoringReader
    assert len(stored(tmp_path / 'cache')) == 3


def test_the_limit_is_kept_and_told(tmp_path, video, capsys):
    other = write_video(tmp_path / 'b.mp4', moving_frames(20, seed=1))
    limit = 1.5 * 20 * 48 * 64 * 3 / 2**30
    assert [read(path, tmp_path / 'cache', limit=limit)[0] for path in (video, other, other, video)] == [
        StoringReader, StoringReader, StoringReader, MappedReader]
    assert len(stored(tmp_path / 'cache')) == 1
    printed = capsys.readouterr().out
    assert printed.count('No more decoded frames are stored') == 1 and 'limit=' in printed


def test_a_video_too_large_to_hold_is_decoded_as_ever(tmp_path, video, monkeypatch):
    monkeypatch.setattr(frame_cache, 'LARGEST', 20 * 48 * 64 * 3 - 1)
    assert read(video, tmp_path / 'cache')[2].shape == (4, 48, 64, 3) and not stored(tmp_path / 'cache')


def test_what_cannot_be_written_is_decoded_as_ever(tmp_path, video, monkeypatch, capsys):
    def full(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(AtomicLocalBackend, 'put', full)
    with open_video(video, 'pyav') as plain:
        assert np.array_equal(read(video, tmp_path / 'cache')[2], plain.read(PICKED))
    assert 'No space left on device' in capsys.readouterr().out and not stored(tmp_path / 'cache')


def test_a_broken_frame_stops_only_who_wants_it(tmp_path, video, monkeypatch):
    from iboot_mm.datasets.decoders.pyav import PyAVReader
    plain = PyAVReader.read

    def broken(self, indices):
        if 7 in indices:
            raise UnreadableVideo(self.path, 'frame 7 of 20 does not decode')
        return plain(self, indices)

    monkeypatch.setattr(PyAVReader, 'read', broken)
    assert len(read(video, tmp_path / 'cache', source='pyav')[2]) == 4 and not stored(tmp_path / 'cache')
    with pytest.raises(UnreadableVideo, match='frame 7'):
        open_video(video, 'frame_cache', folder=str(tmp_path / 'cache'), source='pyav').read([7])


def test_many_readers_at_once(tmp_path, video, monkeypatch):
    """Each stores the video, since none has stored it when they open it."""
    barrier, put = threading.Barrier(4), AtomicLocalBackend.put

    def together(*args):
        barrier.wait(timeout=60)
        put(*args)

    monkeypatch.setattr(AtomicLocalBackend, 'put', together)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read(video, tmp_path / 'cache'), range(4)))
    kind, _, frames = read(video, tmp_path / 'cache')
    assert kind is MappedReader and all(np.array_equal(frames, each[2]) for each in found)
    assert len(stored(tmp_path / 'cache')) == 1 and not frame_cache._given_up


def test_in_a_pipeline(tmp_path, video):
    decode = TRANSFORMS.build(dict(type='DecodeViews'))
    results = []
    for options in (dict(), *[dict(decoder='frame_cache', folder=str(tmp_path / 'cache'))] * 2):
        opened = TRANSFORMS.build(dict(type='OpenVideo', **options))(dict(filename=video))
        results.append(decode(dict(opened, frame_inds=np.array([[0, 5], [5, 7]]))))
    for key in ('frames', 'frame_positions', 'fps', 'total_frames'):
        assert all(np.array_equal(results[0][key], other[key]) for other in results[1:])


def test_no_file(tmp_path):
    with pytest.raises(UnreadableVideo, match='it is not a file'):
        open_video(str(tmp_path), 'frame_cache')
