import urllib.error
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from iboot_mm.weights import downloads
from iboot_mm.weights.downloads import fetch_from_hub, fetch_url, local_copy


def refuse(*args, **kwargs):
    raise urllib.error.URLError('Name or service not known')


def test_url_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(downloads.urllib.request, 'urlopen', refuse)
    url = 'https://example.org/models/swav.pth.tar'
    with pytest.raises(ConnectionError) as error:
        fetch_url(url)
    assert all(part in str(error.value) for part in ('swav.pth.tar', url, 'URLError', "checkpoint='PATH/swav.pth.tar'"))
    assert '\n' not in str(error.value) and error.value.__cause__ is None
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints' / 'swav.pth.tar').touch()
    assert fetch_url(url) == tmp_path / 'checkpoints' / 'swav.pth.tar'  # what is there needs no network


class Hub:
    """The hub's client with nothing, something or all within reach."""

    def __init__(self, monkeypatch, cached=(), online=None):
        self.cached, self.online, self.asked = cached, online, []
        monkeypatch.setattr(huggingface_hub, 'hf_hub_download', self.download)
        monkeypatch.setattr(huggingface_hub, 'get_session', lambda: self)

    def head(self, url, timeout):
        assert timeout == downloads.NETWORK_TIMEOUT
        if self.online is None:
            raise OSError('[Errno -2] Name or service not known\nand a long story')

    def download(self, repo_id, filename, local_files_only=False):
        self.asked.append((filename, local_files_only))
        if filename in self.cached:
            return f'/cache/{filename}'
        if local_files_only:
            raise LocalEntryNotFoundError('not cached')
        if filename in self.online:
            return f'/downloaded/{filename}'
        raise EntryNotFoundError('no such file')


def test_hub_without_network_says_what_to_do_at_once(monkeypatch):
    hub = Hub(monkeypatch)
    with pytest.raises(ConnectionError) as error:
        fetch_from_hub('timm/some_model', ['model.safetensors', 'pytorch_model.bin'])
    for part in (
        'model.safetensors',
        'https://huggingface.co/timm/some_model',
        'OSError',
        "checkpoint='PATH/model.safetensors'",
    ):
        assert part in str(error.value)
    assert '\n' not in str(error.value) and error.value.__cause__ is None
    assert all(local for _, local in hub.asked)  # no download that would retry for a minute was begun


def test_hub_prefers_the_cache_and_then_the_first_file_there_is(monkeypatch):
    Hub(monkeypatch, cached=('b',))
    assert str(fetch_from_hub('timm/some_model', ['a', 'b'])) == '/cache/b'
    Hub(monkeypatch, online=('b',))
    assert str(fetch_from_hub('timm/some_model', ['a', 'b'])) == '/downloaded/b'
    Hub(monkeypatch, online=())
    with pytest.raises(ConnectionError, match='EntryNotFoundError'):
        fetch_from_hub('timm/some_model', ['a', 'b'])


def test_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, 'fetch_url', lambda url: tmp_path / url.rsplit('/', 1)[-1])
    assert local_copy('some/file.pth') == Path('some/file.pth')
    assert local_copy('https://example.org/a.pth') == tmp_path / 'a.pth'
    assert local_copy('torchvision://resnet50').name.startswith('resnet50-')
    with pytest.raises(ValueError, match="no weights 'resnet51'"):
        local_copy('torchvision://resnet51')


def test_a_file_that_is_not_what_its_name_says_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    for name, kept in (('a-00000000.pth', False), ('a-e3b0c442.pth', True), ('a.pth', True)):  # of an empty file
        (tmp_path / name).touch()
        if kept:
            assert downloads.fetch_url((tmp_path / name).as_uri()).is_file()
        else:
            with pytest.raises(ConnectionError, match='a-00000000.pth .*invalid hash'):
                downloads.fetch_url((tmp_path / name).as_uri())
        assert (tmp_path / 'hub' / 'checkpoints' / name).is_file() is kept
