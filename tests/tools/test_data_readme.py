"""What tools/data/README.md says is what the tools do."""

import re

from iboot_mm.datasets.benchmarks import BENCHMARKS
from iboot_mm.datasets.benchmarks.counts import OFFICIAL

from ..scripts import TOOLS

TEXT = (TOOLS / 'data' / 'README.md').read_text()


def test_official_numbers():
    rows = {row.split('`')[1]: row for row in TEXT.splitlines() if row.startswith('| `') and row.count('|') == 6}
    assert rows.keys() == BENCHMARKS.keys() == OFFICIAL.keys()
    for name, row in rows.items():
        classes, videos = row.split('|')[4:6]
        assert int(classes) == OFFICIAL[name].classes
        numbers = [int(number) for number in re.findall(r'\d{2,}', videos)]
        expected = list(OFFICIAL[name].videos.values())
        assert numbers == (expected[:2] if name == 'hmdb51' else expected)
    for name in ('kinetics400', 'kinetics600', 'kinetics700'):
        assert '{} and {}'.format(*OFFICIAL[name].copies['MMAction2']) in ' '.join(TEXT.split())


def test_commands_and_options_exist():
    for script, options in re.findall(r'tools/(\S+\.py)([^\n`]*)', TEXT):
        assert (TOOLS / script).is_file()
        source = (TOOLS / script).read_text()
        assert all(f"'{option}'" in source for option in re.findall(r'--[a-z-]+', options))
    for config in re.findall(r'configs/\S+\.py', TEXT):
        assert (TOOLS.parent / config).is_file()
