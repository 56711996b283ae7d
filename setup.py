"""Packaging. The wheel carries configs and tools in ``iboot_mm/.mim``, where MMAction2's wheel has them too."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# No metafile names a config: mmengine then takes `iboot_mm::name/of/config.py` from `.mim/configs` by its path.
MODEL_INDEX = 'Import: []\n'


def requirements(name: str) -> list[str]:
    """Lines of ``requirements/<name>.txt`` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def version() -> str:
    """``__version__``, read as text: importing the package would ask for torch."""
    return re.search(r"^__version__ = '(.+)'", (ROOT / 'iboot_mm' / 'version.py').read_text(), re.M).group(1)


class BuildWithConfigs(build_py):
    """Copies configs and tools into the built package; an editable install reads them from the checkout instead."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        mim = Path(self.build_lib) / 'iboot_mm' / '.mim'
        for folder in ('configs', 'tools'):
            if (ROOT / folder).is_dir():
                shutil.copytree(ROOT / folder, mim / folder, dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
        mim.mkdir(parents=True, exist_ok=True)
        (mim / 'model-index.yml').write_text(MODEL_INDEX)


readme = ROOT / 'README.md'
setup(
    name='iboot_mm',
    version=version(),
    description='Image-bootstrapped self-supervised video representation learning for MMAction2',
    long_description=readme.read_text() if readme.exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['iboot_mm', 'iboot_mm.*', 'iboot_mm_cli']),
    entry_points=dict(console_scripts=['iboot-mm = iboot_mm_cli:main']),
    include_package_data=False,
    package_data={'iboot_mm': ['py.typed']},
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    extras_require=dict(
        lite=['mmcv-lite>=2.0.0,<2.2.0'], benchmarks=requirements('benchmarks'), decoders=requirements('decoders'),
        onnx=requirements('onnx'), remote=requirements('remote'), shots=requirements('shots'),
        tests=requirements('tests')),
    cmdclass=dict(build_py=BuildWithConfigs),
    classifiers=['License :: OSI Approved :: Apache Software License', 'Programming Language :: Python :: 3',
                 'Topic :: Scientific/Engineering :: Image Recognition'],
    zip_safe=False,
)
