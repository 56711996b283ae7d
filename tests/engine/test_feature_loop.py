import json
from pathlib import Path

import mmaction
import pytest
import torch
from mmaction.registry import METRICS
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.fileio import load
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from iboot_mm.engine import feature_loop
from iboot_mm.engine.feature_loop import judge, missing_batches
from iboot_mm.stores.features import FeatureStore

from ..processes import run_script, torchrun_of
from .toy_features import feature_config

STOCK_TEST = Path(mmaction.__file__).parent / '.mim' / 'tools' / 'test.py'
VIDEOS = [('gallery', i) for i in range(11)] + [('query', i) for i in range(6)]


def make_runner(folder, name='run', **changes):
    return Runner.from_cfg(Config(feature_config(folder / name, folder / 'store', **changes)))


def stores_of(folder):
    return [FeatureStore(path) for path in (folder / 'store').iterdir()]


def test_figures_are_those_of_mmengines_test_loop(tmp_path):
    runner, stock = make_runner(tmp_path), make_runner(tmp_path, 'stock', test_cfg=dict(type='TestLoop'))
    figures = runner.test()
    assert figures == pytest.approx(stock.test(), abs=1e-6)
    assert set(figures) == {'knn_top1', 'feature_spread', 'retrieval/R@1', 'retrieval/R@5'}
    assert runner.model.seen == VIDEOS


def test_nothing_is_encoded_twice(tmp_path):
    """Not by another evaluation of the network, either: the gallery is the same, the queries are others."""
    figures = make_runner(tmp_path).test()
    again = make_runner(tmp_path, 'again')
    assert again.test() == figures and again.model.seen == []
    recall = dict(type='VideoRetrievalMetric', topk=(1,))
    other = make_runner(tmp_path, 'other', query=dict(seed=1), test_evaluator=recall)
    other.test()
    assert other.model.seen == VIDEOS[11:]
    assert len(list((tmp_path / 'store').iterdir())) == 3


def test_another_network_has_features_of_its_own(tmp_path):
    make_runner(tmp_path).test()
    runner = make_runner(tmp_path, 'other')
    with torch.no_grad():
        runner.model.map.weight.mul_(2)
    runner.test()
    assert runner.model.seen == VIDEOS


def test_a_stopped_run_goes_on_with_what_is_missing(tmp_path):
    stopped = make_runner(tmp_path)
    stopped.model.patience = 4
    with pytest.raises(KeyboardInterrupt):
        stopped.test()
    assert stopped.model.seen == VIDEOS[:8]
    runner = make_runner(tmp_path, 'resumed')
    figures = runner.test()
    assert runner.model.seen == VIDEOS[8:]
    assert figures == pytest.approx(make_runner(tmp_path, 'whole', test_cfg=dict(type='TestLoop')).test(), abs=1e-6)


def test_stored_videos_are_called_by_where_they_lie_now(tmp_path):
    named = dict(type='NamesMetric', prefix='names')
    assert make_runner(tmp_path, query=dict(root='here'), test_evaluator=named).test() == {'names/here': 6.}
    moved = make_runner(tmp_path, 'moved', query=dict(root='there'), test_evaluator=named)
    assert moved.test() == {'names/there': 6.} and moved.model.seen == []


def test_parts_may_have_different_numbers_of_views(tmp_path):
    runner = make_runner(tmp_path, query=dict(views=3))
    runner.test()
    assert sorted(len(next(store.samples())['view_features']) for store in stores_of(tmp_path)) == [1, 3]


def test_stand_ins_are_left_out_and_counted(tmp_path, caplog):
    runner = make_runner(tmp_path, gallery=dict(unreadable=3))
    handled = MMLogger.get_current_instance()
    handled.addHandler(caplog.handler)
    figures = runner.test()
    assert '1 of 17 videos could not be read and are left out' in caplog.text
    assert 'Features: 0 of 17 videos are stored' in caplog.text and '17 are to encode' in caplog.text
    stock = make_runner(tmp_path, 'stock', gallery=dict(unreadable=3), test_cfg=dict(type='TestLoop'))
    assert figures == pytest.approx(stock.test(), abs=1e-6)


def test_too_many_unreadable_videos_stop_the_resumed_run_too(tmp_path):
    strict = dict(gallery=dict(unreadable=3), custom_hooks=[dict(type='UnreadableVideosHook', max_share=0)])
    with pytest.raises(RuntimeError, match='1 of the 17 videos'):
        make_runner(tmp_path, **strict).test()
    resumed = make_runner(tmp_path, 'resumed', **strict)
    with pytest.raises(RuntimeError, match='1 of the 17 videos'):
        resumed.test()
    assert resumed.model.seen == VIDEOS[4:]


def test_mmaction2s_own_launcher_in_two_processes(tmp_path):
    """Stock tools/test.py. Each of 11 and 6 videos is encoded once, though batches of 2 divide neither them nor the
    processes."""
    config = feature_config(tmp_path / 'run', tmp_path / 'store', gallery=dict(unreadable=3),
                            model_wrapper_cfg=dict(type='DistributedPretrainer'))
    Config(config).dump(str(tmp_path / 'config.py'))
    runner = make_runner(tmp_path, 'here')
    torch.save(dict(state_dict=runner.model.state_dict()), tmp_path / 'weights.pth')
    done = run_script(*torchrun_of(
        tmp_path, 'bash', '-c', f'source tools/torchrun.sh; run_distributed 2 {STOCK_TEST} {tmp_path}/config.py '
        f'{tmp_path}/weights.pth --launcher pytorch --work-dir {tmp_path}/run'))
    log = done.stdout
    assert done.returncode == 0, log[-3000:]
    assert '17 are to encode' in log and 'Epoch(test) [4/5]    eta: 0:00:0' in log
    stored = [(store.identity['data']['config']['role'], index) for store in stores_of(tmp_path)
              for shard in store.folder.glob('0*.json') for index in json.loads(shard.read_text())['index']]
    assert sorted(stored) == VIDEOS
    figures = make_runner(tmp_path, 'one', gallery=dict(unreadable=3), test_cfg=dict(type='TestLoop')).test()
    assert all(f'{name}: {value:.4f}' in log for name, value in figures.items())


def test_a_process_without_a_share_goes_through_the_same_steps(tmp_path, monkeypatch):
    """The second of two, which have one video to encode: hooks that exchange what they found must not wait for it."""
    make_runner(tmp_path).test()
    runner = make_runner(tmp_path, 'second', query=dict(length=1, seed=1))
    monkeypatch.setattr(feature_loop, 'get_dist_info', lambda: (1, 2))
    steps = []
    monkeypatch.setattr(runner, 'call_hook', lambda name, **kwargs: steps.append((name, kwargs.get('data_batch'))))
    with pytest.raises(RuntimeError, match='only 11 of 12 videos are stored below .*: all machines of a run must see'):
        runner.test()
    assert steps[-2:] == [('before_test_iter', None), ('after_test_iter', None)] and runner.model.seen == []


def test_dumped_features_are_not_those_of_the_whole_shard(tmp_path):
    """As tools/test.py --dump has it; a tensor is pickled with all the memory that it is a part of."""
    dump = dict(type='DumpResults', out_file_path=str(tmp_path / 'dump.pkl'))
    make_runner(tmp_path, test_evaluator=[dict(type='KNNMetric', k=5), dump]).test()
    dumped = load(tmp_path / 'dump.pkl')
    assert len(dumped) == len(VIDEOS)
    for sample in dumped:
        assert sample['view_features'].untyped_storage().nbytes() == 4 * sample['view_features'].numel()


def test_missing_batches_by_hand():
    assert list(missing_batches([0, 5, 9], [{1}, {0, 1, 2}], 2)) == [[0, 2], [3, 4], [8]]
    assert list(missing_batches([0, 2], [{0, 1}], 2)) == []


@pytest.mark.parametrize('changes, words', [
    (dict(model=dict(type='ToyEncoder', gives='other')), 'ToyEncoder gives no view_features to store'),
    (dict(test_evaluator=[dict(type='KNNMetric', k=5)] * 2), "two metrics of test_evaluator are called '.*_"),
])
def test_bad_input(tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        make_runner(tmp_path, **changes).test()


def test_a_loader_that_is_built_already(tmp_path):
    runner = make_runner(tmp_path)
    loader = Runner.build_dataloader(runner.cfg.test_dataloader)
    with pytest.raises(ValueError, match='give test_dataloader as a config'):
        runner.build_test_loop(dict(type='FeatureLoop', store=str(tmp_path), dataloader=loader))


def test_a_metric_keeps_its_prefix(tmp_path):
    metric = METRICS.build(dict(type='VideoRetrievalMetric', topk=(1,), prefix='ucf101'))
    samples = [dict(view_features=torch.ones(1, 2), role=role, labels=dict(label=0), filename='a', replaced=False)
               for role in ('gallery', 'query')]
    assert judge(Evaluator(metric), samples) == {'ucf101/retrieval/R@1': 1.}
