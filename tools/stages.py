"""What `make quickstart` and tools/pretrain.py do with videos, stage by stage; what a stage has done is re-used.

Needs nothing but Python's standard library: the stages are commands of the Python that is named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from console import METHODS, MINI, ROOT, WITH_TEACHER, paced, quiet, run, show_training

LOG = 'commands.log'  # what the stages' commands print, in the run's folder
# On the digits with their own teacher: iBoot learns motion, too, from what that teacher says before training.
WITH_MOTION = MINI / 'iboot_motion_r18_digits.py'
TARGETS = MINI / 'targets' / 'digits_motion.py'
FROM_TARGETS = dict(iboot=WITH_MOTION.with_stem(f'{WITH_MOTION.stem}_cached'), byol=MINI / 'byol_motion_r18_digits.py')
# On the digits, what a method is compared with: row, name of the other method, and the stage's title.
RIVALS = dict(
    iboot=[('rho-BYOL', 'byol', 'As many clips by rho-BYOL, which has no teacher')],
    vivi=[('frames only', 'vivi_frames', 'As many frames, each for itself')])
UNSEEN_SHOTS = 'data/digit_shots_unseen'  # of digits that no pre-training sees
# What sentences call the options, on a command line and as variables of make.
FLAGS = dict(method='--method {}', teacher='--teacher NAME_OR_CONFIG', checkpoint='--checkpoint',
             target_norm='--target-norm', lists='--lists', hold_out='--hold-out')
VARIABLES = dict(method='METHOD={}', teacher='TEACHER=NAME_OR_CONFIG', checkpoint='CKPT', target_norm='TARGET_NORM',
                 lists='LIST', hold_out='HOLD_OUT=1')


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a pre-training that `make quickstart`, tools/pretrain.py and tools/make_config.py share."""
    parser.add_argument('--method', choices=METHODS, default='iboot', help='all but iboot and advise need no teacher')
    parser.add_argument('--teacher', help='a ready teacher, a config file, timm:MODEL.TAG or open_clip:MODEL/TAG')
    parser.add_argument('--checkpoint', type=Path, help="file with the teacher's weights")
    parser.add_argument('--lists', type=Path, nargs='+', default=[], help='lists with labels: one, or train and test')
    parser.add_argument('--labels', nargs='+', help='names of the label columns of the lists')
    parser.add_argument('--hold-out', action='store_true', help='train on the first list only, not on all videos')
    parser.add_argument('--epochs', type=int)
    parser.add_argument('--target-norm', choices=['none', 'center', 'standardize'], help="of iBoot's teacher")


def check_options(args: argparse.Namespace, refuse: Callable[[str], NoReturn], names: dict[str, str] = FLAGS) -> None:
    """Refuses options that do not go together, or name no file, with a sentence that calls them by ``names``."""
    method = names['method'].format
    if len(args.lists) > 2:
        refuse(f'{names["lists"]}: one list or two (train, test), not {len(args.lists)}')
    if args.hold_out and not args.lists:
        refuse(f'{names["hold_out"]} trains on the first list only: give {names["lists"]}')
    if args.method not in WITH_TEACHER and (args.teacher or args.checkpoint):
        refuse(f'{method(args.method)} learns from the videos alone: {names["teacher"]} and '
               f'{names["checkpoint"]} go with {" and ".join(map(method, WITH_TEACHER))}')
    if args.method != 'iboot' and args.target_norm:
        refuse(f'{method(args.method)} has no targets: {names["target_norm"]} goes with {method("iboot")}')
    if args.checkpoint and not args.teacher:
        refuse(f'{names["checkpoint"]} {args.checkpoint}: a file of weights cannot say how it wants to be fed; '
               f'add {names["teacher"]} (a ready teacher, timm:MODEL, open_clip:MODEL or a config file)')
    if args.epochs is not None and args.epochs < 1:
        refuse(f'{args.epochs} epochs: train for one at the least')
    if args.checkpoint and not args.checkpoint.is_file():
        refuse(f'{names["checkpoint"]}: there is no file {args.checkpoint}')
    for file in args.lists:
        if not file.is_file():
            refuse(f'{names["lists"]}: there is no list {file}')


def tool(python: Path, script: str, *args: object) -> list:
    """Command line of one of the project's tools."""
    return [python, ROOT / 'tools' / script, *args]


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def num_processes(python: Path, wanted: int | None) -> int:
    """One process per GPU; without a GPU two, sharing the cores."""
    if wanted:
        return wanted
    count = 'import torch; print(torch.cuda.device_count())'
    gpus = subprocess.run([python, '-c', count], capture_output=True, text=True)
    return int(gpus.stdout or 0) or min(2, num_cores())


def base_config(args: argparse.Namespace, method: str) -> Path:
    """The digits' config that a method's run stands on."""
    return (FROM_TARGETS if args.motion else METHODS).get(method, MINI / f'{method}_digits.py')


def write_config(python: Path, args: argparse.Namespace, config: Path, method: str) -> None:
    """The run's config, on top of a mini config; stops when the folder holds a run with another one."""
    digits = ['--base', base_config(args, method)]
    options = digits if args.videos is None else ['--videos', args.videos.resolve(), '--method', method]
    of_teacher = [('--teacher', args.teacher), ('--checkpoint', args.checkpoint), ('--target-norm', args.target_norm)]
    for name, value in [('--epochs', args.epochs), *(of_teacher if method in WITH_TEACHER else [])]:
        options += [name, value] if value else []
    options += ['--lists', *(f.resolve() for f in args.lists)] if args.lists else []
    options += ['--labels', *args.labels] if args.labels else []
    options += ['--hold-out'] if args.hold_out else []
    options += ['--shots', args.shots] if args.shots else []
    before = config.read_text() if config.is_file() else None
    fresh = config.with_name('config.new.py')
    fresh.unlink(missing_ok=True)
    run(tool(python, 'make_config.py', fresh, *options), config.parents[1] / LOG, quiet)
    if before is not None and before != fresh.read_text():
        fresh.unlink()
        sys.exit(f'{config.parents[1]} holds a run with other settings: name another folder, or remove it.')
    os.replace(fresh, config)


def train(python: Path, config: Path, work_dir: Path, processes: int) -> Path:
    """Pre-trains through dist_train.sh, or goes on where it was stopped; returns the last checkpoint."""
    finished = work_dir / 'trained'  # names the last checkpoint of a finished run
    if finished.is_file() and (work_dir / finished.read_text()).is_file():
        print(f'  {work_dir / finished.read_text()} is there')
        return work_dir / finished.read_text()
    if (work_dir / 'last_checkpoint').is_file():
        print('  going on from the last checkpoint')
    run(['bash', ROOT / 'tools' / 'dist_train.sh', config, processes, '--work-dir', work_dir, '--seed', 0, '--resume'],
        work_dir / 'train.log', paced(show_training), dict(PYTHON=str(python)))
    last = Path((work_dir / 'last_checkpoint').read_text().strip()).name
    finished.write_text(last)
    return work_dir / last


def pretrain(python: Path, args: argparse.Namespace, work_dir: Path, method: str) -> tuple[Path, Path]:
    """Config and last checkpoint of a run in ``work_dir``."""
    config = work_dir / 'recipe' / 'config.py'  # mmengine writes the whole, resolved config to work_dir/config.py
    write_config(python, args, config, method)
    if method == 'advise' and not (work_dir / 'trained').is_file():  # its image model sees each frame once
        run(tool(python, 'data/cache_tokens.py', config), work_dir / LOG, quiet)
    if method == 'iboot' and args.motion and not (work_dir / 'trained').is_file():
        # One process, whose threads have all cores: of two, one was seen to abort after its work (gloo's threads).
        run(tool(python, 'test.py', TARGETS, 'none', '--work-dir', work_dir / 'targets'), work_dir / LOG,
            paced(show_training))
    return config, train(python, config, work_dir, args.processes)


def evaluate(python: Path, config: Path, work_dir: Path, checkpoint: Path,
             also: dict[str, tuple[Path, Path]]) -> None:
    """The table, with a row for each other network: name to config and checkpoint."""
    results, text = work_dir / 'knn_table.json', work_dir / 'knn_table.txt'
    newest = max(file.stat().st_mtime for file in (checkpoint, *(other for _, other in also.values())))
    if results.is_file() and text.is_file() and text.stat().st_mtime > newest:  # the text is written last
        print(f'  {results} is there')
        return
    command = tool(python, 'analysis/knn_table.py', config, checkpoint, '--out', work_dir)
    for name, files in also.items():
        command += ['--also', name, *files]
    run(command, work_dir / LOG, lambda line: quiet(line) if line.endswith(' left') else None)


def measure_gain(python: Path, method: str, config: Path, work_dir: Path, networks: dict[str, Path]) -> Path:
    """What AdViSe's or VIVI's pre-training wins, of checkpoints by row; returns the file with the table."""
    script = dict(advise='finetuning_gain', vivi='few_label_gain')[method]
    result = work_dir / f'{script}.txt'
    if result.is_file() and result.stat().st_mtime > max(file.stat().st_mtime for file in networks.values()):
        print(f'  {result} is there')
        return result
    what = networks.values()
    if method == 'vivi':
        what = [*(f'{row}={file}' for row, file in networks.items()), '--shots', UNSEEN_SHOTS]
    run(tool(python, f'analysis/{script}.py', config, *what, '--out', work_dir), work_dir / LOG,
        lambda line: quiet(line) if 'labelled videos: ' in line or 'fine-tuned ' in line else None)
    return result


def find_shots(python: Path, args: argparse.Namespace, log: Path) -> None:
    """Writes the folder's shot list, or composes videos of moving digits and writes theirs."""
    if args.shots:
        run(tool(python, 'data/find_shots.py', args.videos.resolve(), '--out', args.shots), log, quiet)
        return
    how = ['--labels', 'digit', 'motion', '--by', 'digit', '--frames', 6, 14]
    for clips, out, shots, videos in (('train', 'data/digit_shots', 5, 800), ('test', UNSEEN_SHOTS, 2, 200)):
        run(tool(python, 'data/compose_shots.py', f'data/moving_digits/{clips}.txt', out, *how, '--shots', shots,
                 '--videos', videos), log, quiet)
    truth = ['--truth', 'data/digit_shots/true_shots.jsonl']
    run(tool(python, 'data/find_shots.py', 'data/digit_shots', *truth), log, quiet)
