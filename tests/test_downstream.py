"""From a published file to a tested classifier, with our configs and with MMAction2's own; checked by value."""

from pathlib import Path

import mmaction
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from .checkpoint_files import write_checkpoint
from .scripts import load_tool
from .videos import moving_frames, write_video

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
STOCK_CONFIG = (Path(mmaction.__file__).parent
                / '.mim/configs/recognition/slowonly/slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py')
PRETRAINING = '''
model = dict(
    type='IBoot',
    backbone=dict(type='SlowResNet', depth={depth}, base_channels={channels}),
    feature_dim={width},
    teacher=dict(type='PatchMeanTeacher', width=8),
    target_norm='standardize')
val_dataloader = dict(dataset=dict(pipeline=[
    dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=2, test_mode=True),
    dict(type='CropViews', size=48, short_side=48, test_mode=True)]))
'''


class Snapshot(Hook):
    """What the network holds when the first batch comes."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 0:
            self.state = {key: value.clone() for key, value in runner.model.state_dict().items()}


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> Path:
    """Five small videos and lists of them: with two labels, and with one."""
    folder = tmp_path_factory.mktemp('videos')
    for number in range(5):
        write_video(folder / f'{number}.mp4', moving_frames(24, 48, 56, seed=number))
    (folder / 'train.txt').write_text(''.join(f'{number}.mp4 {number % 2} {number % 3}\n' for number in range(4)))
    (folder / 'single.txt').write_text(''.join(f'{number}.mp4 {number % 2}\n' for number in range(4)))
    (folder / 'test.txt').write_text(''.join(f'{number}.mp4 {number % 2} 0\n' for number in range(5)))
    return folder


def published(folder: Path, depth: int, channels: int) -> tuple[Path, dict]:
    """A published file and the weights of its backbone, drawn so that none is a fresh network's."""
    width = channels * (8 if depth == 18 else 32)
    trained = write_checkpoint(folder, PRETRAINING.format(depth=depth, channels=channels, width=width))
    content = torch.load(trained['checkpoint'], weights_only=True)
    for value in content['state_dict'].values():
        if value.is_floating_point():
            value.add_(torch.rand(value.shape, generator=torch.Generator().manual_seed(1)) * .1)
    torch.save(content, trained['checkpoint'])
    _, whole = load_tool('convert/publish').publish(trained['checkpoint'], folder / 'published', trained['config'])
    return whole, {key: value for key, value in content['state_dict'].items() if key.startswith('backbone.')}


def small(name: str, videos: Path, work_dir: Path, **changes) -> Config:
    cfg = Config.fromfile(CONFIGS / f'mini/downstream/{name}.py')
    for split, list_file in (('train', 'train.txt'), ('val', 'test.txt'), ('test', 'test.txt')):
        loader = cfg[f'{split}_dataloader']
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        loader.dataset.update(root=str(videos), ann_file=str(videos / list_file))
    cfg.merge_from_dict(dict(
        work_dir=str(work_dir), train_cfg=dict(max_epochs=1, global_batch=2, val_interval=1),
        optim_wrapper=dict(optimizer=dict(lr=.01)), param_scheduler=None, experiment_name=work_dir.name,
        model=dict(backbone=dict(base_channels=4), cls_head=dict(in_channels=32, num_classes=2)), **changes))
    return cfg


def train(cfg: Config) -> tuple[Runner, dict, str]:
    """Trains; returns the runner, the state before its first step, and its log."""
    runner, snapshot = Runner.from_cfg(cfg), Snapshot()
    runner.register_hook(snapshot, priority='VERY_HIGH')
    runner.train()
    return runner, snapshot.state, next(Path(cfg.work_dir).glob('*/*.log')).read_text()


@pytest.mark.parametrize('name', ['finetune_digits', 'linear_digits'])
def test_our_configs_start_from_a_published_file(name, videos, tmp_path):
    file, weights = published(tmp_path, 18, 4)
    runner, before, log = train(small(name, videos, tmp_path / 'run', load_from=str(file)))
    assert f'Starting weights: from {file}, {len(weights)} of {len(weights)} tensors of the backbone; new: ' in log
    for key, value in weights.items():
        assert torch.equal(before[key], value), key
    after = runner.model.state_dict()
    changed = {key for key in weights if not torch.equal(after[key], weights[key])}
    assert not changed if name == 'linear_digits' else len(changed) > len(weights) / 2
    assert '1 x 2 x 1 = 2 videos per step' in log and 'differs from the paper' not in log
    assert ('BN sees' in log) == (name == 'finetune_digits')
    metrics = runner.test()
    assert metrics['acc/unreadable'] == 0 and 0 <= metrics['acc/top1'] <= 1


def test_a_tenth_of_the_labels_at_mini_size(tmp_path):
    cfg = Config.fromfile(CONFIGS / 'mini/downstream/semi_digits.py')
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler[0].end, cfg.param_scheduler[1].end) == (40, 4, 40)
    (tmp_path / 'a.mp4').touch()
    (tmp_path / 'train.txt').write_text('a.mp4 3 0\na.mp4 3 1\na.mp4 5 1\n' * 5)
    load_tool('data/make_subset').make(tmp_path / 'train.txt', tmp_path / 'train_10pct.txt', .1,
                                       labels=('digit', 'motion'))
    dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, root=str(tmp_path)))
    assert sorted(dataset.get_data_info(i)['labels']['digit'] for i in range(len(dataset))) == [3, 5]


def test_from_scratch_the_log_says_so(videos, tmp_path):
    _, _, log = train(small('finetune_digits', videos, tmp_path / 'run'))
    assert 'Starting weights: random (from scratch)' in log


def test_a_checkpoint_of_another_depth_and_a_head_of_other_classes_stop_it(videos, tmp_path):
    file, _ = published(tmp_path, 50, 4)
    with pytest.raises(ValueError, match='does not fit the backbone of the config .*another depth'):
        train(small('finetune_digits', videos, tmp_path / 'a', load_from=str(file)))
    cfg = small('finetune_digits', videos, tmp_path / 'b')
    cfg.model.cls_head.num_classes = 10
    with pytest.raises(ValueError, match=r'has 2 classes .*cls_head.num_classes is 10: set it to 2'):
        train(cfg)


def test_a_stock_config_with_load_from_alone(videos, tmp_path):
    """MMAction2's SlowOnly R50 recipe on its own pipeline: decord, resized to 256 and cropped to 224."""
    pytest.importorskip('decord')
    file, weights = published(tmp_path, 50, 4)
    cfg = Config.fromfile(STOCK_CONFIG)
    cfg.merge_from_dict(dict(
        custom_imports=dict(imports=['iboot_mm']), load_from=str(file),  # all that a user adds
        model=dict(backbone=dict(base_channels=4, pretrained=None), cls_head=dict(in_channels=128, num_classes=2)),
        train_dataloader=dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(
            ann_file=str(videos / 'single.txt'), data_prefix=dict(video=str(videos)), indices=2)),
        work_dir=str(tmp_path / 'run'), train_cfg=dict(max_epochs=1), experiment_name=tmp_path.name))
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    runner, before, _ = train(cfg)
    assert runner.iter == 1
    assert {key for key in before if key.startswith('backbone.')} == set(weights)
    for key, value in weights.items():
        assert torch.equal(before[key], value), key
    assert not torch.equal(runner.model.backbone.conv1.conv.weight, weights['backbone.conv1.conv.weight'])
