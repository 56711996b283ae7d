"""What is read of tar shards, and what is refused."""

import json
import os
import tarfile
from multiprocessing import get_context
from pathlib import Path

import pytest

from iboot_mm.datasets.shards import INDEX, locate, read_index, split_shard, without_shard
from iboot_mm.datasets.tar_members import BadShard, read_members
from iboot_mm.stores.tables import cache_folder
from tests.shards import write_tar


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    """A folder of caches for each test, and no index in memory."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    read_index.cache_clear()
    return tmp_path / 'cache'


def rows(folder: Path) -> list[dict]:
    read_index.cache_clear()
    return read_index(str(folder)).table.to_pylist()


@pytest.mark.parametrize('format', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_lie_where_the_index_says(tmp_path, format):
    """In each of tarfile's formats, with names longer than a header holds."""
    long = 'folder/' * 20 + 'é' * 40 + '.mp4' if format != tarfile.USTAR_FORMAT else 'folder/' * 20 + 'e.mp4'
    files = {'b.mp4': b'bb', './a/c.mp4': b'c' * 5000, long: b'long', 'a/empty.mp4': b''}
    path = write_tar(tmp_path / 'shard-000000.tar', {**files, '.hidden.mp4': b'h', 'a/._c.mp4': b'h'}, format=format)
    found = {row['file']: (row['start'], row['size']) for row in rows(tmp_path)}
    content = Path(path).read_bytes()
    assert {name: content[start:start + size] for name, (start, size) in found.items()} == {
        name.removeprefix('./'): value for name, value in files.items()}
    assert list(found) == sorted(found)
    for name, place in found.items():
        assert locate(path, name)[:2] == place
    with pytest.raises(FileNotFoundError, match="has no member 'c.mp4'"):
        locate(path, 'c.mp4')


def test_labels_of_both_kinds(tmp_path):
    """By the name up to its last dot, else, as WebDataset has it, up to the first one."""
    path = write_tar(tmp_path / '0.tar', {
        'a.mp4': b'a', 'a.cls': b' 3\n', 'b.mp4': b'b', 'b.json': json.dumps(dict(
            digit=2, motion=7, caption='x', share=.5, flag=True, negative=-1)).encode(),
        'c.1.mp4': b'c', 'c.1.cls': b'4', 'x/d.left.mp4': b'd', 'x/d.right.mp4': b'd', 'x/d.cls': b'5', 'e.mp4': b'e',
        'f.json': b'[1]', 'f.mp4': b'f'})
    assert {member.name: member.labels for member in read_members(path)} == {
        'a.mp4': dict(label=3), 'b.mp4': dict(digit=2, motion=7), 'c.1.mp4': dict(label=4),
        'x/d.left.mp4': dict(label=5), 'x/d.right.mp4': dict(label=5), 'e.mp4': {}, 'f.mp4': {}}
    found = {row['file']: (row['label:label'], row['label:digit']) for row in rows(tmp_path)}
    assert found['a.mp4'] == (3, None) and found['b.mp4'] == (None, 2) and found['e.mp4'] == (None, None)


def test_an_index_is_written_once_and_follows_the_shards(tmp_path):
    write_tar(tmp_path / '0.tar', {'a.mp4': b'a'})
    assert [row['file'] for row in rows(tmp_path)] == ['a.mp4']
    index = tmp_path / INDEX
    first = index.stat()
    assert [row['file'] for row in rows(tmp_path)] == ['a.mp4']
    assert index.stat().st_mtime_ns == first.st_mtime_ns and index.stat().st_ino == first.st_ino
    write_tar(tmp_path / '1.tar', {'b.mp4': b'b'})  # one more
    assert [row['file'] for row in rows(tmp_path)] == ['a.mp4', 'b.mp4']
    write_tar(tmp_path / '1.tar', {'c.mp4': b'c'})  # of the same size
    os.utime(tmp_path / '1.tar', (0, 0))
    assert [row['file'] for row in rows(tmp_path)] == ['a.mp4', 'c.mp4']
    (tmp_path / '0.tar').unlink()
    assert [row['file'] for row in rows(tmp_path)] == ['c.mp4']
    index.write_bytes(index.read_bytes()[:100])  # damaged
    assert [row['file'] for row in rows(tmp_path)] == ['c.mp4']
    assert sorted(os.listdir(tmp_path)) == ['1.tar', 'cache', INDEX]  # nothing is left over


def test_a_folder_that_cannot_be_written_has_its_index_in_the_cache(tmp_path, own_cache):
    folder = tmp_path / 'shards'
    folder.mkdir()
    write_tar(folder / '0.tar', {'a.mp4': b'a'})
    (folder / INDEX).mkdir()  # what not even root can replace by a file
    (folder / INDEX / 'x').touch()
    assert [row['file'] for row in rows(folder)] == ['a.mp4']
    assert len(list(cache_folder().glob('*.arrow'))) == 1 and sorted(os.listdir(folder)) == ['0.tar', INDEX]
    own_cache.rename(tmp_path / 'gone')
    own_cache.touch()  # no folder: in memory
    assert [row['file'] for row in rows(folder)] == ['a.mp4']


def _read(folder: str) -> list[str]:
    return read_index(folder).table['file'].to_pylist()


def test_processes_that_start_at_once(tmp_path):
    names = [f'{number:04d}.mp4' for number in range(300)]
    write_tar(tmp_path / '0.tar', dict.fromkeys(names, b'a'))
    with get_context('fork').Pool(6) as pool:
        assert pool.map(_read, [str(tmp_path)] * 12, chunksize=1) == [names] * 12
    assert sorted(os.listdir(tmp_path)) == ['0.tar', 'cache', INDEX]


def broken(path: Path, kind: str) -> None:
    write_tar(path, {'a.mp4': b'a' * 3000, 'b.mp4': b'b' * 3000})
    content = path.read_bytes()
    if kind == 'cut within':
        path.write_bytes(content[:5000])
    elif kind == 'cut between':
        path.write_bytes(content[:512 + 3072])
    elif kind == 'damaged':
        path.write_bytes(content[:3584] + b'x' * 512 + content[4096:])
    elif kind == 'two in one':
        path.write_bytes(content + content)
    elif kind == 'compressed':
        write_tar(path, {'a.mp4': b'a'})
        with tarfile.open(path, 'w:gz') as tar:
            tar.addfile(tarfile.TarInfo('a.mp4'))
    elif kind == 'empty':
        path.write_bytes(b'')
    elif kind == 'out of it':
        write_tar(path, {'../a.mp4': b'a'})
    elif kind == 'no number':
        write_tar(path, {'a.mp4': b'a', 'a.cls': b'cat'})
    elif kind == 'no json':
        write_tar(path, {'a.mp4': b'a', 'a.json': b'{'})
    elif kind == 'no utf-8':
        write_tar(path, {'\udcff.mp4': b'a'}, format=tarfile.GNU_FORMAT)
    elif kind == 'twice':
        write_tar(path, {'a.mp4': b'a'})
        write_tar(path.with_name('1.tar'), {'a.mp4': b'b'})


@pytest.mark.parametrize('kind, message', [
    ('cut within', "'.*0.tar' is no whole, .* behind 'b.mp4'"), ('cut between', "behind 'a.mp4': it is cut off"),
    ('damaged', "behind 'a.mp4': it is cut off, damaged"), ('two in one', 'two tar files in one'),
    ('compressed', 'unpack it'), ('empty', "'.*0.tar' is no whole"), ('out of it', "'../a.mp4', which leads out"),
    ('no number', "'a.cls' in '.*0.tar': 'cat' is no label"), ('no json', "'a.json' in '.*0.tar' is no JSON"),
    ('no utf-8', 'no UTF-8'), ('twice', "'0.tar' and '1.tar' in .* both hold 'a.mp4'")])
def test_what_is_refused(tmp_path, kind, message):
    """In a sentence that names the shard; nothing is lost without a word."""
    broken(tmp_path / '0.tar', kind)
    with pytest.raises(BadShard, match=message):
        read_index(str(tmp_path))
    assert not (tmp_path / INDEX).exists()


def test_paths(tmp_path):
    shard = write_tar(tmp_path / '0.tar', {'x/a.mp4': b'a'})
    assert split_shard(f'{shard}/x/a.mp4') == (shard, 'x/a.mp4')
    assert split_shard(f'{shard}/') is split_shard(shard) is split_shard('a.mp4') is None
    (tmp_path / 'unpacked.tar' / 'inner.tar').mkdir(parents=True)
    write_tar(tmp_path / 'unpacked.tar' / '1.tar', {})
    inner = f'{tmp_path}/unpacked.tar/1.tar'
    assert split_shard(f'{tmp_path}/unpacked.tar/inner.tar/a.mp4') is None
    assert split_shard(f'{inner}/a.tar/b.mp4') == (inner, 'a.tar/b.mp4')
    assert without_shard(f'{shard}/x/a.mp4') == f'{tmp_path}/x/a.mp4' and without_shard('b/a.mp4') == 'b/a.mp4'
    assert split_shard('https://host/0.tar/x/a.mp4') == ('https://host/0.tar', 'x/a.mp4')
