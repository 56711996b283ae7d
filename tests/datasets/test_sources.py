"""A video is the same one in a file, in a shard and behind an address."""

import io
import os
from pathlib import Path

import numpy as np
import pytest

from iboot_mm.datasets import UnreadableVideo, open_video
from iboot_mm.datasets.remote import BLOCK
from iboot_mm.datasets.sources import ByteRange, open_source, source_exists, stat_source
from tests.datasets.decoders.test_decoders import KINDS
from tests.http_server import serve
from tests.shards import write_tar
from tests.videos import moving_frames, write_video


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> Path:
    """A folder with a video of each kind, and all of them in `all.tar` between other things."""
    folder = tmp_path_factory.mktemp('videos')
    members = {'a.txt': b'text'}
    for kind, (ending, size, arguments) in KINDS.items():
        write_video(folder / f'{kind}.{ending}', moving_frames(40, *size), **arguments)
        members |= {f'{kind}.{ending}': (folder / f'{kind}.{ending}').read_bytes(), f'{kind}.cls': b'3'}
    write_tar(folder / 'all.tar', members)
    return folder


@pytest.fixture(params=KINDS)
def name(request) -> str:
    return f'{request.param}.{KINDS[request.param][0]}'


def same(copy, file) -> None:
    """Two readers give the same, bit for bit."""
    indices = [0, 7, 8, 31]
    assert (copy.num_frames, copy.fps, copy.truncated) == (file.num_frames, file.fps, file.truncated)
    np.testing.assert_array_equal(copy.read(indices), file.read(indices))


def test_a_file_and_its_copy_in_a_shard_are_one_video(videos, name):
    with open_video(str(videos / name)) as file, open_video(str(videos / 'all.tar' / name)) as copy:
        same(copy, file)


@pytest.mark.parametrize('decoder', ['decord', 'torchcodec', 'opencv', 'frame_cache'])
def test_other_decoders_hand_shards_over_to_pyav(videos, decoder, tmp_path):
    if decoder in ('decord', 'torchcodec'):
        pytest.importorskip(decoder, exc_type=(ImportError, RuntimeError, OSError))
    options = dict(folder=str(tmp_path)) if decoder == 'frame_cache' else {}
    for _ in range(2):  # the second time, the frames are cached
        with open_video(str(videos / 'all.tar/odd_vp9.webm'), decoder, **options) as copy, \
                open_video(str(videos / 'odd_vp9.webm')) as file:
            same(copy, file)


def test_a_file_and_its_address_are_one_video(videos, name):
    pytest.importorskip('aiohttp')
    with serve(videos) as (address, _), open_video(f'{address}/{name}') as remote, \
            open_video(f'{address}/all.tar/{name}') as copy, open_video(str(videos / name)) as file:
        same(remote, file)
        same(copy, file)


def test_of_a_large_remote_shard_only_a_part_is_fetched(videos, tmp_path):
    pytest.importorskip('aiohttp')
    other = bytes(2**24)
    write_tar(tmp_path / 'large.tar', {'0.mp4': other, '1.mp4': (videos / 'groups.mp4').read_bytes(), '2.mp4': other})
    open_video(f'{tmp_path}/large.tar/1.mp4').close()  # writes the index
    with serve(tmp_path) as (address, sent), open_video(f'{address}/large.tar/1.mp4') as video:
        video.read([0])
        assert sum(sent) < 2**22


def test_memory_is_an_address_too(videos):
    fsspec = pytest.importorskip('fsspec')
    fsspec.filesystem('memory').pipe('/videos/a.mp4', (videos / 'groups.mp4').read_bytes())
    with open_video('memory://videos/a.mp4') as remote, open_video(str(videos / 'groups.mp4')) as file:
        same(remote, file)


@pytest.mark.parametrize('path, reason', [
    ('all.tar/none.mp4', 'there is no such file'), ('all.tar/a.txt', 'FFmpeg finds no complete video'),
    ('memory://none.mp4', 'there is no such file'), ('what://none.mp4', 'there is no such file')])
def test_what_is_not_there_is_an_unreadable_video(videos, path, reason):
    with pytest.raises(UnreadableVideo, match=reason):
        open_video(path if '://' in path else str(videos / path))


def test_a_server_that_fails_is_an_unreadable_video(tmp_path):
    pytest.importorskip('aiohttp')
    noise = np.random.default_rng(0).integers(0, 255, (24, 256, 256, 3), dtype=np.uint8)
    write_video(tmp_path / 'a.mp4', noise, codec_options=dict(crf='1', preset='ultrafast', g='4'))
    assert os.path.getsize(tmp_path / 'a.mp4') > 2 * BLOCK
    with serve(tmp_path) as (address, _):
        video = open_video(f'{address}/a.mp4')
        with pytest.raises(UnreadableVideo, match='there is no such file'):
            open_video(f'{address}/none.mp4')
    with pytest.raises(UnreadableVideo, match='(?i)connect'):
        video.read([0])
    with pytest.raises(UnreadableVideo, match='its server does not answer'):
        open_video(f'{address}/a.mp4')


def test_ranges_read_like_the_bytes_themselves():
    """Against BytesIO, over random seeks and reads."""
    rng = np.random.default_rng(0)
    content = rng.bytes(1000)
    part, true = ByteRange(io.BytesIO(content), 100, 700, 'a'), io.BytesIO(content[100:800])
    for _ in range(500):
        whence, offset = int(rng.integers(3)), int(rng.integers(0, 900))
        if whence:
            offset -= min(900, true.tell() if whence == 1 else 700)
        assert part.seek(offset, whence) == true.seek(offset, whence)
        size = int(rng.integers(0, 300))
        assert part.read(size) == true.read(size) and part.tell() == true.tell()
    with pytest.raises(ValueError, match='a: no place lies 1 bytes before its start'):
        part.seek(-1)
    assert part.seek(0) == 0 and part.read() == content[100:800]


def test_what_is_known_of_a_source(videos, tmp_path):
    name = 'groups.mp4'
    file, copy = stat_source(str(videos / name)), stat_source(str(videos / 'all.tar' / name))
    assert file.size == copy.size == os.path.getsize(videos / name)
    assert copy.changed == 1_600_000_000 * 10**9
    assert source_exists(str(videos)) and source_exists(str(videos / 'all.tar')) and not source_exists('none')
    with open_source(str(videos / 'all.tar' / name)) as source:
        assert source.read() == (videos / name).read_bytes()
    folder = tmp_path / 'unpacked.tar'  # is no shard
    folder.mkdir()
    (folder / name).write_bytes((videos / name).read_bytes())
    assert stat_source(str(folder / name)).size == file.size
