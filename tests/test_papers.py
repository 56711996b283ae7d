"""docs/papers.md names every row of the papers' tables once, and nothing that is not there."""

import re
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import DictAction
from mmengine.optim import build_optim_wrapper
from torch import nn

import iboot_mm  # noqa: F401

from .config_files import load_config

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / 'docs/papers.md').read_text()
# Rows of the papers' tables; the study's Tables 2, 3, 6, 12 and 13 have a column for each method or number of clips.
IBOOT = {1: 5, 2: 3, 3: 4, 4: 4, 5: 3, 6: 3, 7: 2, 8: 2, 9: 3, 10: 12 + 4, 11: 7}
STUDY = {1: 4, 2: 4 * 4, 3: 5 * 4, 4: 7 + 5 + 5, 5: 7, 6: 3 * 2 * 4, 7: 6, 8: 8, 9: 2 * 2, 10: 8, 11: 12, 12: 2 * 3,
         13: 2 * 3, 14: 7, 15: 6, 16: 12, 17: 1}
ADVISE = {1: 5 * 3, 2: 5 + 5, 3: 5 + 5, 4: 5, 5: 3 * 2, 6: 4, 7: 3, 8: 7 + 11}
VIVI = {1: 3 + 2 + 4, 2: 6 * 2, 3: 2}


class Paper(NamedTuple):
    """What the section of a paper has to name, and the file with the paper's text in the shared folder."""

    tables: dict[int, int]  # number of a table: its rows
    figures: int
    equations: int
    text: str


# A paper's title on the page; another paper is one more line here.
PAPERS = {
    'iBoot': Paper(IBOOT, figures=2, equations=1, text='iboot.txt'),
    'The study': Paper(STUDY, figures=5, equations=3, text='large_scale_video_ssl.txt'),
    'AdViSe': Paper(ADVISE, figures=7, equations=0, text='advise.txt'),
    'VIVI': Paper(VIVI, figures=4, equations=2, text='vivi.txt'),
}
FOLDERS = 'benchmarks|configs|tools|iboot_mm|docs|model_cards'


def sections(paper: str) -> dict[str, list[list[str]]]:
    """Title of a table to its rows of cells."""
    body = re.search(rf'^# {paper}$(.*?)(?=^# |\Z)', PAGE, re.M | re.S)[1]
    found = {}
    for title, content in re.findall(r'^### (.*?)$(.*?)(?=^#|\Z)', body, re.M | re.S):
        lines = [line for line in content.splitlines() if line.startswith('|')]
        found[title] = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[2:]]
    return found


@pytest.mark.parametrize('paper', PAPERS)
def test_each_row_of_each_table_is_named_once(paper):
    tables, figures, equations, _ = PAPERS[paper]
    counts = {int(title.split()[1].strip(':')): len(rows) for title, rows in sections(paper).items()
              if title.startswith('Table')}
    assert counts == tables
    for title, rows in sections(paper).items():
        assert [name for name, times in Counter(row[0] for row in rows).items() if times > 1] == [], title
    drawn = [row[0] for row in next(rows for title, rows in sections(paper).items() if title.startswith('Figure'))]
    for kind, count in (('Figure', figures), ('Equation', equations)):
        assert [name.partition(':')[0] for name in drawn if name.startswith(kind)] == [
            f'{kind} {number}' for number in range(1, count + 1)]


@pytest.mark.parametrize('paper', PAPERS)
def test_no_cell_is_empty(paper):
    for title, rows in sections(paper).items():
        assert rows and all(len(row) == 3 and all(row) for row in rows), title


def test_named_files_exist():
    named = set(re.findall(rf'(?<![\w/.])((?:{FOLDERS})/[\w./]+)', PAGE))
    assert len(named) > 80 and [name for name in sorted(named) if not (ROOT / name).exists()] == []


def named_configs() -> set[tuple[str, str]]:
    """Each named config with the options that stand behind it in its row, up to the next config."""
    found = set()
    for line in PAGE.splitlines():
        for config, following in re.findall(r'`(configs/[\w/]+\.py)`((?:(?!`configs/).)*)', line):
            found.add((config, ' '.join(re.findall(r'`([\w.]+=[^`]*)`', following)) if line.startswith('|') else ''))
    return found


def test_named_configs_load_and_what_the_named_options_change_can_be_built():
    """An option's last key may be new, what it belongs to may not."""
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction)
    named = {(config, options) for config, options in named_configs() if '_base_' not in config}
    assert len({config for config, _ in named}) > 70 and sum(bool(options) for _, options in named) > 50
    for config, options in sorted(named):
        cfg = load_config(ROOT / config)
        for option in options.split():
            *place, key = option.partition('=')[0].split('.')
            part = cfg
            for name in place:
                part = part[int(name) if name.isdigit() else name]
            assert (place and isinstance(part, dict)) or key in cfg, (config, option)
        if options:
            cfg.merge_from_dict(parser.parse_args(['--cfg-options', *options.split()]).cfg_options)
            build_optim_wrapper(nn.Linear(1, 1), cfg.optim_wrapper)
            for transform in cfg.train_dataloader.dataset.pipeline:
                TRANSFORMS.build(transform)
            if 'model.' in options:
                with torch.device('meta'):
                    MODELS.build(cfg.model)


def test_named_protocols_exist():
    from iboot_mm.evaluation.protocols.catalog import RECIPES

    known = {protocol.name for recipe in RECIPES.values() for protocol in recipe}
    named = re.findall(r'(?:`evaluate |--protocols )([\w,]+)`', PAGE)
    assert len(named) > 8 and {name for names in named for name in names.split(',')} <= known


@pytest.mark.parametrize('paper', PAPERS)
def test_figures_are_the_paper_s(paper, shared):
    text = (shared / 'papers' / PAPERS[paper].text).read_text()
    for title, rows in sections(paper).items():
        if title.startswith('Table'):
            for row in rows:
                for figure in re.findall(r'(?<![\w.])\d+\.\d+(?![\w.])', row[2]):
                    assert re.search(rf'(?<![\d.]){re.escape(figure)}(?!\d)', text), (title, row)


CITED = re.compile(r'(?:section|appendix)\s+([34AB]\.\d)(?: and (?:appendix )?([34AB]\.\d))?')


@pytest.mark.parametrize('paper', PAPERS)
def test_code_cites_the_section_that_it_is_listed_under(paper):
    """The k-NN of iBoot stood under "section 4.1" for a while, where pre-training is."""
    protocols = sections(paper)['Protocols']
    checked = 0
    for name, code, _ in protocols:
        for file in re.findall(r'`(iboot_mm/[\w/]+\.py)`', code):
            cited = {section for groups in CITED.findall((ROOT / file).read_text()) for section in groups if section}
            assert name.split()[0] in cited, f'{file} is listed under {name}, but cites {sorted(cited)}'
            checked += 1
    assert checked > 3
