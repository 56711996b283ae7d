"""From a fresh clone to a pre-trained video network, a table and a report. Normally called by `make quickstart`.

Every stage is re-used when it is done already. Needs nothing but Python's standard library; the rest is installed into
a virtual environment.

    python tools/quickstart.py                                        moving digits, written here
    python tools/quickstart.py --videos DIR [--teacher NAME_OR_CONFIG] [--checkpoint FILE] [--lists TRAIN [TEST]]
    python tools/quickstart.py --method advise [--videos DIR] ...     a temporal module on a frozen image model
    python tools/quickstart.py --method byol [--videos DIR] ...       without any teacher: also moco, simclr, swav
    python tools/quickstart.py --method vivi [--videos DIR] ...       frames, from the shots of videos
"""

from __future__ import annotations  # so that an older Python gets as far as the sentence about its version

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from console import METHODS, MINI, ROOT, WITH_TEACHER, Stages, clock, paced, quiet, run, show_training

# On the digits with their own teacher: iBoot learns motion, too, from what that teacher says before training.
WITH_MOTION = MINI / 'iboot_motion_r18_digits.py'
TARGETS = MINI / 'targets' / 'digits_motion.py'
FROM_TARGETS = dict(iboot=WITH_MOTION.with_stem(f'{WITH_MOTION.stem}_cached'), byol=MINI / 'byol_motion_r18_digits.py')


def check_python() -> None:
    """Stops with a sentence when this Python cannot make the environment."""
    if sys.version_info < (3, 10):  # noqa: UP036
        sys.exit(f'Python 3.10 or later is needed, this is {sys.version.split()[0]}: make PYTHON=python3.11 quickstart')
    if importlib.util.find_spec('venv') is None or importlib.util.find_spec('ensurepip') is None:
        sys.exit('This Python lacks the venv module: install it (Debian, Ubuntu: apt-get install python3-venv), or '
                 'name another one: make PYTHON=python3.11 quickstart')


def install(venv: Path) -> Path:
    """Makes the environment with pinned versions and the package in it, unless it stands; returns its Python."""
    pins = ROOT / 'requirements' / 'quickstart.txt'
    lock = ROOT / 'requirements' / 'lock.txt'
    stamp = venv / '.iboot_mm'
    python = venv / 'bin' / 'python'
    files = b''.join(file.read_bytes() for file in (pins, lock, ROOT / 'setup.py'))
    state = hashlib.sha256(files + str(ROOT).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == state and python.is_file():
        print(f'  {venv} is there')
        return python
    log = venv.with_name(venv.name + '.log')
    if not python.is_file():
        check_python()
        run([sys.executable, '-m', 'venv', venv], log, lambda line: None)
    lines = [line.split('#')[0].strip() for line in pins.read_text().splitlines()]
    total = sum(bool(line) for line in lines)
    counter = iter(range(1, 10000))

    def show(line: str) -> str | None:
        if line.startswith('Collecting ') and (count := next(counter)) % 10 == 1:
            return f'pip: package {count}, {line.split()[1]}'
        if line.startswith('Installing collected packages'):
            return f'pip: installing {line.count(",") + 1} packages'
        return None

    print(f'  {total} pinned packages and what they need, some minutes on a slow line; log: {log}')
    pip = [python, '-m', 'pip', '--disable-pip-version-check', 'install', '--progress-bar', 'off']
    run([*pip, '-r', pins, '-c', lock], log, show)
    run([*pip, '--no-deps', '--no-build-isolation', '-e', ROOT], log, show)
    stamp.write_text(state)
    return python


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
    return FROM_TARGETS[method] if args.motion else METHODS[method]


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
    run(tool(python, 'make_config.py', fresh, *options), config.parents[1] / 'quickstart.log', quiet)
    if before is not None and before != fresh.read_text():
        fresh.unlink()
        sys.exit(f'{config.parents[1]} holds a run with other settings: name another folder with WORK_DIR=, or remove '
                 'it.')
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
        run(tool(python, 'data/cache_tokens.py', config), work_dir / 'quickstart.log', quiet)
    if method == 'iboot' and args.motion and not (work_dir / 'trained').is_file():
        # One process, whose threads have all cores: of two, one was seen to abort after its work (gloo's threads).
        run(tool(python, 'test.py', TARGETS, 'none', '--work-dir', work_dir / 'targets'), work_dir / 'quickstart.log',
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
    run(command, work_dir / 'quickstart.log', lambda line: quiet(line) if line.endswith(' left') else None)


def measure_gain(python: Path, config: Path, work_dir: Path, checkpoint: Path) -> Path:
    """AdViSe's verdict: fine-tuning with and without its pre-training; returns the file with the table."""
    result = work_dir / 'finetuning_gain.txt'
    if result.is_file() and result.stat().st_mtime > checkpoint.stat().st_mtime:
        print(f'  {result} is there')
        return result
    command = tool(python, 'analysis/finetuning_gain.py', config, checkpoint, '--out', work_dir)
    run(command, work_dir / 'quickstart.log', lambda line: quiet(line) if 'labelled videos: ' in line else None)
    return result


def find_shots(python: Path, args: argparse.Namespace, log: Path) -> None:
    """Writes the folder's shot list, or composes videos of moving digits and writes theirs."""
    if args.shots:
        run(tool(python, 'data/find_shots.py', args.videos.resolve(), '--out', args.shots), log, quiet)
        return
    how = ['--labels', 'digit', 'motion', '--by', 'digit', '--shots', 5, '--frames', 6, 14, '--videos', 800]
    run(tool(python, 'data/compose_shots.py', 'data/moving_digits/train.txt', 'data/digit_shots', *how), log, quiet)
    truth = ['--truth', 'data/digit_shots/true_shots.jsonl']
    run(tool(python, 'data/find_shots.py', 'data/digit_shots', *truth), log, quiet)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--videos', type=Path, help='folder of videos, nested; default: moving digits, written here')
    parser.add_argument('--method', choices=METHODS, default='iboot', help='all but iboot and advise need no teacher')
    parser.add_argument('--teacher', help='a ready teacher, a config file, timm:MODEL.TAG or open_clip:MODEL/TAG')
    parser.add_argument('--checkpoint', type=Path, help="file with the teacher's weights")
    parser.add_argument('--lists', type=Path, nargs='+', default=[], help='lists with labels: one, or train and test')
    parser.add_argument('--labels', nargs='+', help='names of the label columns of the lists')
    parser.add_argument('--hold-out', action='store_true', help='train on the first list only, not on all videos')
    parser.add_argument('--epochs', type=int)
    parser.add_argument('--target-norm', choices=['none', 'center', 'standardize'])
    parser.add_argument('--work-dir', type=Path, help='default: work_dirs/quickstart or work_dirs/quickstart_FOLDER')
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv', help='virtual environment to make or re-use')
    parser.add_argument('--processes', type=int, help='default: one per GPU, two on a CPU')
    parser.add_argument('--install-only', action='store_true', help='make the environment and stop')
    args = parser.parse_args()
    if args.videos is not None and not args.videos.is_dir():
        parser.error(f'VIDEOS: there is no folder {args.videos}')
    if args.videos is None and args.lists:
        parser.error('LIST belongs to a folder of your own: give VIDEOS=DIR')
    for name, files in (('CKPT', [args.checkpoint] if args.checkpoint else []), ('LIST', args.lists)):
        for file in files:
            if not file.is_file():
                parser.error(f'{name}: there is no file {file}')
    if args.method not in WITH_TEACHER and (args.teacher or args.checkpoint):
        parser.error(f'METHOD={args.method} learns from the videos alone: TEACHER and CKPT go with METHOD=iboot or '
                     'advise')
    if args.method != 'iboot' and args.target_norm:
        parser.error(f'METHOD={args.method} has no targets: TARGET_NORM goes with METHOD=iboot')
    if args.checkpoint and not args.teacher:
        parser.error(f'CKPT={args.checkpoint}: a file of weights cannot say how it wants to be fed; add '
                     'TEACHER=NAME_OR_CONFIG (a ready teacher, timm:MODEL, open_clip:MODEL or a config file)')
    if args.work_dir is None:
        parts = ['quickstart', *([args.videos.resolve().name] if args.videos else []),
                 *([args.method] if args.method != 'iboot' else [])]
        args.work_dir = ROOT / 'work_dirs' / '_'.join(parts)
    if args.checkpoint:
        args.checkpoint = args.checkpoint.resolve()
    args.motion = args.videos is None and args.method == 'iboot' and not (args.teacher or args.target_norm)
    args.shots = args.work_dir.resolve() / 'shots.jsonl' if args.videos and args.method == 'vivi' else None
    return args


def main() -> None:
    args = parse_args()
    work_dir = args.work_dir.resolve()
    digits = args.videos is None
    compared = digits and args.method == 'iboot'  # with what goes without a teacher
    taught = digits and args.method in WITH_TEACHER and not args.teacher
    gain = args.method == 'advise' and bool(digits or args.lists)
    stages = Stages(1 if args.install_only else 4 + digits + compared + taught + gain + (args.method == 'vivi'))
    stages.begin(f'Environment {args.venv}')
    python = install(Path(os.path.abspath(args.venv)))
    if args.install_only:
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    log = work_dir / 'quickstart.log'
    if digits:
        stages.begin('Videos: handwritten digits that move over textures')
        run(tool(python, 'data/make_moving_digits.py', 'data/moving_digits'), log, quiet)
    if taught:
        stages.begin('Teacher: a small image model learns still digits')
        run(tool(python, 'data/make_digit_teacher.py', 'data/digit_teacher'), log, quiet)
    if args.method == 'vivi':
        stages.begin('Shots: where one scene ends and another begins')
        find_shots(python, args, log)
    stages.begin(f'Pre-training, into {work_dir}')
    args.processes = num_processes(python, args.processes)
    config, checkpoint = pretrain(python, args, work_dir, args.method)
    also = {}
    if compared:
        stages.begin('As many clips by rho-BYOL, which has no teacher')
        also['rho-BYOL'] = pretrain(python, args, work_dir / 'byol', 'byol')
    stages.begin('Evaluation by k-NN on frozen features')
    config = WITH_MOTION if args.motion else config  # with the teacher, which trained through what is stored
    evaluate(python, config, work_dir, checkpoint, also)
    table = work_dir / 'knn_table.txt'
    if gain:
        stages.begin('Fine-tuning on labels, with and without pre-training')
        table = measure_gain(python, config, work_dir, checkpoint)
    stages.begin('Report')
    run(tool(python, 'analysis/report.py', work_dir, '--config', config), log, quiet)
    print('\n' + table.read_text())
    print(f'Report:  {work_dir / "report.html"}\nWeights: {checkpoint}')
    print(f'All done in {clock(time.time() - stages.start)} minutes.')


if __name__ == '__main__':
    main()
