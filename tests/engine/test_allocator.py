"""Freed memory stays with the process, unless its environment says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

FAULTS = '''
import resource, sys
import torch
from iboot_mm.engine.allocator import keep_freed_memory
print(keep_freed_memory())
for _ in range(3):
    torch.zeros(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.zeros(2**24)  # 64 MiB, above glibc's greatest threshold
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
'''


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='other C libraries have no mallopt')
@pytest.mark.parametrize('environment, keeps', [({}, True), (dict(MALLOC_ARENA_MAX='2'), False)])
def test_large_tensors_are_not_given_back(environment, keeps):
    clean = {key: value for key, value in os.environ.items() if not key.startswith('MALLOC_')}
    out = subprocess.run([sys.executable, '-c', FAULTS], env={**clean, **environment, 'OMP_NUM_THREADS': '1'},
                         check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    assert out[-2] == str(keeps)
    assert (int(out[-1]) < 1000) == keeps  # 16384 pages a tensor, unless the system hands out huge ones
