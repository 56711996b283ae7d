"""Two writers of one file."""

import os
from concurrent.futures import ThreadPoolExecutor

from iboot_mm.stores.atomic_files import AtomicLocalBackend


def test_of_two_writers_at_a_time_one_counts_whole(tmp_path, monkeypatch):
    """Both have written their bytes before either file appears."""
    written, sync = [], os.fsync

    def wait_for_the_other(descriptor):
        written.append(descriptor)
        while len(written) < 2:
            pass
        sync(descriptor)

    monkeypatch.setattr(os, 'fsync', wait_for_the_other)
    contents = [b'a' * 100_000, b'b' * 70_000]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda content: AtomicLocalBackend().put(content, tmp_path / 'x.pth'), contents))
    assert (tmp_path / 'x.pth').read_bytes() in contents
    assert [file.name for file in tmp_path.iterdir()] == ['x.pth']
