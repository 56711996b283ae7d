"""The table of what VIVI's pre-training wins: its columns, its shots, its figures."""

import json
import sys

import pytest
import torch
from mmaction.registry import MODELS

from ..config_files import load_config
from ..scripts import load_tool
from .test_quickstart import ROOT

TOOL = load_tool('analysis/few_label_gain')


def test_a_shot_is_found_by_the_other_one_of_its_video_alone():
    """Of one-hot features all are found; swapped between two videos none of the four; groups do not see each other."""
    videos = torch.eye(20).unsqueeze(1).repeat(1, 2, 1)
    assert TOOL.found_shots(videos) == 1
    assert TOOL.found_shots(torch.cat([videos[:10], videos[:10]])) == 1  # the second ten repeat the first
    videos[0, 1], videos[1, 1] = videos[1, 0].clone(), videos[0, 0].clone()
    assert TOOL.found_shots(videos) == pytest.approx(36 / 40)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """Moving digits, ten videos of two shots, a config and a checkpoint of it."""
    folder = tmp_path_factory.mktemp('few_labels')
    load_tool('data/make_moving_digits').make(folder / 'digits', workers=1, limit=24)
    load_tool('data/compose_shots').make(folder / 'digits' / 'train.txt', folder / 'shots', labels=['digit', 'motion'],
                                         by='motion', num_shots=2, lengths=(4, 6), num_videos=10, workers=1)
    cfg = load_config(ROOT / 'configs/mini/vivi_ex4_digits.py')
    for part in cfg.val_dataloader.dataset.datasets:
        part.root = str(folder / 'digits')
    cfg.val_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.dump(folder / 'config.py')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), folder / 'epoch_1.pth')
    return folder


@pytest.fixture
def call(run, monkeypatch):
    def of(*options):
        arguments = [run / 'config.py', '--out', run / 'out', '--examples', 8, '--steps', 3, '--runs', 2, *options]
        monkeypatch.setattr(sys, 'argv', ['few_label_gain.py', *map(str, arguments)])
        TOOL.main()
    return of


def test_rows_columns_and_deviations(run, call, capsys):
    (run / 'same.pth').write_bytes((run / 'epoch_1.pth').read_bytes())
    call(run / 'epoch_1.pth', f"VIVI={run / 'same.pth'}", '--shots', run / 'shots', '--untrained', 2)
    said = capsys.readouterr().out
    result = json.loads((run / 'out' / 'few_label_gain.json').read_text())
    assert list(result['table']) == ['chance', 'untrained', 'VIVI']
    assert (result['label'], result['examples'], result['gallery'], result['test']) == ('digit', 8, 24, 24)
    assert result['table']['chance']['shots'] == [1 / 19]
    assert {name: len(values) for name, values in result['table']['untrained'].items()} == {
        'fine-tuned': 2, 'k-NN': 2, 'shots': 2}
    for values in result['table']['VIVI'].values():
        assert values[0] == values[1] and 0 <= values[0] <= 1  # one and the same network
    assert ' ± 0.0' in said and (run / 'out' / 'few_label_gain.txt').read_text() in said


def test_without_shots_there_is_no_such_column(run, call, capsys):
    call(run / 'epoch_1.pth', '--label', 'motion')
    result = json.loads((run / 'out' / 'few_label_gain.json').read_text())
    assert result['label'] == 'motion' and set(result['table']['VIVI']) == {'fine-tuned', 'k-NN'}
    assert 'shots: ' not in capsys.readouterr().out


@pytest.mark.parametrize('options, words', [
    (['--label', 'colour'], 'have no label colour, but digit, motion'),
    (['--shots', 'digits'], 'no shot list'),
    (['--shots', 'odd'], 'two shots, ten or a multiple'),
    (['--examples', 1000], 'lower --examples'),
])
def test_bad_input_is_one_sentence(run, call, options, words):
    if 'odd' in options:
        (run / 'odd').mkdir()
        lines = (run / 'shots' / 'true_shots.jsonl').read_text().splitlines(keepends=True)
        (run / 'odd' / 'true_shots.jsonl').write_text(''.join(lines[:-1]))
    options = [run / part if part in ('digits', 'odd') else part for part in options]
    with pytest.raises(SystemExit, match=words):
        call(run / 'epoch_1.pth', *options)
