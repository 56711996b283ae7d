"""Each upstream fault that compat mends: the fault shows without it, and is gone with it."""

import importlib.util
import json
import os
import pickle
import socket
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.visualization import LocalVisBackend
from mmengine.config import Config
from mmengine.dist import init_dist
from mmengine.hooks import LoggerHook
from mmengine.logging import HistoryBuffer, MMLogger
from mmengine.model import BaseModule, convert_sync_batchnorm, revert_sync_batchnorm
from mmengine.runner import load_checkpoint, runner
from mmengine.utils import get_installed_path, is_installed
from packaging.version import Version
from torch import distributed as dist
from torch import nn

from iboot_mm import compat
from iboot_mm.compat import configs, versions


def slow_r18(**kwargs):
    return MODELS.build(dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, lateral=False, **kwargs))


@pytest.mark.parametrize('package, found, message', [
    ('torch', '2.5.1', r"torch 2\.5\.1 .*pip install 'torch>=2\.6'"),
    ('mmengine', '0.10.6', r"mmengine 0\.10\.6 .*pip install 'mmengine>=0\.10\.7'"),
    ('mmcv', '2.2.0', r"mmcv 2\.2\.0 .*pip install 'mmcv>=2\.0\.0,<2\.2\.0'"),
    ('mmaction2', None, r"needs mmaction2: pip install 'mmaction2>=1\.2\.0"),
])
def test_unsupported_versions_say_what_to_install(monkeypatch, package, found, message):
    real = versions.installed_version
    monkeypatch.setattr(versions, 'installed_version', lambda name: (
        (Version(found) if found else None) if name == package else real(name)))
    with pytest.raises(ImportError, match=message):
        compat.check_versions()


def test_local_builds_count_as_their_version(monkeypatch):
    monkeypatch.setattr(versions, 'installed_version', lambda name: Version(
        {'torch': '2.14.1+cu130', 'mmengine': '0.10.7', 'mmaction2': '1.2.0', 'mmcv': '2.1.0'}.get(name, '2.1.0')))
    compat.check_versions()


def test_neither_mmcv(monkeypatch):
    real = versions.installed_version
    monkeypatch.setattr(versions, 'installed_version', lambda name: None if name.startswith('mmcv') else real(name))
    with pytest.raises(ImportError, match='needs mmcv or mmcv-lite: pip install'):
        compat.check_versions()


def test_apply_twice_changes_nothing():
    from mmengine.runner import checkpoint
    once = checkpoint.load_state_dict, Config._get_cfg_path
    compat.apply()
    assert (checkpoint.load_state_dict, Config._get_cfg_path) == once


def test_recognizers_build_though_the_wheel_lacks_drn():
    import mmaction.models.localizers
    assert hasattr(mmaction.models.localizers, 'DRN')


@pytest.mark.skipif(importlib.util.find_spec('mmcv._ext') is not None, reason='mmcv with its operators never warns')
def test_mmcv_still_warns_of_an_operator_that_nothing_uses():
    """Which no start with us does, see test_configs.py; mmpretrain's import is one that reaches this module."""
    code = 'import mmcv.cnn.bricks.transformer'
    done = subprocess.run([sys.executable, '-W', 'default', '-c', code], capture_output=True, text=True, check=True)
    assert 'MultiScaleDeformableAttention' in done.stderr


@pytest.mark.parametrize('name, there', [('mmaction2', True), ('mmaction', True), ('json', True), ('no_such', False)])
def test_packages_are_found_without_pkg_resources(monkeypatch, name, there):
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)  # what setuptools 82 does
    assert is_installed(name) is there
    if there and name != 'json':
        assert os.path.basename(get_installed_path(name)) == 'mmaction'


def test_base_of_mmaction(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)
    config = tmp_path / 'config.py'
    config.write_text("_base_ = 'mmaction::_base_/default_runtime.py'\n")
    assert Config.fromfile(config).default_scope == 'mmaction'


@pytest.mark.parametrize('name', ['_base_/default_runtime.py', 'top_level.py'])
def test_base_of_our_own(monkeypatch, tmp_path, name):
    folder = tmp_path / 'configs'
    (folder / '_base_').mkdir(parents=True)
    (folder / name).write_text("hooks = dict(type='EpochSeedHook')\n")
    monkeypatch.setattr(configs, 'configs_folder', lambda: folder)
    config = tmp_path / 'mine.py'
    config.write_text(f"_base_ = 'iboot_mm::{name}'\n")
    assert Config.fromfile(config).hooks.type == 'EpochSeedHook'
    config.write_text("_base_ = 'iboot_mm::missing/file.py'\n")
    with pytest.raises(FileNotFoundError, match='missing/file.py'):
        Config.fromfile(config)


def test_configs_folder_is_the_checkouts():
    assert (compat.configs_folder() / '_base_').is_dir()


def test_history_buffers_load_with_weights_only(tmp_path):
    buffer = HistoryBuffer([1., 2., 4.], [1, 1, 1])
    for statistic in ('min', 'max', 'mean', 'current'):
        buffer.statistics(statistic)
    torch.save(dict(buffer=buffer, best=np.float64(.5)), tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth')
    np.testing.assert_array_equal(loaded['buffer'].data[0], [1., 2., 4.])
    assert loaded['buffer'].mean() == pytest.approx(7 / 3) and loaded['best'] == .5


class Reaches:
    """Pickles as ``getattr(owner, name)``, with whatever owner a crafted file names."""

    def __init__(self, owner, name):
        self.arguments = owner, name

    def __reduce__(self):
        return getattr, self.arguments


class Runs:
    """Pickles as a call of ``os.system``."""

    def __reduce__(self):
        return os.system, ('true',)


@pytest.mark.parametrize('owner, name', [
    (HistoryBuffer, '__init__'), (HistoryBuffer, 'update'), (HistoryBuffer, '__reduce__'), (np.ndarray, '__class__'),
    (HistoryBuffer, '_statistics_methods'), (HistoryBuffer, '__globals__')])
def test_getattr_reaches_nothing_but_the_statistics(tmp_path, owner, name):
    torch.save(dict(x=Reaches(owner, name)), tmp_path / 'crafted.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'crafted.pth')


class OverwritesGlobal:
    """Pickles as ``getattr(HistoryBuffer.min, '__globals__')['np'] = 'overwritten'``."""

    def __reduce__(self):
        return getattr, (HistoryBuffer.min, '__globals__'), None, None, iter([('np', 'overwritten')])


def test_a_file_that_writes_a_module_global_is_refused(tmp_path):
    from mmengine.logging import history_buffer
    torch.save(dict(x=OverwritesGlobal()), tmp_path / 'crafted.pth')
    with pytest.raises(RuntimeError, match=r"crafted\.pth was not loaded: .*asked for the attribute '__globals__'"):
        load_checkpoint(nn.Linear(1, 1), str(tmp_path / 'crafted.pth'))
    assert history_buffer.np is np


def test_a_file_with_code_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict={}, x=Runs()), path)
    with pytest.raises(RuntimeError, match=r'evil\.pth was not loaded: .*could run code \(GLOBAL \S*system\)') as info:
        load_checkpoint(nn.Linear(1, 1), str(path))
    assert len(str(info.value).splitlines()) == 1


def test_half_a_file_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / 'half.pth'
    torch.save(nn.Linear(100, 100).state_dict(), path)
    whole = path.read_bytes()
    for length in (0, 100, 20_000, len(whole) - 10):
        path.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match=r'half\.pth is cut off'):
            load_checkpoint(nn.Linear(100, 100), str(path))


def test_weights_that_match_nothing_are_an_error(tmp_path):
    path = tmp_path / 'other.pth'
    torch.save({'encoder.w': torch.zeros(3)}, path)
    with pytest.raises(RuntimeError, match=r"other\.pth: none of its 1 weights fits Linear .*'encoder.w' \(3,\)"):
        load_checkpoint(nn.Linear(2, 2), str(path))
    torch.save({'weight': torch.zeros(5, 5)}, path)  # right name, wrong shape
    with pytest.raises(RuntimeError, match='none of its 1 weights fits'):
        load_checkpoint(nn.Linear(2, 2), str(path))
    torch.save({'weight': torch.ones(2, 2), 'more': torch.zeros(1)}, path)  # a part is enough
    linear = nn.Linear(2, 2)
    load_checkpoint(linear, str(path))
    assert (linear.weight == 1).all()


def test_init_cfg_that_matches_nothing_is_an_error(tmp_path):
    path = tmp_path / 'other.pth'
    torch.save({'backbone.other': torch.zeros(3)}, path)

    class Net(BaseModule):
        def __init__(self, **config):
            super().__init__(init_cfg=dict(type='Pretrained', checkpoint=str(path), **config))
            self.fc = nn.Linear(2, 2)

    for config in (dict(), dict(prefix='backbone.')):
        with pytest.raises(RuntimeError, match=r'other\.pth: none of its 1 weights'):
            Net(**config).init_weights()


@pytest.mark.parametrize('prefix', ['', 'backbone.', 'module.encoder_q.'])
def test_inflation_takes_the_names_of_torchvision_and_mmpretrain(tmp_path, prefix):
    flat = {}
    for name, value in slow_r18().state_dict().items():
        name = name.replace('downsample.conv', 'downsample.0').replace('downsample.bn', 'downsample.1')
        for i in '12':
            name = name.replace(f'conv{i}.conv', f'conv{i}').replace(f'conv{i}.bn', f'bn{i}')
        flat[prefix + name] = torch.randn(*value.shape[:2], *value.shape[3:]) if value.ndim == 5 else value
    path = tmp_path / 'flat.pth'
    torch.save(flat, path)
    net = slow_r18(pretrained=str(path))
    net.init_weights()
    weight = net.layer4[0].conv1.conv.weight  # inflated: each of its T slices holds a T-th of the 2D kernel
    expected = flat[f'{prefix}layer4.0.conv1.weight']
    torch.testing.assert_close(weight.sum(dim=2), expected, rtol=1e-5, atol=1e-6)


def test_inflation_that_matches_nothing_is_an_error(tmp_path):
    path = tmp_path / 'net3d.pth'
    torch.save(slow_r18().state_dict(), path)
    with pytest.raises(RuntimeError, match=r'net3d\.pth: none of its weights .* pretrained2d=False'):
        slow_r18(pretrained=str(path)).init_weights()
    net = slow_r18(pretrained=str(path), pretrained2d=False)
    net.init_weights()
    torch.testing.assert_close(net.conv1.conv.weight, torch.load(path)['conv1.conv.weight'], rtol=0, atol=0)


def test_train_returns_the_network():
    for config in (dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, lateral=False),
                   dict(type='C3D'), dict(type='ResNet', depth=18)):
        net = MODELS.build(config)
        assert net.eval() is net and not net.training
        assert net.train() is net and net.training


@pytest.mark.skipif(torch.cuda.is_available(), reason='for machines without a GPU')
@pytest.mark.parametrize('launcher', ['pytorch', 'mpi'])
def test_processes_start_without_a_gpu(monkeypatch, launcher):
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port = sock.getsockname()[1]
    for name, value in dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=port, RANK=0, LOCAL_RANK=0, WORLD_SIZE=1,
                            OMPI_COMM_WORLD_LOCAL_RANK=0, OMPI_COMM_WORLD_SIZE=1, OMPI_COMM_WORLD_RANK=0).items():
        monkeypatch.setenv(name, str(value))
    set_device = torch.cuda.set_device
    init_dist(launcher, backend='nccl')  # as a stock config says
    try:
        assert dist.get_backend() == 'gloo'
    finally:
        dist.destroy_process_group()
    assert torch.cuda.set_device is set_device


@pytest.mark.parametrize('config, shape', [
    (dict(type='ResNet3dSlowOnly', depth=18, base_channels=4, lateral=False), (2, 3, 2, 32, 32)),
    (dict(type='MobileNetV2', widen_factor=.1), (2, 3, 64, 64)),
    (dict(type='FrameResNetV2', layers=(2, 1), channels=(16, 32), stem_chs=8), (4, 3, 32, 32))])
def test_recomputed_blocks_count_a_batch_once(config, shape, recwarn):
    torch.manual_seed(0)
    plain, frugal = (MODELS.build(dict(config, with_cp=with_cp)) for with_cp in (False, True))
    frugal.load_state_dict(plain.state_dict())
    clips = torch.rand(shape)
    calls = Counter()
    for module in frugal.modules():
        module.register_forward_hook(lambda module, *_: calls.update([module]))
    for network in (plain.train(), frugal.train()):
        network(clips).square().mean().backward()
    assert max(calls.values()) == 2  # memory is saved: blocks ran again in the backward pass
    for (name, one), (_, other) in zip(plain.named_buffers(), frugal.named_buffers(), strict=True):
        assert torch.equal(one, other), name
    for one, other in zip(plain.parameters(), frugal.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
    assert not [w for w in recwarn if 'use_reentrant' in str(w.message)]


@pytest.mark.parametrize('config, shape', [
    (dict(type='SlowResNet', depth=18, base_channels=4), (2, 3, 2, 32, 32)),
    (dict(type='FrameResNetV2', layers=(2, 1), channels=(16, 32), stem_chs=8), (4, 3, 32, 32))])
def test_recomputed_blocks_compile(config, shape):
    torch.manual_seed(0)
    plain, compiled = (MODELS.build(dict(config, with_cp=with_cp)).train() for with_cp in (False, True))
    compiled.load_state_dict(plain.state_dict())
    clips = torch.rand(shape)
    torch.compiler.reset()
    for network in (plain, torch.compile(compiled, backend='aot_eager', fullgraph=True)):
        network(clips).square().mean().backward()
    for one, other in zip(plain.buffers(), compiled.buffers(), strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_sync_bn_of_timm_keeps_its_activation():
    torch.manual_seed(0)
    network = MODELS.build(dict(type='FrameResNetV2', layers=(1, 1), channels=(16, 32), stem_chs=8)).eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        maps = network(images)
        synchronised = convert_sync_batchnorm(network, 'torch').eval()
        assert any(isinstance(module, nn.SyncBatchNorm) for module in synchronised.modules())
        assert torch.equal(synchronised(images), maps)  # evaluated, SyncBN runs on a CPU, too
        reverted = revert_sync_batchnorm(synchronised)
        assert not any(isinstance(module, nn.SyncBatchNorm) for module in reverted.modules())
        assert torch.equal(reverted(images), maps)
    assert runner.convert_sync_batchnorm is convert_sync_batchnorm
    assert runner.revert_sync_batchnorm is revert_sync_batchnorm


@pytest.mark.parametrize('rank', [0, 1])
def test_results_of_a_test_are_written_by_one_process(tmp_path, monkeypatch, rank):
    monkeypatch.setattr('mmengine.dist.utils.get_rank', lambda group=None: rank)
    hook = LoggerHook()
    hook.json_log_path = 'results.json'
    runner = SimpleNamespace(
        log_dir=str(tmp_path), logger=MMLogger.get_instance('results'), test_dataloader=[],
        log_processor=SimpleNamespace(get_log_after_epoch=lambda *args, **kwargs: ({'acc/top1': .5}, '')))
    hook.after_test_epoch(runner)
    written = tmp_path / 'results.json'
    assert written.exists() == (rank == 0)
    assert rank or json.loads(written.read_text()) == {'acc/top1': .5}


@pytest.mark.parametrize('kind', ['gif', 'video'])
def test_moviepys_version_is_named(tmp_path, monkeypatch, kind):
    monkeypatch.setitem(sys.modules, 'moviepy.editor', None)  # as of moviepy 2, and of none
    backend = LocalVisBackend(str(tmp_path))
    frames = np.zeros((2, 16, 16, 3), np.uint8)
    with pytest.raises(ImportError, match="pip install 'moviepy<2'"):
        backend.add_video('a', frames, out_type=kind)
    backend.add_video('a', frames)
    assert len(list(tmp_path.rglob('*.png'))) == 2
