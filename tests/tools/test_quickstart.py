import io
import os
import sys
from contextlib import redirect_stdout
from itertools import count
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

from iboot_mm.datasets import parallel
from iboot_mm.datasets.shots.shots import write_shots

from ..scripts import load_tool

ROOT = Path(__file__).resolve().parents[2]


quickstart = load_tool('quickstart')
stages = load_tool('stages')
make_config = load_tool('make_config')
METHODS = load_tool('console').METHODS


def call(monkeypatch, capsys, tool, *args):
    """Runs a tool's main; returns its exit status and what it printed."""
    monkeypatch.setattr(sys, 'argv', [tool.__name__, *map(str, args)])
    try:
        tool.main()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
        if isinstance(stop.code, str):
            print(stop.code)
    captured = capsys.readouterr()
    return status, captured.out + captured.err


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda tool, *args: call(monkeypatch, capsys, tool, *args)


@pytest.mark.parametrize('options, words', [
    (['--videos', '/no/such/folder'], 'no folder /no/such/folder'),
    (['--videos', ROOT, '--checkpoint', ROOT / 'Makefile'], 'TEACHER=NAME_OR_CONFIG'),
    (['--videos', ROOT, '--checkpoint', '/no.pth', '--teacher', 'timm:resnet18'], 'no file /no.pth'),
    (['--lists', ROOT / 'Makefile'], 'VIDEOS=DIR'),
    (['--checkpoint', ROOT / 'Makefile'], 'TEACHER=NAME_OR_CONFIG'),
    (['--videos', ROOT, '--method', 'byol', '--teacher', 'dino_vit_b16'], 'METHOD=byol learns from the videos alone'),
    (['--method', 'swav', '--target-norm', 'none'], 'TARGET_NORM goes with METHOD=iboot'),
])
def test_bad_input_is_one_sentence(run, options, words):
    status, said = run(quickstart, *options)
    assert status == 2 and words in said


def test_of_the_evaluation_only_progress_is_shown(monkeypatch, tmp_path):
    printed = io.StringIO()
    with monkeypatch.context() as patch, redirect_stdout(printed):
        patch.setattr(parallel.time, 'monotonic', iter(range(0, 100, 10)).__next__)
        list(parallel.show_progress('abc', 3, 'batches encoded'))
    shown = []
    monkeypatch.setattr(stages, 'run', lambda command, log, show: shown.extend(
        show(line) for line in [*printed.getvalue().splitlines(), '360 queries in a gallery of 1437 videos']))
    (tmp_path / 'epoch_1.pth').touch()
    stages.evaluate(Path('python'), tmp_path / 'config.py', tmp_path, tmp_path / 'epoch_1.pth', {})
    assert shown == ['1 of 3 batches encoded, 0:00:20 left', '2 of 3 batches encoded, 0:00:10 left', None]


@pytest.fixture
def commands(monkeypatch):
    """The quickstart's commands are only noted, with what each would have left behind; a list of (tool, arguments)."""
    found, clock = [], count(1)

    def write(path, text='made'):
        path.write_text(text)
        os.utime(path, (next(clock), ) * 2)  # files of one instant have one time

    def note(command, log, show, env=None):
        name, *arguments = [str(part) for part in command[1:]]
        found.append((Path(name).stem, arguments))
        if found[-1][0] == 'make_config':
            Path(arguments[0]).parent.mkdir(parents=True, exist_ok=True)
            Path(arguments[0]).write_text(' '.join(arguments[1:]))
        elif found[-1][0] == 'dist_train':
            folder = Path(arguments[arguments.index('--work-dir') + 1])
            write(folder / 'epoch_9.pth')
            (folder / 'last_checkpoint').write_text(str(folder / 'epoch_9.pth'))
        elif found[-1][0] == 'knn_table':
            folder = Path(arguments[arguments.index('--out') + 1])
            for name in ('knn_table.json', 'knn_table.txt'):
                write(folder / name)
        elif found[-1][0] in ('finetuning_gain', 'few_label_gain'):
            write(Path(arguments[arguments.index('--out') + 1]) / f'{found[-1][0]}.txt', 'what it wins')

    for caller in (quickstart, stages):
        monkeypatch.setattr(caller, 'run', note)
    monkeypatch.setattr(quickstart, 'install', lambda venv: Path('python'))
    monkeypatch.setattr(quickstart, 'num_processes', lambda python, wanted: wanted or 2)
    return found


def names(commands):
    done = [name for name, _ in commands]
    commands.clear()
    return done


def test_stages_and_what_a_second_start_repeats(run, commands, tmp_path):
    said = run(quickstart, '--work-dir', tmp_path, '--epochs', 3)[1]
    assert [f'[{stage}/7]' in said for stage in range(1, 8)] == [True] * 7
    (_, ours), (_, theirs) = [command for command in commands if command[0] == 'make_config']
    assert [Path(options[2]).name for options in (ours, theirs)] == ['iboot_motion_r18_digits_cached.py',
                                                                     'byol_motion_r18_digits.py']
    targets = next(arguments for name, arguments in commands if name == 'test')
    assert [Path(targets[0]).name, targets[1]] == ['digits_motion.py', 'none']
    assert ours[3:] == theirs[3:] == ['--epochs', '3']  # iBoot's budget
    table = next(arguments for name, arguments in commands if name == 'knn_table')
    assert Path(table[0]).name == 'iboot_motion_r18_digits.py'  # with the teacher
    byol = tmp_path / 'byol'
    assert table[table.index('--also'):] == ['--also', 'rho-BYOL', f'{byol}/recipe/config.py', f'{byol}/epoch_9.pth']
    made = ['make_moving_digits', 'make_digit_teacher', 'make_config']
    assert names(commands) == [*made, 'test', 'dist_train', 'make_config', 'dist_train', 'knn_table', 'report']
    run(quickstart, '--work-dir', tmp_path, '--epochs', 3)
    assert names(commands) == [*made, 'make_config', 'report']
    (byol / 'trained').unlink()  # killed in the second training
    run(quickstart, '--work-dir', tmp_path, '--epochs', 3)
    assert names(commands) == [*made, 'make_config', 'dist_train', 'knn_table', 'report']
    (tmp_path / 'knn_table.txt').unlink()  # killed before it was written
    run(quickstart, '--work-dir', tmp_path, '--epochs', 3)
    assert names(commands) == [*made, 'make_config', 'knn_table', 'report']
    assert 'holds a run with other settings' in run(quickstart, '--work-dir', tmp_path, '--epochs', 4)[1]


def test_advise_learns_from_tokens_that_are_stored_first(run, commands, tmp_path):
    made = ['make_moving_digits', 'make_digit_teacher', 'make_config']
    said = run(quickstart, '--work-dir', tmp_path, '--method', 'advise', '--epochs', 3)[1]
    assert '[7/7] Report' in said
    assert '\nwhat it wins\n' in said and '\nmade\n' not in said  # the last table
    assert ('cache_tokens', [str(tmp_path / 'recipe' / 'config.py')]) in commands
    assert Path(commands[2][1][2]).name == 'advise_tmm_digits_cached.py'
    assert '--also' not in next(arguments for name, arguments in commands if name == 'knn_table')
    done = [*made, 'cache_tokens', 'dist_train', 'knn_table', 'finetuning_gain', 'report']
    assert names(commands) == done
    run(quickstart, '--work-dir', tmp_path, '--method', 'advise', '--epochs', 3)
    assert names(commands) == [*made, 'report']
    (tmp_path / 'finetuning_gain.txt').unlink()  # killed before it was written
    run(quickstart, '--work-dir', tmp_path, '--method', 'advise', '--epochs', 3)
    assert names(commands) == [*made, 'finetuning_gain', 'report']


@pytest.mark.parametrize('lists, fine_tuned', [([], []), (['--lists', ROOT / 'Makefile'], ['finetuning_gain'])])
def test_advise_on_a_folder_is_fine_tuned_where_there_are_labels(run, commands, tmp_path, lists, fine_tuned):
    run(quickstart, '--work-dir', tmp_path, '--method', 'advise', '--videos', ROOT, *lists)
    assert names(commands) == ['make_config', 'cache_tokens', 'dist_train', 'knn_table', *fine_tuned, 'report']


@pytest.mark.parametrize('method, learned', [
    ('advise', ['cache_tokens', 'dist_train', 'knn_table', 'finetuning_gain']),
    ('iboot', ['dist_train', 'make_config', 'dist_train', 'knn_table'])])
def test_with_another_teacher_on_digits_none_is_made(run, commands, tmp_path, method, learned):
    said = run(quickstart, '--work-dir', tmp_path, '--method', method, '--teacher', 'dino_vit_b16')[1]
    assert '[6/6] Report' in said
    assert next(arguments for name, arguments in commands if name == 'make_config')[3:] == ['--teacher', 'dino_vit_b16']
    assert names(commands) == ['make_moving_digits', 'make_config', *learned, 'report']


@pytest.mark.parametrize('options, made', [([], ['make_moving_digits']), (['--videos', ROOT], [])])
def test_without_a_teacher_none_is_made_and_none_is_compared_with(run, commands, tmp_path, options, made):
    said = run(quickstart, '--work-dir', tmp_path, '--method', 'moco', *options)[1]
    assert f'[{4 + len(made)}/{4 + len(made)}] Report' in said
    config, table = (next(arguments for name, arguments in commands if name == wanted)
                     for wanted in ('make_config', 'knn_table'))
    assert config[1:] == (['--videos', str(ROOT), '--method', 'moco'] if options else
                          ['--base', str(ROOT / 'configs' / 'mini' / 'moco_r18_digits.py')])
    assert '--also' not in table and names(commands) == [*made, 'make_config', 'dist_train', 'knn_table', 'report']


def test_vivi_learns_from_shots_that_are_found_first(run, commands, tmp_path):
    folder = tmp_path / 'digits'
    said = run(quickstart, '--work-dir', folder, '--method', 'vivi')[1]
    assert '[8/8] Report' in said
    assert '\nwhat it wins\n' in said and '\nmade\n' not in said  # the last table
    _, composed, unseen, found, config = commands[:5]
    assert composed[1][:2] == ['data/moving_digits/train.txt', 'data/digit_shots']
    assert unseen[1][:2] == ['data/moving_digits/test.txt', 'data/digit_shots_unseen']
    assert found == ('find_shots', ['data/digit_shots', '--truth', 'data/digit_shots/true_shots.jsonl'])
    bases = [Path(arguments[2]).name for name, arguments in commands if name == 'make_config']
    assert config[1][1] == '--base' and bases == [f'vivi_{name}_digits.py' for name in ('ex4', 'frames')]
    gain = next(arguments for name, arguments in commands if name == 'few_label_gain')
    assert gain[1:3] == [f'frames only={folder}/vivi_frames/epoch_9.pth', f'VIVI(4)={folder}/epoch_9.pth']
    assert gain[3:] == ['--shots', 'data/digit_shots_unseen', '--out', str(folder)]
    assert names(commands) == ['make_moving_digits', 'compose_shots', 'compose_shots', 'find_shots',
                               *['make_config', 'dist_train'] * 2, 'knn_table', 'few_label_gain', 'report']
    run(quickstart, '--work-dir', folder, '--method', 'vivi')
    assert names(commands) == ['make_moving_digits', 'compose_shots', 'compose_shots', 'find_shots',
                               *['make_config'] * 2, 'report']
    said = run(quickstart, '--work-dir', tmp_path, '--method', 'vivi', '--videos', ROOT)[1]
    assert '[5/5] Report' in said
    shots = str(tmp_path / 'shots.jsonl')
    assert commands[0] == ('find_shots', [str(ROOT), '--out', shots])
    assert commands[1][1][1:] == ['--videos', str(ROOT), '--method', 'vivi', '--shots', shots]
    assert names(commands) == ['find_shots', 'make_config', 'dist_train', 'knn_table', 'report']


def test_runs_of_other_methods_have_folders_of_their_own(monkeypatch):
    for options, folder in (([], 'quickstart'), (['--method', 'byol'], 'quickstart_byol'),
                            (['--videos', str(ROOT), '--method', 'byol'], f'quickstart_{ROOT.name}_byol')):
        monkeypatch.setattr(sys, 'argv', ['quickstart', *options])
        assert quickstart.parse_args().work_dir == ROOT / 'work_dirs' / folder


def test_old_python_is_told(monkeypatch):
    monkeypatch.setattr(quickstart.sys, 'version_info', (3, 9))
    with pytest.raises(SystemExit, match='3.10 or later'):
        quickstart.check_python()


@pytest.fixture
def fruit(shared):
    return shared / 'data' / 'turntable_fruit'


@pytest.fixture
def teacher(tmp_path):
    file = tmp_path / 'teacher.py'
    file.write_text("teacher = dict(type='TimmTeacher', model='test_resnet', pretrained=False)\n")
    return file


def test_config_of_a_folder_without_labels(run, fruit, teacher, tmp_path):
    out = tmp_path / 'run' / 'config.py'
    assert run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher)[0] == 0
    cfg = Config.fromfile(out)
    assert cfg.model.teacher == dict(type='TimmTeacher', model='test_resnet', pretrained=False)
    assert cfg.train_dataloader.dataset.root == str((fruit / 'videos').resolve())
    gallery, query = cfg.val_dataloader.dataset.datasets
    assert (gallery.role, query.role) == ('gallery', 'query') and len(set(query.indices)) == 12
    assert not gallery.get('ann_file') and cfg.train_dataloader.dataset.pipeline[1].frame_interval == 2  # 32 frames


@pytest.mark.parametrize('method', [name for name in make_config.METHODS
                                    if name not in ('iboot', *make_config.FOLDER_CONFIGS)])
def test_other_methods_learn_from_a_folder_without_a_teacher(run, tmp_path, method):
    for number in range(40):
        (tmp_path / f'{number}.mp4').write_text('')
    out = tmp_path / 'run' / 'config.py'
    assert run(make_config, out, '--videos', tmp_path, '--method', method)[0] == 0
    cfg, folder, digits = (Config.fromfile(path).to_dict() for path in (
        out, make_config.FOLDER_CONFIG, make_config.MINI / f'{method}_r18_digits.py'))
    assert cfg['model']['data_preprocessor'] == folder['model']['data_preprocessor']
    assert cfg['model'] == dict(digits['model'], data_preprocessor=folder['model']['data_preprocessor'])
    assert cfg['custom_hooks'] == digits['custom_hooks'] and cfg['optim_wrapper'] == folder['optim_wrapper']
    pipeline = cfg['train_dataloader']['dataset']['pipeline']
    assert pipeline[1]['num_views'] == 2 and pipeline[3] == folder['train_pipeline'][3]


def test_advise_learns_rates_from_a_folder_and_is_compared_on_the_lists(run, fruit, teacher, tmp_path):
    out = tmp_path / 'run' / 'config.py'
    lists = [fruit / 'train_variety.txt', fruit / 'test_variety.txt']
    assert run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher, '--lists', *lists, '--method',
               'advise', '--epochs', 3)[0] == 0
    cfg = Config.fromfile(out)
    assert cfg.model.backbone.teacher == dict(type='TimmTeacher', model='test_resnet', pretrained=False)
    assert (cfg.model.backbone.type, cfg.train_cfg.max_epochs) == ('ImageTMM', 3)
    assert cfg.train_dataloader.dataset.root == str((fruit / 'videos').resolve())
    assert 'ann_file' not in cfg.train_dataloader.dataset
    assert Path(cfg.val_dataloader.dataset.ann_file) == Path(cfg.test_dataloader.dataset.ann_file) == lists[1].resolve()
    gallery, query = cfg.knn_dataloader.dataset.datasets
    assert [Path(part.ann_file) for part in (gallery, query)] == [file.resolve() for file in lists]
    rates = [cfg.train_dataloader, cfg.val_dataloader]
    assert [loader.dataset.pipeline[1].type for loader in rates] == ['PlaybackRate'] * 2
    steps = [part.pipeline[1].frame_interval for part in (*(loader.dataset for loader in rates), gallery, query)]
    assert steps == [1, 1, 2, 2]  # of 32 frames
    maps = rates[0].dataset.pipeline[0]
    assert (maps.root, maps.every) == (rates[0].dataset.root, 1)
    assert rates[1].dataset.pipeline[0] == maps


@pytest.mark.parametrize('source', ['folder', 'digits'])
def test_tokens_of_another_image_model_take_the_place_of_the_base_s(run, teacher, tmp_path, source):
    """Of its grid of 5 x 5 as many as of the base's image model."""
    videos, out = tmp_path / 'videos', tmp_path / 'run' / 'config.py'
    videos.mkdir()
    out.parent.mkdir()
    for name in 'ab':
        (videos / f'{name}.mp4').touch()
    data = ['--videos', videos, '--method', 'advise'] if source == 'folder' else ['--base', METHODS['advise']]
    assert run(make_config, out, *data, '--teacher', teacher)[0] == 0
    cfg = Config.fromfile(out)
    own = dict(type='TimmTeacher', model='test_resnet', pretrained=False)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        maps = loader.dataset.pipeline[0]
        assert (maps.teacher, maps.store, maps.resolution) == (own, str(out.parent / 'tokens'), 3)
        assert maps.root == loader.dataset.root == (str(videos) if source == 'folder' else 'data/moving_digits')
        clips = cfg.knn_dataloader.dataset.datasets[0].pipeline[3]
        assert (clips.size, clips.short_side) == (maps.size, maps.short_side)
    network = cfg.model.backbone
    assert (network.teacher, network.stored_width, network.resolution) == (own, 96, 3)
    stored = MODELS.build(dict(network, stored_width=None)).image_maps(torch.zeros(1, 3, 8, maps.size, maps.size))
    assert MODELS.build(network)(stored).shape == (1, 128, 8, 3, 3)


def test_an_image_model_whose_weights_cannot_be_fetched_is_one_sentence(run, tmp_path, monkeypatch):
    def unreachable(*args, **kwargs):
        raise ConnectionError('Can not fetch model.safetensors')

    monkeypatch.setattr('timm.create_model', unreachable)
    (tmp_path / 'run').mkdir()
    status, said = run(make_config, tmp_path / 'run' / 'config.py', '--base', METHODS['advise'], '--teacher',
                       'timm:vit_tiny_patch16_224.augreg_in21k')
    assert status == 1 and said == 'Can not fetch model.safetensors\n'


@pytest.mark.parametrize('method, videos, steps', [
    ('iboot', 64, 280), ('byol', 64, 280), ('advise', 64, 2000), ('iboot', 63, 280), ('advise', 31, 2000)])
def test_without_epochs_the_steps_are_as_many_for_any_folder(run, tmp_path, method, videos, steps):
    """An epoch has whole batches only."""
    for number in range(videos):
        (tmp_path / f'{number}.mp4').touch()
    out = tmp_path / 'run' / 'config.py'
    out.parent.mkdir()
    assert run(make_config, out, '--videos', tmp_path, '--method', method)[0] == 0
    cfg = Config.fromfile(out)
    epochs = cfg.train_cfg.max_epochs
    assert epochs * (videos // cfg.train_cfg.global_batch) == steps
    assert cfg.param_scheduler[-1].end == epochs
    assert epochs / 100 < cfg.default_hooks.checkpoint.interval <= max(1, epochs / 50)


def test_a_list_of_the_same_name_with_other_videos_is_another_config(run, tmp_path):
    for name in 'abcdef':
        (tmp_path / f'{name}.mp4').touch()
    (tmp_path / 'run').mkdir()
    written = []
    for names in ('abcdef', 'abcdef', 'bcdefa'):
        (tmp_path / 'all.txt').write_text(''.join(f'{name}.mp4 0\n' for name in names))
        assert run(make_config, tmp_path / 'run' / 'config.py', '--videos', tmp_path, '--lists',
                   tmp_path / 'all.txt')[0] == 0
        written.append((tmp_path / 'run' / 'config.py').read_text())
    assert written[0] == written[1] != written[2]


@pytest.fixture
def folder_of_shots(tmp_path):
    """12 names of videos at 24 Hz, of which as many as wanted have two shots of 1 s; the folder and the list."""
    def write(several):
        (tmp_path / 'videos').mkdir(exist_ok=True)
        entries = []
        for number in range(12):
            (tmp_path / 'videos' / f'{number}.mp4').touch()
            entries.append(dict(file=f'{number}.mp4', frames=48, fps=24., starts=[0, 24] if number < several else [0]))
        write_shots(tmp_path / 'shots.jsonl', {}, entries)
        return ['--videos', tmp_path / 'videos', '--method', 'vivi', '--shots', tmp_path / 'shots.jsonl']
    return write


def test_vivi_learns_from_the_videos_of_a_folder_that_have_two_shots(run, folder_of_shots, tmp_path):
    out = tmp_path / 'run' / 'config.py'
    status, said = run(make_config, out, *folder_of_shots(10), '--epochs', 3)
    assert status == 0 and '10 videos to train on, in evaluation clips of 8 frames' in said
    cfg = Config.fromfile(out)
    assert (cfg.model.type, cfg.model.num_shots, cfg.train_cfg.max_epochs) == ('VIVI', 2, 3)
    assert cfg.train_cfg.global_batch == 8  # the greatest power of two that 10 videos fill
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(dataset) == 10 and dataset.root == str(tmp_path / 'videos')
    assert [part.type for part in cfg.val_dataloader.dataset.datasets] == ['VideoFolder'] * 2


def test_vivi_learns_from_the_first_list_alone(run, folder_of_shots, tmp_path):
    options = folder_of_shots(10)
    lists = [tmp_path / 'train.txt', tmp_path / 'test.txt']
    lists[0].write_text(''.join(f'{number}.mp4 {number % 2}\n' for number in range(1, 10)))
    lists[1].write_text('0.mp4 0\n')
    assert run(make_config, tmp_path / 'config.py', *options, '--lists', *lists, '--hold-out')[0] == 0
    cfg = Config.fromfile(tmp_path / 'config.py')
    gallery, query = (DATASETS.build(part) for part in cfg.val_dataloader.dataset.datasets)
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) == len(gallery) == 9 and len(query) == 1


@pytest.mark.parametrize('several, words', [
    (0, ['No video of', 'has 2 adjoining shots of 4 or more frames, the most is 1', 'METHOD=byol']),
    (7, ['7 have 2 shots of 4 frames, and VIVI compares 8 videos at least', 'METHOD=byol', 'vivi_frames_digits.py']),
])
def test_too_few_videos_of_several_shots_are_one_sentence(run, folder_of_shots, tmp_path, several, words):
    status, said = run(make_config, tmp_path / 'config.py', *folder_of_shots(several))
    assert status == 1 and all(part in said for part in words) and not (tmp_path / 'config.py').exists()


def test_hold_out_trains_on_the_first_list(run, fruit, teacher, tmp_path):
    out = tmp_path / 'config.py'
    lists = [fruit / 'train_variety.txt', fruit / 'test_variety.txt']
    assert run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher, '--lists', *lists,
               '--hold-out', '--epochs', 7, '--target-norm', 'none')[0] == 0
    cfg = Config.fromfile(out)
    gallery, query = cfg.val_dataloader.dataset.datasets
    assert Path(cfg.train_dataloader.dataset.ann_file) == Path(gallery.ann_file) == lists[0].resolve()
    assert Path(query.ann_file) == lists[1].resolve()
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[-1].end == 7 and cfg.model.target_norm == 'none'


def test_config_splits_a_single_list(run, fruit, teacher, tmp_path):
    out = tmp_path / 'config.py'
    whole = (fruit / 'train_variety.txt').read_text().splitlines()
    said = run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher, '--lists',
               fruit / 'train_variety.txt')[1]
    assert 'every fifth' in said and 'queries are among them' in said
    assert 'ann_file' not in Config.fromfile(out).train_dataloader.dataset
    parts = [(tmp_path / f'{name}.txt').read_text().splitlines() for name in ('gallery', 'query')]
    assert len(parts[1]) == len(whole) // 5 and sorted(sum(parts, [])) == sorted(whole)


def test_a_single_list_in_a_fresh_folder(run, tmp_path):
    """Its parts lie beside the config, in a folder that is not there yet; header, comments and CSV fall away."""
    for number in range(10):
        (tmp_path / f'é {number}.mp4').touch()
    whole = tmp_path / 'all.csv'
    whole.write_text('# mine\r\npath,label\r\n' + ''.join(f'"é {number}.mp4",{number}\r\n' for number in range(10)),
                     encoding='utf-8')
    out = tmp_path / 'work' / 'recipe' / 'config.py'
    status, said = run(make_config, out, '--videos', tmp_path, '--lists', whole)
    assert status == 0, said
    gallery, query = (DATASETS.build(part) for part in Config.fromfile(out).val_dataloader.dataset.datasets)
    labels = [[data.get_data_info(i)['labels']['label'] for i in range(len(data))] for data in (gallery, query)]
    assert labels == [[0, 1, 2, 3, 5, 6, 7, 8], [4, 9]]
    whole.write_text('a.mp4 1\nb.mp4 2\n')
    assert 'all.csv has 2 videos, of which every fifth' in run(make_config, out, '--videos', tmp_path, '--lists',
                                                              whole)[1]


@pytest.mark.parametrize('epochs', [1, 2])
@pytest.mark.parametrize('source', [['--method', 'byol'], ['--base', ROOT / 'configs/mini/iboot_r18_digits.py']])
def test_the_shortest_schedules_are_built(run, tmp_path, epochs, source):
    for number in range(40):
        (tmp_path / f'{number}.mp4').write_text('')
    out = tmp_path / 'run' / 'config.py'
    options = source if '--base' in source else ['--videos', tmp_path, *source]
    assert run(make_config, out, *options, '--epochs', epochs)[0] == 0
    schedules = Config.fromfile(out).param_scheduler
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.)
    built = [PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=optimizer, epoch_length=3))
             for schedule in schedules]
    assert built[-1].end == 3 * epochs


@pytest.mark.parametrize('videos, k', [(8, 7), (21, 20), (40, 20)])
def test_no_more_neighbors_than_the_gallery_has(run, tmp_path, videos, k):
    for number in range(videos + 2):
        (tmp_path / f'{number}.mp4').write_text('')
    lists = [tmp_path / 'gallery.txt', tmp_path / 'query.txt']
    lists[0].write_text(''.join(f'{number}.mp4 0\n' for number in range(videos)))
    lists[1].write_text(''.join(f'{number}.mp4 0\n' for number in range(videos, videos + 2)))
    out = tmp_path / 'config.py'
    assert run(make_config, out, '--videos', tmp_path, '--lists', *lists)[0] == 0
    cfg = Config.fromfile(out)
    assert cfg.val_evaluator == cfg.test_evaluator == dict(type='KNNMetric', k=k, temperature=.07)


@pytest.mark.parametrize('options, words', [
    (['--teacher', 'no_such_teacher'], "no teacher 'no_such_teacher'"),
    (['--checkpoint', 'weights.pth'], 'cannot say how it wants to be fed'),
    (['--lists', 'a', 'b', 'c'], 'not 3'),
    (['--lists', 'missing.txt'], 'no list missing.txt'),
    (['--hold-out'], 'give --lists'),
    (['--method', 'byol', '--teacher', 'dino_vit_b16'], '--method byol learns from the videos alone'),
    (['--method', 'vivi'], '--method vivi and --shots go together'),
    (['--shots', 'shots.jsonl'], '--method vivi and --shots go together'),
    (['--method', 'vivi', '--shots', 'missing.jsonl'], 'missing.jsonl'),
    (['--method', 'moco', '--base', ROOT / 'configs/mini/byol_r18_digits.py'], 'has a method of its own'),
])
def test_bad_settings_are_one_sentence(run, options, words, tmp_path):
    for name in 'ab':
        (tmp_path / f'{name}.mp4').write_text('')
    status, said = run(make_config, tmp_path / 'config.py', '--videos', tmp_path, *options)
    assert status == 1 and words in said and not (tmp_path / 'config.py').exists()


def test_an_empty_folder_is_one_sentence(run, tmp_path):
    status, said = run(make_config, tmp_path / 'config.py', '--videos', tmp_path)
    assert status == 1 and str(tmp_path) in said
