"""What a figure was measured with."""

import platform
from importlib import metadata
from pathlib import Path

import torch

from .datasets.parallel import num_cores
from .version import __version__

LIBRARIES = ('torch', 'torchvision', 'mmengine', 'mmcv-lite', 'mmcv', 'mmaction2', 'mmpretrain', 'timm',
             'open_clip_torch', 'decord', 'av')


def versions() -> dict[str, str]:
    """Versions of Python, this package and what it stands on, as far as installed."""
    found = dict(iboot_mm=__version__, python=platform.python_version())
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            pass
    return found


def hardware() -> str:
    """The accelerators in words, or the cores that this process may use and their kind."""
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return ', '.join(f'{names.count(name)} x {name}' for name in dict.fromkeys(names))
    return f'{num_cores()} CPU cores ({_cpu_name()})'


def _cpu_name() -> str:
    info = Path('/proc/cpuinfo')
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()
