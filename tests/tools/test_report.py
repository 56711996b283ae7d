"""Parts of the report that must not fail the page; whole pages: the tests of the mini configs."""

import json

import pytest
from mmengine.config import ConfigDict

from ..checkpoint_files import CONFIG, write_checkpoint
from ..scripts import load_tool
from ..videos import moving_frames, write_video

TOOL = load_tool('analysis/report')


@pytest.fixture
def run(tmp_path):
    """Results of a run and its config; the second query's video is gone."""
    write_video(tmp_path / 'a.mp4', moving_frames(20))
    files = write_checkpoint(tmp_path / 'run', CONFIG)
    queries = [dict(query=dict(filename=str(tmp_path / name))) for name in ('a.mp4', 'gone.mp4')]
    return dict(checkpoint=str(files['checkpoint']), neighbors=queries), next((tmp_path / 'run').glob('*.py'))


def test_pictures_of_the_queries_that_are_there(run):
    results, config = run
    assert len(TOOL.looks(results, config)) == 1
    assert TOOL.looks(dict(results, neighbors=results['neighbors'][1:]), config) == (
        "No maps were drawn: none of the queries' videos can be read.")


@pytest.mark.parametrize('error', [RuntimeError('out of memory'), KeyError('qkv'), AttributeError('no such layer'),
                                   ImportError('no timm'), ValueError('no map'), MemoryError()])
def test_whatever_happens_there_is_a_sentence(run, monkeypatch, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(TOOL, 'draw_looks', fail)
    sentence = TOOL.looks(*run)
    assert sentence.startswith('No maps were drawn: ') and str(error) in sentence


@pytest.mark.parametrize('results', [{}, dict(checkpoint='gone.pth', neighbors=[]), dict(checkpoint=3)])
def test_results_of_another_version_or_place(run, results):
    assert TOOL.looks(results, run[1]).startswith('No maps were drawn: ')


def test_the_folders_of_joined_data():
    """A report of them failed."""
    parts = [ConfigDict(type='VideoFolder', root='a'), ConfigDict(type='RepeatDataset', dataset=dict(root='b')),
             ConfigDict(type='VideoFolder', root='a')]
    assert TOOL.roots(ConfigDict(type='ConcatDataset', datasets=parts)) == ['a', 'b']
    assert TOOL.roots(parts[0]) == ['a'] and TOOL.roots(ConfigDict(type='Another')) == ['a folder not named']


def test_a_folder_that_was_moved_keeps_its_networks(tmp_path):
    """What knn_table.py writes of networks inside and outside of it, and what earlier versions wrote."""
    (run := tmp_path / 'run' / 'byol').mkdir(parents=True)
    inside, beside, outside = run.parent / 'epoch_9.pth', run / 'epoch_3.pth', tmp_path / 'other.pth'
    table = load_tool('analysis/knn_table')
    places = [table.place_of(file, run.parent) for file in (inside, beside, outside)]
    assert places == ['epoch_9.pth', 'byol/epoch_3.pth', str(outside)]
    text = json.dumps(dict(k=20, checkpoint=places[0], also=dict(byol=places[1], other=places[2])))
    (run.parent / 'knn_table.json').write_text(text)
    moved = run.parent.rename(tmp_path / 'moved')
    assert TOOL.read_results(moved / 'knn_table.json') == dict(
        k=20, checkpoint=f'{moved}/epoch_9.pth', also=dict(byol=f'{moved}/byol/epoch_3.pth', other=str(outside)))
    (moved / 'knn_table.json').write_text(json.dumps(dict(checkpoint=str(inside))))
    assert TOOL.read_results(moved / 'knn_table.json') == dict(checkpoint=str(inside), also={})
