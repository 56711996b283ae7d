"""The protocol by hand: splits, the choice of the setting, medians and means, and going on after an interruption."""

import pytest
import torch
from torch.utils.data import TensorDataset

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.images.tasks import ImageTask, draw_task
from iboot_mm.evaluation.images import transfer as module
from iboot_mm.evaluation.images.few_label_training import Setting, accuracy, fine_tune, train_head
from iboot_mm.evaluation.images.frame_classifier import ClassifierFolder, FrameEncoder, LoadedClassifier
from iboot_mm.evaluation.images.run_store import RunStore
from iboot_mm.evaluation.images.transfer import LIGHTWEIGHT, Transfer, TransferProtocol, choose_setting, summarise

from ...checkpoint_files import CONFIG, write_checkpoint
from .test_few_label_training import toy_encoder, toy_images

SLOW, FAST, LONG = Setting(.01, 4), Setting(.1, 4), Setting(.01, 8)
SMALL = dict(runs=3, batch_size=8, size=8)


@pytest.fixture
def tasks():
    return [draw_task(name, group, [TensorDataset(*toy_images(30, seed)), TensorDataset(*toy_images(9, seed + 10))], 20)
            for seed, (name, group) in enumerate((('a', 'natural'), ('b', 'natural'), ('c', 'other')))]


def test_the_setting_is_the_best_on_average_not_on_most_tasks():
    scores = dict(a={SLOW: .50, FAST: .52, LONG: .51}, b={SLOW: .50, FAST: .52, LONG: .51},
                  c={SLOW: .50, FAST: .30, LONG: .51})
    assert choose_setting(scores) == LONG  # FAST is the best of two of three tasks, but .447 on average
    assert choose_setting(dict(a={SLOW: .5, FAST: .4}, b={SLOW: .4, FAST: .5})) == SLOW  # of equal ones the first


def test_medians_and_means():
    accuracies = dict(a=[.1, .9, .5], b=[.3, .3, .8], c=[.2, .4])
    summary = summarise(accuracies, dict(a='natural', b='natural', c='other'))
    assert summary['tasks'] == pytest.approx(dict(a=.5, b=.3, c=.3))
    assert summary['groups'] == pytest.approx(dict(natural=.4, other=.3))
    assert summary['mean'] == pytest.approx(1.1 / 3)  # over tasks, not over groups


def test_the_lightweight_settings():
    assert {(s.learning_rate, s.steps) for s in LIGHTWEIGHT} == {(.1, 2500), (.1, 10000), (.01, 2500), (.01, 10000)}
    assert TransferProtocol() == TransferProtocol(LIGHTWEIGHT, 3, 512, 224, False)


@pytest.mark.parametrize('frozen', [False, True])
def test_the_whole_protocol_against_the_same_steps_by_hand(tasks, frozen):
    protocol = TransferProtocol((FAST, SLOW), frozen=frozen, **SMALL)
    result = Transfer(tasks, protocol, device='cpu', say=lambda line: None)(toy_encoder())
    features, cpu = FrameEncoder(toy_encoder(), 8), torch.device('cpu')

    def run(task, setting, validation, seed):
        (images, labels), (tested, truth) = task.load('train', 8), task.load('test', 8)
        if validation:
            tested, truth, images, labels = images[16:], labels[16:], images[:16], labels[:16]
        if frozen:
            with torch.no_grad():
                images, tested = features(images), features(tested)
            return accuracy(train_head(images, labels, 3, setting, 8, seed), tested, truth, cpu)
        return accuracy(fine_tune(features, images, labels, 3, setting, 8, seed), tested, truth, cpu)

    for task in tasks:
        assert result['validation'][task.name] == {str(s): run(task, s, True, 0) for s in (FAST, SLOW)}
    sums = {s: sum(by[str(s)] for by in result['validation'].values()) for s in (FAST, SLOW)}
    chosen = max(sums, key=sums.get)
    assert result['setting'] == str(chosen)
    assert result['accuracies'] == {task.name: [run(task, chosen, False, seed) for seed in range(3)] for task in tasks}
    assert result['mean'] == pytest.approx(sum(sorted(runs)[1] for runs in result['accuracies'].values()) / 3)


@pytest.mark.parametrize('frozen', [False, True])
def test_test_images_that_are_too_many_are_never_all_in_memory(tasks, frozen, monkeypatch):
    """9 of them, 4 at a time: the same accuracies; a frozen encoder sees each once, others read them in each run."""
    protocol = TransferProtocol((FAST, ), frozen=frozen, **SMALL)
    expected = Transfer(tasks, protocol, device='cpu', say=lambda line: None)(toy_encoder())
    counts, batches = [], ImageTask.batches

    def counting(task, part, size, together):
        for images, labels in batches(task, part, size, together):
            counts.append((part, len(images)))
            yield images, labels

    monkeypatch.setattr(ImageTask, 'batches', counting)
    monkeypatch.setattr(module, 'TOGETHER', 4)
    for kept, passes in ((3 * 8 * 8 * 9 - 1, 1 if frozen else 3), (3 * 8 * 8 * 9, 1)):
        monkeypatch.setattr(module, 'KEPT', kept)
        counts.clear()
        assert Transfer(tasks, protocol, device='cpu', say=lambda line: None)(toy_encoder()) == expected
        assert counts == 3 * [('train', 20), *passes * [('test', 4), ('test', 4), ('test', 1)]]


def test_an_interrupted_protocol_goes_on_and_other_settings_are_other_runs(tasks, tmp_path, monkeypatch):
    trained = []

    def counting(features, images, labels, classes, setting, *rest):
        if len(trained) == 5:
            raise KeyboardInterrupt
        trained.append((setting, len(images)))
        return fine_tune(features, images, labels, classes, setting, *rest)

    monkeypatch.setattr(module, 'fine_tune', counting)

    def whole(**changes):
        protocol = TransferProtocol((FAST, SLOW), **{**SMALL, **changes})
        return Transfer(tasks, protocol, RunStore(tmp_path), 'cpu', say=lambda line: None)(toy_encoder())

    with pytest.raises(KeyboardInterrupt):
        whole()
    assert len(trained) == 5 and all(count == 16 for _, count in trained)  # 3 x 2 of the sweep, the last one stopped
    trained.clear()
    monkeypatch.setattr(module, 'fine_tune', lambda *args: trained.append(len(args[1])) or fine_tune(*args))
    first = whole()
    assert trained == [16] + 9 * [20]
    assert whole() == first and len(trained) == 10
    whole(batch_size=4)
    assert len(trained) == 25
    monkeypatch.undo()
    protocol = TransferProtocol((FAST, SLOW), **SMALL)
    assert Transfer(tasks, protocol, device='cpu', say=lambda line: None)(toy_encoder()) == first
    other = Transfer(tasks, TransferProtocol((FAST, ), **SMALL), RunStore(tmp_path), 'cpu', say=lambda line: None)
    assert other(toy_encoder(seed=1))['accuracies'] != first['accuracies']  # another network's runs are its own


def test_a_single_setting_needs_no_sweep_and_first_runs_are_kept_apart_by_their_settings(tasks, tmp_path):
    info = describe_checkpoint(write_checkpoint(tmp_path / 'run', CONFIG)['checkpoint'])
    keep = ClassifierFolder(tmp_path / 'kept', 'work_dirs/net, seed 0', info, 16)
    lines = []

    def whole(setting):
        protocol = TransferProtocol((setting, ), runs=2, batch_size=8, size=16, frozen=True)
        return Transfer(tasks, protocol, RunStore(tmp_path / 'runs'), 'cpu', lines.append)(info.build_encoder(), keep)

    result = whole(FAST)
    assert result['validation'] == dict(a={}, b={}, c={}) and len(lines) == 6
    for task in tasks:  # a classifier of images, though only its head was trained
        path, = (tmp_path / 'kept').glob(f'work_dirs_net_seed_0_{task.name}-*.pth')
        right = accuracy(LoadedClassifier(path).net, *task.load('test', 16), torch.device('cpu'))
        assert right == result['accuracies'][task.name][0]
    assert whole(FAST) == result and len(lines) == 6
    path.unlink()
    assert whole(FAST) == result and path.is_file() and len(lines) == 7
    whole(SLOW)
    assert len(lines) == 13 and len(list((tmp_path / 'kept').iterdir())) == 6


def test_tasks_need_names_of_their_own(tasks):
    with pytest.raises(ValueError, match='two tasks are called a: name one of them, as in NAME=FOLDER'):
        Transfer([*tasks, tasks[0]])
