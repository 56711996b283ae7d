import argparse

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from iboot_mm.weights.state_dicts import load_strictly, misfits, read_state_dict


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
        with pytest.raises(ValueError, match=name) as error:
            read_state_dict(tmp_path / name)
        assert 'weights_only' not in str(error.value)  # torch advises to run what is in the file
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


def test_misfits_forgive_only_counters():
    own = {'a': torch.zeros(2), 'bn.num_batches_tracked': torch.zeros(()), 'b': torch.zeros(3)}
    assert list(misfits(own, {'a': torch.zeros(2), 'b': torch.zeros(3)})) == []
    assert list(misfits(own, {'a': torch.zeros(2), 'b': torch.zeros(3), 'c': torch.zeros(1)}, '')) == [
        'it has c besides']
    assert list(misfits(own, {'a': torch.zeros(4)})) == ['a is (4,) there and (2,) here', 'it has no b']
