"""Files from elsewhere, good, bad and malicious, at every entry: nothing runs, little memory, one sentence."""

import contextlib
import copy
import json
import shutil
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mmengine.config import Config
from mmengine.runner import Runner
from safetensors.torch import load_file, save_file

from .checkpoint_files import write_checkpoint
from .engine.toy import toy_config
from .foreign_files import WEIGHTS, answer, snapshot
from .scripts import load_tool

FEW = settings(max_examples=50, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
               suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
MARKER = Path('ran')
CALL = "__import__('pathlib').Path('ran').touch()"
# Each could end the text that it stands in, name a module to import, or ask for more memory than there is.
WORDS = [f"a': {CALL}, 'b", f'"; {CALL}; "', f"'\n{CALL}\n'", f'{{{{ {CALL} }}}}', '{{ fileDirname }}', '_scope_',
         '_base_', '_delete_', 'foreign', 'foreign.registry', 'foreign.py', 'pathlib.Path', 'builtins.eval',
         'hf-hub:a/b', '../x', 'class', 'Runner', 'OpenCLIPText', '\x00', '']
VALUES = [None, True, -3, 0, 10**7, 10**30, 2.5, float('nan'), float('inf'), [], {}, [[[]]],
          {'type': 'foreign.registry'}, {'_scope_': 'foreign'}, {'type': 'BN3d', '_scope_': 'foreign'},
          dict(type='Pretrained', checkpoint='x.pth'), {'type': 'builtins.eval', 'args': CALL},
          [dict(type='TimmTeacher', _scope_='foreign', model='x')], *WORDS]
PLACES = ['backbone', 'backbone type', 'backbone depth', 'backbone base_channels', 'backbone lateral',
          'backbone init_cfg', 'backbone _scope_', 'backbone norm_cfg', 'backbone stage_blocks',
          'backbone pretrained', 'clip', 'clip size', 'clip clip_len', 'clip target_fps', 'teachers', 'feature_dim',
          'normalization', 'temporal_pool', 'target_norm', 'config', 'source', 'version', 'project', 'more']


@pytest.fixture(scope='module')
def good(tmp_path_factory) -> Path:
    """A folder of what the project writes: ``run``, ``exported`` and ``published``."""
    folder = tmp_path_factory.mktemp('good')
    run = write_checkpoint(folder / 'run')
    load_tool('convert/export_hub').export(run['checkpoint'], folder / 'exported')
    load_tool('convert/publish').publish(run['checkpoint'], folder / 'published')
    Runner.from_cfg(_toy(folder / 'toy')).train()
    return folder


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty working folder whose modules can be imported, as of one who tries a file at once; checked at the end."""
    place, elsewhere = tmp_path / 'desk', tmp_path / 'elsewhere'
    (place / 'foreign').mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / 'precious.pth').write_text('do not touch')
    for name in ('foreign/registry.py', 'foreign/__init__.py', 'foreign.py'):
        (place / name).write_text(f"__import__('pathlib').Path({str(place / MARKER)!r}).touch()\n")
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    before = snapshot(place / 'foreign'), snapshot(elsewhere), {file.name for file in place.iterdir()}
    yield place
    assert not MARKER.exists(), 'code of a file was run'
    assert before[:2] == (snapshot(place / 'foreign'), snapshot(elsewhere)), 'something beside the output has changed'
    assert {file.name for file in place.iterdir()} <= before[2] | {'files', 'out', 'videos', '__pycache__'}


def _toy(work_dir: Path, **changes) -> Config:
    return Config(toy_config(work_dir, **{'train_cfg': dict(max_epochs=2), **changes}))


def resume(path: Path, out: Path) -> None:
    """``tools/train.py CFG --resume FILE``, in this process."""
    Runner.from_cfg(_toy(out / 'run', load_from=str(path), resume=True, train_cfg=dict(max_epochs=3))).train()


def ask(name: str, desk: Path, path: Path) -> str:
    """What an entry says to a file."""
    out = desk / 'out'
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        said = answer({**WEIGHTS, 'resume': resume}[name], path, out)
    assert not MARKER.exists(), f'{name} ran code of {path}'
    return said


def put(description: dict, place: str, value: object) -> dict:
    """A description with a value at a place."""
    changed = copy.deepcopy(description)
    *parents, last = place.split(' ')
    inner = changed
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return changed


def write_folder(desk: Path, good: Path, text: str) -> Path:
    """An exported folder with another ``config.json``."""
    folder = desk / 'files' / 'exported'
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good / 'exported', folder)
    (folder / 'config.json').write_text(text)
    return folder


def write_file(desk: Path, content: object, name: str = 'foreign_weights.pth') -> Path:
    path = desk / 'files' / name
    path.parent.mkdir(exist_ok=True)
    torch.save(content, path)
    return path


def published(good: Path) -> dict:
    return torch.load(next((good / 'published').glob('my_recipe-*.pth')), weights_only=True)


DESCRIBED = ['load', 'evaluate', 'publish', 'export_hub', 'search_videos', 'transfer', 'pyslowfast_reverse']


@FEW
@given(place=st.sampled_from(PLACES), value=st.sampled_from(VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WORDS, 'type', 'a']), inner),
    max_leaves=6), name=st.sampled_from(DESCRIBED), as_folder=st.booleans())
def test_generated_descriptions_are_taken_as_data_or_refused(good, desk, place, value, name, as_folder):
    description = put(json.loads((good / 'exported' / 'config.json').read_text()), place, value)
    if as_folder:
        path = write_folder(desk, good, json.dumps(description))
    else:
        path = write_file(desk, dict(meta=description, state_dict=load_file(good / 'exported' / 'model.safetensors')))
    ask(name, desk, path)


@pytest.mark.parametrize('text', ['[' * 200_000 + ']' * 200_000, '[1, 2]', '', '{"cut', 'null', '{"project": 1e999}',
                                  '{"project": ' + '1' * 5000 + '}', '\x00', '{"project": "iBoot-MM"}'])
def test_texts_that_are_no_description(good, desk, text):
    folder = write_folder(desk, good, text)
    for name in ('load', 'evaluate', 'export_hub'):
        assert 'config.json' in ask(name, desk, folder)


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def doubled(times: int) -> list:
    value: list = [1]
    for _ in range(times):
        value = [value, value]  # 2^times parts, of which each is stored once
    return value


@pytest.mark.parametrize('value', [nested(300), doubled(60)], ids=['deep', 'doubled'])
def test_descriptions_that_would_never_be_walked_through(good, desk, value):
    content = published(good)
    content['meta']['backbone']['norm_cfg'] = value
    assert 'parts' in ask('load', desk, write_file(desk, content))


KEY = 'backbone.conv1.conv.weight'
STATES = dict(
    stride_zero=lambda state: {**state, KEY: torch.zeros(1).expand(2_000_000, 2_000_000)},
    many_names_of_one_memory=lambda state: {
        **state, **{f'backbone.{i}': torch.zeros(1).expand(1 << 22) for i in range(99)}},
    no_values=lambda state: {**state, KEY: torch.empty(10**6, 10**6, device='meta')},
    sparse=lambda state: {**state, KEY: torch.sparse_coo_tensor([[0]], [1.], (10**12, ))},
    integer_key=lambda state: {1: torch.zeros(2)},
    integer_key_among_others=lambda state: {**state, 1: torch.zeros(2)},
    text=lambda state: {**state, KEY: 'weights'},
    none=lambda state: None,
    a_list=lambda state: list(state.values()),
    empty=lambda state: {},
    not_a_number=lambda state: {**state, KEY: torch.full_like(state[KEY], torch.nan)},
    another_shape=lambda state: {**state, KEY: torch.zeros(3, 3)},
    no_axes=lambda state: {**state, KEY: torch.tensor(1.)})


@pytest.mark.parametrize('kind', STATES)
def test_states_that_are_none(good, desk, kind):
    content = published(good)
    path = write_file(desk, dict(content, state_dict=STATES[kind](content['state_dict'])))
    for name in ('load', 'evaluate', 'pyslowfast_reverse', 'load_from', 'pretrained', 'inflated', 'timm_teacher',
                 'text_tower'):
        assert ask(name, desk, path) or kind == 'not_a_number', name


@FEW
@given(st.data())
def test_bytes_that_are_changed_or_missing(good, desk, data):
    source = data.draw(st.sampled_from(sorted((good / 'published').glob('*')) + [
        good / 'exported' / 'model.safetensors', good / 'run' / 'epoch_3.pth', good / 'toy' / 'epoch_2.pth']))
    raw = bytearray(source.read_bytes())
    kind = data.draw(st.sampled_from(['cut', 'flip', 'noise', 'empty', 'text', 'append']))
    at = data.draw(st.integers(0, len(raw) - 1))
    if kind == 'flip':
        raw[at] ^= data.draw(st.integers(1, 255))
    raw = dict(cut=raw[:at], noise=data.draw(st.binary(max_size=200)), empty=b'', text=b'weights\n',
               append=raw + b'more').get(kind, raw)
    path = desk / 'files' / source.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(raw))
    ask(data.draw(st.sampled_from(sorted(WEIGHTS) + ['resume'])), desk, path)


@pytest.mark.parametrize('name', [*WEIGHTS, 'resume'])
def test_damage_in_the_middle_of_the_values_is_told_by_every_entry(good, desk, name):
    source = good / 'toy' / 'epoch_2.pth' if name == 'resume' else next((good / 'published').glob('my_recipe-*.pth'))
    raw = bytearray(source.read_bytes())
    for i in range(64):
        raw[len(raw) // 2 + 7 * i] ^= 255
    path = desk / 'files' / source.name
    path.parent.mkdir()
    path.write_bytes(raw)
    assert 'damaged' in ask(name, desk, path)
    folder = desk / 'files' / 'exported'
    shutil.copytree(good / 'exported', folder)
    weights = folder / 'model.safetensors'
    raw = bytearray(weights.read_bytes())
    raw[-len(raw) // 2] ^= 1
    weights.write_bytes(raw)
    if name in ('load', 'evaluate', 'export_hub'):
        assert 'damaged' in ask(name, desk, folder)
    elif name in ('pretrained', 'timm_teacher'):
        assert 'damaged' in ask(name, desk, weights)


def test_files_without_a_digest_load_as_before(good, desk):
    content, folder = published(good), good / 'exported'
    path = desk / 'files' / 'plain.pth'
    path.parent.mkdir()
    for options in (dict(_use_new_zipfile_serialization=False), {}):
        torch.serialization.set_crc32_options(False)
        try:
            torch.save(content, path, **options)
        finally:
            torch.serialization.set_crc32_options(True)
        assert not ask('load', desk, path)
    shutil.copytree(folder, desk / 'files' / 'exported')
    save_file(load_file(folder / 'model.safetensors'), desk / 'files' / 'exported' / 'model.safetensors')
    assert not ask('load', desk, desk / 'files' / 'exported')


def test_good_files_are_taken_by_the_entries_that_they_are_for(good, desk):
    whole = next((good / 'published').glob('my_recipe-*.pth'))
    for path in (good / 'exported', whole):
        assert not ask('load', desk, path) and not ask('transfer', desk, path)
        assert ask('evaluate', desk, path).endswith(' ran')
    assert not ask('load_from', desk, whole)
    assert not ask('stock_pretrained', desk, next((good / 'published').glob('my_recipe_backbone-*.pth')))
    assert not ask('resume', desk, good / 'toy' / 'epoch_2.pth')


@pytest.mark.parametrize('change', [
    lambda meta: None, lambda meta: {}, lambda meta: [1], lambda meta: dict(meta, epoch='x'),
    lambda meta: dict(meta, epoch=-1), lambda meta: dict(meta, epoch=None), lambda meta: dict(meta, seed=[3])])
def test_progress_that_is_none_is_not_resumed(good, desk, change):
    content = torch.load(good / 'toy' / 'epoch_2.pth', weights_only=True)
    assert ask('resume', desk, write_file(desk, dict(content, meta=change(content['meta']))))


def test_a_config_stored_in_a_checkpoint_is_not_run_on_resuming(good, desk):
    content = torch.load(good / 'toy' / 'epoch_2.pth', weights_only=True)
    content['meta'].update(config=f'a = {CALL}\n', cfg=f'a = {CALL}\n')
    content['message_hub']['runtime_info']['cfg'] = f'a = {CALL}\n'
    assert not ask('resume', desk, write_file(desk, content))


@pytest.mark.parametrize('part', ['optimizer', 'param_schedulers', 'message_hub'])
@pytest.mark.parametrize('value', [None, 5, [{'a': 1}]])
def test_other_parts_of_a_run_that_are_none(good, desk, part, value):
    content = torch.load(good / 'toy' / 'epoch_2.pth', weights_only=True)
    ask('resume', desk, write_file(desk, dict(content, **{part: value})))


def test_a_checkpoint_deletes_nothing_elsewhere(good, desk, monkeypatch):
    precious = desk.parent / 'elsewhere'
    content = torch.load(good / 'toy' / 'epoch_2.pth', weights_only=True)
    content['message_hub']['runtime_info'].update(best_ckpt=str(precious), best_score=-1e9)
    content['message_hub']['resumed_keys'].update(best_ckpt=True, best_score=True)
    path = write_file(desk, content)
    for best in (precious, precious / 'precious.pth'):
        content['message_hub']['runtime_info']['best_ckpt'] = str(best)
        torch.save(content, path)
        shutil.rmtree(desk / 'out', ignore_errors=True)
        hook = dict(type='AtomicCheckpointHook', interval=1, save_best='total', rule='greater')
        Runner.from_cfg(_toy(
            desk / 'out', load_from=str(path), resume=True, train_cfg=dict(max_epochs=3),
            default_hooks=dict(checkpoint=hook), val_dataloader=toy_config('')['test_dataloader'],
            val_cfg=dict(type='ValLoop'), val_evaluator=dict(type='ToyMetric'))).train()
        assert (precious / 'precious.pth').is_file() and list((desk / 'out').glob('best_*'))


def test_torchscript_is_a_program_and_refused(good, desk):
    path = desk / 'files' / 'program.pt'
    path.parent.mkdir()
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    for name in (*WEIGHTS, 'resume'):
        assert 'TorchScript' in ask(name, desk, path)


def test_records_that_unpack_to_more_than_they_are(desk):
    plain = write_file(desk, dict(state_dict=dict(a=torch.zeros(10**6))))
    path = desk / 'files' / 'packed.pth'
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as packed:
        for record in source.infolist():
            packed.writestr(record.filename, source.read(record))
    for name in (*WEIGHTS, 'resume'):
        assert 'compressed' in ask(name, desk, path)


def test_folders_and_code_in_place_of_weights(good, desk):
    folder = desk / 'files' / 'a_folder'
    folder.mkdir(parents=True)
    pickled = write_file(desk, dict(state_dict=types.SimpleNamespace(a=1)))
    for name in (*WEIGHTS, 'resume'):
        assert ask(name, desk, folder) and ask(name, desk, pickled)
