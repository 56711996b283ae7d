import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from iboot_mm.visualization.dry_run import render_dry_run

from ..config_files import load_config
from ..scripts import TOOLS, load_tool
from ..videos import write_video

TOOL = load_tool('analysis/dry_run')
CONFIG = TOOLS.parent / 'configs' / 'mini' / 'iboot_r18_digits.py'


def test_the_largest_batch_its_command_and_the_section_of_the_report(monkeypatch, capsys, tmp_path: Path) -> None:
    options = f'{CONFIG} --gpus 2 --gpu t4 --videos 1000 --decode-rate 10 --out {tmp_path}'
    monkeypatch.setattr(sys, 'argv', ['dry_run.py', *options.split()])
    TOOL.main()
    printed = capsys.readouterr().out
    most = int(re.search(r'^Largest +(\d+) videos; 2 x', printed, re.M)[1])
    assert most > 100  # of 16 GB
    found = json.loads((tmp_path / 'dry_run.json').read_text())
    assert found['largest']['command'] in printed
    assert found['memory']['needed'] == pytest.approx(1.06 * found['memory']['peak'] + .7e9)
    assert sum(found['memory']['kinds'].values()) == found['memory']['peak']
    assert found['loader_cores'] == pytest.approx(found['time']['videos_per_second'] / 10)
    assert found['time']['gpu_days'] == pytest.approx(2 * found['time']['recipe'] / 24)
    html = render_dry_run(found)
    assert f'{found["parts"]["backbone"]["parameters"] / 1e6:.2f}' in html and found['largest']['plan'] in html


def test_what_trains_nothing_is_refused_in_a_sentence(monkeypatch) -> None:
    config = TOOLS.parent / 'configs' / 'downstream' / 'knn_k400.py'
    monkeypatch.setattr(sys, 'argv', ['dry_run.py', str(config)])
    with pytest.raises(SystemExit, match='has no training'):
        TOOL.main()


def test_a_table_has_a_line_of_each_config(monkeypatch, capsys) -> None:
    cached = CONFIG.with_name('iboot_r18_digits_cached.py')
    monkeypatch.setattr(sys, 'argv', ['dry_run.py', '--table', str(CONFIG), str(cached), '--gpus', '2', '--no-largest'])
    TOOL.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('|')]
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in lines]
    assert len({len(row) for row in rows}) == 1 and len(rows) == 4
    assert [row[0] for row in rows[2:]] == [f'`{CONFIG}`', f'`{cached}`']
    live, stored = (float(row[3].removesuffix(' T')) for row in rows[2:])
    assert live > stored > 0  # without the teacher


def test_out_is_for_one_config(monkeypatch, capsys, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, 'argv', ['dry_run.py', str(CONFIG), str(CONFIG), '--out', str(tmp_path)])
    with pytest.raises(SystemExit):
        TOOL.main()
    assert '--out holds what is found of one config' in capsys.readouterr().err


@pytest.mark.parametrize('option, value, message', [
    ('--mfu', '0', 'mfu must be above 0, got 0'), ('--bandwidth', '-1', 'bandwidth must be above 0, got -1'),
    ('--mfu', '40', r'mfu must be in \[0, 1\], got 40'), ('--link', '0', 'link must be above 0, got 0'),
    ('--decode-rate', 'nan', 'decode_rate must be above 0, got nan'),
    ('--videos', '0', 'videos must be above 0, got 0')])
def test_a_number_that_means_nothing_is_named(option, value, message, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, 'argv', ['dry_run.py', str(CONFIG), option, value])
    with pytest.raises(SystemExit):
        TOOL.main()
    assert re.search(message, capsys.readouterr().err)


def test_decoding_is_measured_on_a_folder(monkeypatch, tmp_path: Path) -> None:
    write_video(tmp_path / 'a.mp4', np.zeros((40, 48, 64, 3), np.uint8))
    assert TOOL.decode_rate(load_config(CONFIG), str(tmp_path), seconds=.05) > 1
