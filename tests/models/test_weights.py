import argparse
import urllib.error

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from safetensors.torch import save_file
from torch import nn

from iboot_mm.models import weights
from iboot_mm.models.weights import fetch_from_hub, fetch_url, load_strictly, read_state_dict


@pytest.fixture
def state() -> dict:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).state_dict()


NESTINGS = {
    'bare': lambda state: state,
    'state_dict': lambda state: {'state_dict': state, 'epoch': 3},
    'model': lambda state: {'model': state, 'args': argparse.Namespace(lr=0.1)},
    'teacher': lambda state: {
        'teacher': {f'backbone.{key}': value for key, value in state.items()} | {'head.weight': torch.zeros(1)}
    },
    'module': lambda state: {f'module.{key}': value for key, value in state.items()},
    'module inside': lambda state: {
        'state_dict': {f'_orig_mod.module.backbone.{key}': value for key, value in state.items()}
    },
}


@pytest.mark.parametrize('nest', list(NESTINGS))
@pytest.mark.parametrize('suffix', ['.pth', '.pt', '.pth.tar'])
def test_nested_files(nest, suffix, state, tmp_path):
    file = tmp_path / f'weights{suffix}'
    torch.save(NESTINGS[nest](state), file)
    read = read_state_dict(file)
    assert read.keys() == state.keys()
    assert all(read[key].equal(state[key]) for key in state)


def test_safetensors_and_half_precision(state, tmp_path):
    half = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    save_file({f'module.{key}': value for key, value in half.items()}, tmp_path / 'weights.safetensors')
    read = read_state_dict(tmp_path / 'weights.safetensors')
    assert all(read[key].equal(half[key].float() if half[key].is_floating_point() else half[key]) for key in state)
    assert read['0.weight'].dtype == torch.float32 and read['1.num_batches_tracked'].dtype == torch.int64


class Payload:
    ran = False

    def __reduce__(self):
        return setattr, (Payload, 'ran', True)


def test_code_in_a_file_is_refused_and_not_run(state, tmp_path):
    torch.save({'state_dict': state, 'extra': Payload()}, tmp_path / 'evil.pth')
    with pytest.raises(ValueError, match='evil.pth.*nothing in it was executed'):
        read_state_dict(tmp_path / 'evil.pth')
    assert not Payload.ran


def test_files_that_are_no_weights(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        read_state_dict(tmp_path / 'absent.pth')
    for name in ('text.pth', 'text.safetensors', 'empty.pth'):
        (tmp_path / name).write_text('' if name == 'empty.pth' else 'these are not weights')
        with pytest.raises(ValueError, match=name):
            read_state_dict(tmp_path / name)
    torch.save({'epoch': 3}, tmp_path / 'none.pth')
    with pytest.raises(ValueError, match='none.pth holds no weights'):
        read_state_dict(tmp_path / 'none.pth')


def test_strict_loading_names_what_is_wrong_and_changes_nothing(state):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    wrong = dict(state, **{'0.bias': torch.zeros(5), 'fc.weight': torch.zeros(1)})
    del wrong['1.running_mean']
    with pytest.raises(ValueError) as error:
        load_strictly(network, wrong, 'file.pth')
    for part in ('file.pth', '1 missing (1.running_mean)', '1 unexpected (fc.weight)', '0.bias (5,) instead of (4,)'):
        assert part in str(error.value)
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())
    del state['1.num_batches_tracked']
    load_strictly(network, state, 'file.pth')
    assert network[0].weight.equal(state['0.weight'])


# Without a network ----------------------------------------------------------------------------------------------------


def refuse(*args, **kwargs):
    raise urllib.error.URLError('Name or service not known')


def test_url_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(weights.urllib.request, 'urlopen', refuse)
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
        assert timeout == weights.NETWORK_TIMEOUT
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
