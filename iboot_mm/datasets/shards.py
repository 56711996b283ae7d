"""Videos in plain tar files, in WebDataset's layout: `shard-000000.tar` with `key.mp4` and `key.cls` or `key.json`.

A video in a shard has a path like one in a folder, `data/shard-000000.tar/key.mp4`, and its name is that path without
the shard, `data/key.mp4`: what is stored of a video (features, targets, tokens, shots) holds for the file and for its
copy in whichever shard. Where the members lie is read once and kept in `shards.arrow` beside the shards, or in the
cache where that folder is read-only.
"""

import os
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..stores.tables import SharedTable, cached_path, shared_table
from .parallel import num_cores, run_jobs
from .remote import is_remote, open_remote, stat_remote
from .tar_members import BadShard, read_members

if TYPE_CHECKING:  # imported where it is needed: folders of files do without
    import pyarrow as pa

INDEX = 'shards.arrow'
ENDING = '.tar'
LABEL = 'label:'  # begins the names of the columns of labels


def split_shard(path: str) -> tuple[str, str] | None:
    """The shard of a path and the member in it; None for anything else, a local folder 'x.tar' included."""
    at = path.find(f'{ENDING}/')
    while at >= 0:
        shard, member = path[:at + len(ENDING)], path[at + len(ENDING) + 1:]
        if member and _is_file(shard):
            return shard, member
        at = path.find(f'{ENDING}/', at + 1)
    return None


def without_shard(path: str) -> str:
    """What a video is called wherever it lies: its path without the shard."""
    parts = split_shard(path)
    return path if parts is None else os.path.join(os.path.dirname(parts[0]), parts[1])


def locate(shard: str, member: str) -> tuple[int, int, int]:
    """First byte, bytes and time of the last change (ns) of a member.

    Raises:
        FileNotFoundError: If the shard has no such member.
        BadShard: See `read_index`.
    """
    table = read_index(os.path.dirname(shard)).table
    names = table['file']
    row = bisect_left(range(len(names)), member, key=lambda place: names[place].as_py())
    if row == len(names) or names[row].as_py() != member or table['shard'][row].as_py() != os.path.basename(shard):
        raise FileNotFoundError(f"'{shard}' has no member '{member}'")
    return tuple(table[column][row].as_py() for column in ('start', 'size', 'changed'))


def find_shards(folder: str) -> list[str]:
    """The tar files directly in a folder, sorted, hidden ones left out."""
    return sorted(entry.path for entry in os.scandir(folder or os.curdir)
                  if entry.name.endswith(ENDING) and not entry.name.startswith('.') and entry.is_file())


@lru_cache(maxsize=64)
def read_index(folder: str) -> SharedTable:
    """The members of the shards of a folder, sorted by name; read from the shards if `shards.arrow` is not of them.

    Columns: `file`, `shard` (its name), `start` and `size` in bytes, `changed` in ns, and `label:NAME` for each label.
    A shard has changed if its size has, or its time by a second. Remote shards need `shards.arrow` beside them.

    Raises:
        BadShard: See `read_members`; or two shards have a member of the same name.
        FileNotFoundError: If there is none beside remote shards.
    """
    if is_remote(folder):
        return _remote_index(folder)
    shards = find_shards(folder)
    about = [os.stat(shard) for shard in shards]
    source = {os.path.basename(shard): [a.st_size, int(a.st_mtime)] for shard, a in zip(shards, about)}
    place = Path(folder or os.curdir)
    return shared_table([place / INDEX, cached_path('shards', os.path.realpath(place))], source,
                        lambda: _index(folder, shards))


def _index(folder: str, shards: list[str]) -> 'pa.RecordBatchReader':
    import pyarrow as pa
    found = run_jobs(_columns, shards) if min(len(shards), num_cores()) > 1 else map(_columns, shards)
    table = pa.concat_tables(sorted(found, key=_shard_of), promote_options='default').unify_dictionaries()
    table = table.sort_by('file')
    _check_names(folder, table)
    return table.combine_chunks().to_reader(max_chunksize=2**16)


def _remote_index(folder: str) -> SharedTable:
    import pyarrow as pa
    address = f'{folder}/{INDEX}'
    try:
        size, version = stat_remote(address)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no '{address}', which says where the videos of remote shards lie: copy it "
                                'there, tools/data/pack_shards.py writes it beside the shards') from error

    def fetch() -> pa.RecordBatchReader:
        with open_remote(address) as file:
            table = pa.ipc.open_file(pa.py_buffer(file.read())).read_all()
        return table.replace_schema_metadata().to_reader()

    return shared_table([cached_path('shards', folder)], dict(size=size, version=version), fetch)


def _columns(shard: str) -> 'pa.Table':
    """The members of one shard."""
    import pyarrow as pa
    members = read_members(shard)
    labels = dict.fromkeys(name for member in members for name in member.labels)
    name = pa.DictionaryArray.from_arrays(pa.array([0] * len(members), pa.int32()), [os.path.basename(shard)])
    columns = dict(file=pa.array([m.name for m in members], pa.string()), shard=name)
    numbers = {key: [getattr(m, key) for m in members] for key in ('start', 'size', 'changed')}
    numbers |= {LABEL + key: [m.labels.get(key) for m in members] for key in labels}
    return pa.table(columns | {key: pa.array(values, pa.int64()) for key, values in numbers.items()})


def _shard_of(table: 'pa.Table') -> str:
    return table['shard'].chunk(0).dictionary[0].as_py()


def _check_names(folder: str, table: 'pa.Table') -> None:
    import pyarrow.compute as pc
    names = table['file'].combine_chunks()
    same = pc.equal(names[1:], names[:-1])
    if len(names) > 1 and pc.any(same).as_py():
        row = pc.index(same, True).as_py()
        first, second = table['shard'][row].as_py(), table['shard'][row + 1].as_py()
        raise BadShard(f"'{first}' and '{second}' in '{folder}' both hold '{names[row].as_py()}', but what is stored "
                       'of a video goes by its name: put them into folders of their own, or pack them anew')


@lru_cache(maxsize=2**16)
def _is_file(path: str) -> bool:
    return is_remote(path) or os.path.isfile(path)
