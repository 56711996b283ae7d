import os
from unittest.mock import patch

import torch

from iboot_mm import __version__, environment


def test_versions_name_what_is_installed_and_nothing_else():
    found = environment.versions()
    assert found['iboot_mm'] == __version__ and torch.__version__.startswith(found['torch'])
    with patch.object(environment, 'LIBRARIES', ('torch', 'no-such-library')):
        assert list(environment.versions()) == ['iboot_mm', 'python', 'torch']


def test_hardware_counts_gpus_by_name():
    names = ['NVIDIA A', 'NVIDIA B', 'NVIDIA A']
    with patch.object(torch.cuda, 'is_available', lambda: True), patch.object(torch.cuda, 'device_count', lambda: 3), \
            patch.object(torch.cuda, 'get_device_name', names.__getitem__):
        assert environment.hardware() == '2 x NVIDIA A, 1 x NVIDIA B'


def test_hardware_without_a_gpu_counts_cores():
    with patch.object(torch.cuda, 'is_available', lambda: False), \
            patch.object(os, 'sched_getaffinity', lambda pid: {0, 3}, create=True):
        assert environment.hardware().startswith('2 CPU cores (')
