"""The folder for the hub: what is in it, how it comes about, and what stops it."""

import json

import pytest
import safetensors.torch
import torch
from huggingface_hub import ModelCard

from iboot_mm.checkpoints.description import describe_checkpoint

from ..checkpoint_files import STOCK_CONFIG, write_checkpoint
from ..scripts import load_tool

export_hub = load_tool('convert/export_hub')


@pytest.fixture
def trained(tmp_path) -> dict:
    return dict(write_checkpoint(tmp_path / 'run'), out=tmp_path / 'net')


def test_the_folder_holds_weights_description_and_card_and_nothing_else(trained):
    folder = export_hub.export(trained['checkpoint'], trained['out'], trained['config'])
    assert folder == trained['out']
    assert sorted(file.name for file in folder.iterdir()) == ['README.md', 'config.json', 'model.safetensors']
    assert all(file.stat().st_mode & 0o044 for file in (folder, *folder.iterdir()))  # others may read them
    state = safetensors.torch.load_file(folder / 'model.safetensors')
    expected = describe_checkpoint(trained['checkpoint'], trained['config'], build_teachers=True)
    assert state.keys() == expected.state.keys()
    assert all(torch.equal(state[key], trained['state'][key]) for key in state)
    described = describe_checkpoint(folder)
    for name in ('config', 'backbone', 'feature_dim', 'clip', 'teachers', 'temporal_pool', 'target_norm'):
        assert getattr(described, name) == getattr(expected, name), name
    assert sorted(trained['out'].parent.iterdir()) == [trained['out'], trained['checkpoint'].parent]  # nothing partial


def test_the_card_says_licences_figures_and_clips(trained, tmp_path):
    figures = tmp_path / 'knn.json'
    figures.write_text(json.dumps({'label/knn_top1': .5625}))
    folder = export_hub.export(trained['checkpoint'], trained['out'], trained['config'], 'mit', [figures])
    card = ModelCard.load(folder / 'README.md')
    assert (card.data.license, card.data.library_name) == ('mit', 'iboot_mm')
    for part in ('| label/knn_top1 | 0.5625 |', 'These weights: mit', 'Teacher: PatchMeanTeacher',
                 'licence of its weights: none',
                 '4 frames, 2 frames of the video apart; short side 40 pixels, centre square of 32',
                 '`target_norms.*`', 'my_recipe.py', '(n_videos, 64)'):
        assert part in card.text, part


def test_a_card_without_figures_has_no_numbers_of_its_own(tmp_path):
    stock = write_checkpoint(tmp_path / 'run', STOCK_CONFIG)
    folder = export_hub.export(stock['checkpoint'], tmp_path / 'net')
    card = ModelCard.load(folder / 'README.md')
    assert card.data.license == 'other' and 'not stated' in card.text
    assert 'None were given.' in card.text and 'Teacher' not in card.text and 'projectors' not in card.text


@pytest.mark.parametrize('clip, words', [
    (dict(clip_len=8, frame_interval=8, target_fps=30., sampling='dense', size=224, short_side=256),
     '8 frames, 8 ticks of a clock of 30 Hz apart; short side 256'),
    (dict(clip_len=16, frame_interval=8, target_fps=None, sampling='segments', size=224, short_side=224),
     '16 frames, one in each of 16 equal parts of the video; short side 224')])
def test_clips_in_words(clip, words):
    assert export_hub.clip_note(clip).startswith(words)


def test_a_folder_that_holds_something_is_left_alone(trained):
    trained['out'].mkdir()
    (trained['out'] / 'mine.txt').write_text('mine')
    with pytest.raises(FileExistsError, match='net exists and is not an empty folder'):
        export_hub.export(trained['checkpoint'], trained['out'], trained['config'])
    assert [file.name for file in trained['out'].iterdir()] == ['mine.txt']


def test_a_failed_write_leaves_nothing(trained, monkeypatch):
    def full(*args, **kwargs):
        raise OSError('no space left on device')

    monkeypatch.setattr(export_hub.json, 'dumps', full)
    with pytest.raises(OSError, match='no space'):
        export_hub.export(trained['checkpoint'], trained['out'], trained['config'])
    assert list(trained['out'].parent.iterdir()) == [trained['checkpoint'].parent]


@pytest.mark.parametrize('content', ['{"knn": "high"}', '[1]', 'no json'])
def test_figures_must_be_names_and_numbers(trained, tmp_path, content):
    figures = tmp_path / 'figures.json'
    figures.write_text(content)
    with pytest.raises(ValueError, match='figures.json is not a JSON object of names and numbers'):
        export_hub.export(trained['checkpoint'], trained['out'], trained['config'], figures=[figures])
    assert not trained['out'].exists()


def test_the_command_says_what_is_wrong_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr('sys.argv', ['export_hub.py', 'nowhere.pth', str(tmp_path / 'net')])
    with pytest.raises(SystemExit, match='^export_hub: no checkpoint at nowhere.pth$'):
        export_hub.main()
