"""`iboot_mm.load`: the features of videos, whatever the checkpoint comes in."""

import json
import shutil
import warnings
from collections import OrderedDict
from pathlib import Path

import huggingface_hub
import pytest
import safetensors.torch
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

import iboot_mm
from iboot_mm.checkpoints.description import describe_checkpoint

from .checkpoint_files import write_checkpoint
from .scripts import load_tool
from .shards import write_tar
from .videos import cut, moving_frames, write_video

export_hub = load_tool('convert/export_hub')
publish = load_tool('convert/publish')
NAMES = ['a.mp4', 'b/c.mp4', 'b/d.mp4']


@pytest.fixture(autouse=True)
def plain_python(monkeypatch) -> None:
    """As in a session of one's own: no launcher has set MMAction2's scope."""
    monkeypatch.setattr(DefaultScope, '_instance_dict', OrderedDict())


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> dict:
    return write_checkpoint(tmp_path_factory.mktemp('run'))


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('videos')
    (folder / 'b').mkdir()
    for seed, name in enumerate(NAMES):
        write_video(folder / name, moving_frames(12 + 8 * seed, seed=seed))
    return folder


def reference(trained: dict, videos: Path) -> torch.Tensor:
    """Features by the data set, the pipeline of the config, and the model's own test step."""
    config = Config.fromfile(trained['config'])
    with DefaultScope.overwrite_default_scope('mmaction'):
        dataset = DATASETS.build(dict(config.val_dataloader.dataset.datasets[0], root=str(videos)))
    encoder = describe_checkpoint(trained['checkpoint']).build_encoder()
    samples = encoder.test_step(pseudo_collate([dataset[i] for i in range(len(dataset))]))
    return torch.stack([sample.feature for sample in samples])


@pytest.mark.parametrize('options', [{}, dict(batch_size=2), dict(num_workers=1, batch_size=1)])
def test_features_are_those_of_the_model_s_own_evaluation(trained, videos, options):
    extract = iboot_mm.load(trained['checkpoint'].parent, device='cpu', **options)
    features = extract(videos)
    assert (features.shape, features.dtype, features.requires_grad) == ((3, 64), torch.float32, False)
    torch.testing.assert_close(features, reference(trained, videos), atol=1e-6, rtol=1e-5)
    assert features.std(dim=0).max() > 1e-4  # the videos are told apart


def test_rows_are_the_listed_files(trained, videos):
    extract = iboot_mm.load(trained['checkpoint'], trained['config'], device='cpu')
    files = extract.files(videos)
    assert files == [str(videos / name) for name in NAMES]
    whole = extract(str(videos))
    torch.testing.assert_close(extract(files[1])[0], whole[1], atol=1e-6, rtol=1e-5)
    mixed = [videos / 'b', files[0]]  # a list keeps its order
    assert extract.files(mixed) == [files[1], files[2], files[0]]
    shard = write_tar(f'{videos}.tar', {'0.mp4': Path(files[0]).read_bytes()})
    torch.testing.assert_close(extract(f'{shard}/0.mp4'), extract(files[0]), rtol=0, atol=0)
    torch.testing.assert_close(extract(mixed), whole[[1, 2, 0]], atol=1e-6, rtol=1e-5)


def test_several_clips_are_averaged(trained, videos):
    path = str(videos / NAMES[2])
    extract = iboot_mm.load(trained['checkpoint'], num_clips=3, device='cpu')
    views = extract.pipeline(dict(filename=path, sample_idx=0))['inputs']  # (V, C, T, H, W)
    assert views.shape == (3, 3, 4, 32, 32) and not torch.equal(views[0], views[2])
    with torch.no_grad():
        expected = torch.stack([extract.model.extract_feat(view[None] / 255).mean(1)[0] for view in views]).mean(0)
    torch.testing.assert_close(extract(path)[0], expected, atol=1e-6, rtol=1e-5)


def test_an_unreadable_video_is_a_row_of_nan_and_one_warning(trained, videos, tmp_path):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'no video')
    short = cut(videos / NAMES[0], tmp_path / 'cut.mp4', .1)
    extract = iboot_mm.load(trained['checkpoint'], device='cpu', batch_size=2)
    with pytest.warns(UserWarning, match='features are NaN') as caught:
        features = extract([broken, short, videos / NAMES[0]])
    told = [str(warning.message) for warning in caught if 'NaN' in str(warning.message)]
    assert len(told) == 2 and 'broken.mp4' in told[0] and 'cut.mp4' in told[1]
    assert features[:2].isnan().all()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        torch.testing.assert_close(features[2:], extract(videos / NAMES[0]), atol=1e-6, rtol=1e-5)


def test_published_files_give_the_same_features(trained, videos, tmp_path):
    expected = iboot_mm.load(trained['checkpoint'], device='cpu')(videos)
    for path in publish.publish(trained['checkpoint'], tmp_path, trained['config']):
        assert torch.equal(iboot_mm.load(path, device='cpu')(videos), expected)


def test_another_width_than_the_config_s_is_said(trained, videos, tmp_path):
    config = tmp_path / 'narrow.py'
    config.write_text(trained['config'].read_text().replace('feature_dim=64', 'feature_dim=32'))
    with pytest.raises(ValueError, match='gives features of width 64, but narrow.py says 32'):
        iboot_mm.load(trained['checkpoint'], config, device='cpu')(videos / NAMES[0])


class Hub:
    """The hub's client with one repository, or out of reach; its local cache is empty."""

    def __init__(self, monkeypatch, folder: Path | None) -> None:
        self.folder = folder
        monkeypatch.setattr(huggingface_hub, 'snapshot_download', self.download)
        monkeypatch.setattr(huggingface_hub, 'get_session', lambda: self)

    def head(self, url: str, timeout: float) -> None:
        if self.folder is None:
            raise OSError('[Errno -2] Name or service not known')

    def download(self, repo_id: str, allow_patterns: list[str], local_files_only: bool = False) -> str:
        assert (repo_id, allow_patterns) == ('user/net', ['config.json', 'model.safetensors'])
        if local_files_only:
            raise LocalEntryNotFoundError('not cached')
        return str(self.folder)


def test_an_exported_folder_gives_the_same_features_by_path_and_by_name(trained, videos, tmp_path, monkeypatch):
    path = videos / NAMES[0]
    expected = iboot_mm.load(trained['checkpoint'], device='cpu')(path)
    folder = export_hub.export(trained['checkpoint'], tmp_path / 'net', trained['config'])
    assert torch.equal(iboot_mm.load(folder, device='cpu')(path), expected)
    monkeypatch.chdir(tmp_path)  # where there is no user/net
    with monkeypatch.context() as patch:
        Hub(patch, folder)
        assert torch.equal(iboot_mm.load('user/net', device='cpu')(path), expected)
    cache = tmp_path / 'cache' / 'models--user--net'  # as the hub's client lays it out
    shutil.copytree(folder, cache / 'snapshots' / '1a2b')
    (cache / 'refs').mkdir()
    (cache / 'refs' / 'main').write_text('1a2b')
    monkeypatch.setattr(huggingface_hub.constants, 'HF_HUB_CACHE', str(cache.parent))
    monkeypatch.setattr(huggingface_hub.constants, 'HF_HUB_OFFLINE', True)
    assert torch.equal(iboot_mm.load('user/net', device='cpu')(path), expected)
    with pytest.raises(ConnectionError, match='no file or folder user/other here.*HF_HUB_OFFLINE is set'):
        iboot_mm.load('user/other')


def test_a_name_that_is_neither_here_nor_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Hub(monkeypatch, None)
    with pytest.raises(ConnectionError) as error:
        iboot_mm.load('user/net')
    for part in ('no file or folder user/net here', 'config.json and model.safetensors', 'Name or service not known',
                 'name their folder'):
        assert part in str(error.value)
    assert '\n' not in str(error.value)


def test_a_repository_of_another_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    repository = tmp_path / 'cache'
    repository.mkdir()
    safetensors.torch.save_file({'backbone.weight': torch.zeros(1)}, repository / 'model.safetensors')
    (repository / 'config.json').write_text(json.dumps(dict(model_type='vit')))
    Hub(monkeypatch, repository)
    with pytest.raises(ValueError, match='not one of this project'):
        iboot_mm.load('user/net')


def test_what_is_not_there_is_named(trained, tmp_path):
    extract = iboot_mm.load(trained['checkpoint'], device='cpu')
    with pytest.raises(FileNotFoundError, match='no file or folder .*nowhere.mp4'):
        extract(tmp_path / 'nowhere.mp4')
    with pytest.raises(FileNotFoundError, match='holds no video'):
        extract(tmp_path)
    with pytest.raises(FileNotFoundError, match='There is no checkpoint or folder /no/where/at/all'):
        iboot_mm.load('/no/where/at/all')
