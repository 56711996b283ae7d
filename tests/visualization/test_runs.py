import json

import pytest

from iboot_mm.visualization.runs import load_runs

from ..run_logs import write_config, write_start


def test_a_run_from_its_folder_a_start_or_its_file(tmp_path):
    start = write_start(tmp_path / 'run', 0, 2)
    write_config(start, 'VideoBYOL', 3, seed=4)
    for path in (tmp_path / 'run', start, start / 'vis_data', start / 'vis_data/scalars.json'):
        run, = load_runs(path, 'mine')
        assert run.name == 'mine' and run.model == 'VideoBYOL' and run.setting('rho') == 3
        assert run.curve('loss', 'epoch')[-1][0] == 2 and run.last('digit/knn_top1') == .2
    assert run.setting('train_cfg.max_epochs') == 4 and run.setting('train_cfg.type') == 'GlobalBatchTrainLoop'


def test_recipes_are_the_same_but_for_the_seed(tmp_path):
    for number, (views, seed) in enumerate([(2, 0), (2, 1), (3, 0)]):
        write_config(write_start(tmp_path / str(number), 0, 1), views=views, seed=seed)
    runs = [load_runs(tmp_path / str(number))[0] for number in range(3)]
    assert runs[0].recipe == runs[1].recipe != runs[2].recipe
    write_start(tmp_path / 'bare', 0, 1)
    assert load_runs(tmp_path / 'bare')[0].recipe is None


def test_two_crops_of_a_clip_are_one_clip(tmp_path):
    write_config(write_start(tmp_path, 0, 1), views=2, same=True)
    assert load_runs(tmp_path)[0].setting('rho') == 1


def test_a_config_is_not_run(tmp_path):
    start = write_start(tmp_path, 0, 1)
    marker = str(tmp_path / 'marker')
    (start / 'vis_data/config.py').write_text(f'import os\nos.mkdir({marker!r})\nmodel = dict(a=f())\n')
    assert load_runs(tmp_path)[0].settings == {} and not (tmp_path / 'marker').exists()


def test_what_a_config_does_not_say(tmp_path):
    write_start(tmp_path, 0, 1)
    with pytest.raises(ValueError, match='no config beside it can be read, so .* take --over name'):
        load_runs(tmp_path)[0].setting('rho')
    (tmp_path / 'config.py').write_text('model = dict(type="A", norm=None)\n')
    run, = load_runs(tmp_path)
    assert run.setting('model.norm') == 'None'
    with pytest.raises(ValueError, match=r'its config has no number of clips \(num_views\)'):
        run.setting('rho')
    with pytest.raises(ValueError, match='its config has no model.depth'):
        run.setting('model.depth')


def test_an_evaluation_has_a_run_for_each_checkpoint(tmp_path):
    write_config(write_start(tmp_path / 'a', 0, 1), 'VideoMoCo', 4)
    (tmp_path / 'eval').mkdir()
    results = dict(title='x', checkpoints=[dict(name=str(tmp_path / 'a/epoch_1.pth'), seed=0, sha256='0'),
                                           dict(name='random', seed=1)],
                   rows=[dict(name='linear', figures={'acc/top1': [.5, .25]}, paper=None, seconds=[1., 2.]),
                         dict(name='ava', figures={'ava/mAP': [.1, .2]})])
    (tmp_path / 'eval/results.json').write_text(json.dumps(results))
    first, second = load_runs(tmp_path / 'eval')
    assert first.metrics == ['linear/acc/top1', 'ava/mAP']
    assert (first.last('linear/acc/top1'), first.setting('rho')) == (.5, 4)
    assert second.last('linear/acc/top1') == .25 and second.settings == {}


@pytest.mark.parametrize('content', ['{', '[]', '{"checkpoints": [], "rows": []}', '{"checkpoints": [{"name": 3}]}'])
def test_a_broken_evaluation_is_one_sentence(tmp_path, content):
    (tmp_path / 'results.json').write_text(content)
    with pytest.raises(ValueError, match='results.json.*: name the folder of a finished tools/evaluate.py'):
        load_runs(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no run at .*nowhere'):
        load_runs(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='holds no vis_data/scalars.json, .*and no results.json'):
        load_runs(tmp_path)
    write_start(tmp_path / 'b', 0, 1)
    with pytest.raises(FileNotFoundError, match='name runs in it, such as .*/b$'):
        load_runs(tmp_path)
