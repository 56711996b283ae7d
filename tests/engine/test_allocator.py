"""Freed memory stays with the process, unless its environment says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

from iboot_mm.engine import allocator

# Without the package around it, which takes seconds to import.
FAULTS = '''
import resource, runpy, sys
print(runpy.run_path(sys.argv[1])['keep_freed_memory']())
for turn in range(7):
    if turn == 3:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytes([turn]) * 2**26  # above glibc's greatest threshold
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
'''


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='other C libraries have no mallopt')
@pytest.mark.parametrize('environment, keeps', [({}, True), (dict(MALLOC_ARENA_MAX='2'), False)])
def test_large_blocks_are_not_given_back(environment, keeps):
    clean = {key: value for key, value in os.environ.items() if not key.startswith('MALLOC_')}
    out = subprocess.run([sys.executable, '-c', FAULTS, allocator.__file__], env={**clean, **environment}, check=True,
                         stdout=subprocess.PIPE, text=True).stdout.split()
    assert out[0] == str(keeps)
    assert (int(out[1]) < 50) == keeps  # 16384 pages a block, or 32 where the system hands out huge ones
