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
import sys
import time
from pathlib import Path

from console import ROOT, WITH_TEACHER, Stages, clock, quiet, run
from stages import (LOG, RIVALS, VARIABLES, WITH_MOTION, add_options, check_options, evaluate, find_shots, measure_gain,
                    num_processes, pretrain, tool)


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


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--videos', type=Path, help='folder of videos, nested; default: moving digits, written here')
    add_options(parser)
    parser.add_argument('--work-dir', type=Path, help='default: work_dirs/quickstart or work_dirs/quickstart_FOLDER')
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv', help='virtual environment to make or re-use')
    parser.add_argument('--processes', type=int, help='default: one per GPU, two on a CPU')
    parser.add_argument('--install-only', action='store_true', help='make the environment and stop')
    args = parser.parse_args()
    if args.videos is not None and not args.videos.is_dir():
        parser.error(f'VIDEOS: there is no folder {args.videos}')
    if args.videos is None and args.lists:
        parser.error('LIST belongs to a folder of your own: give VIDEOS=DIR')
    check_options(args, parser.error, VARIABLES)
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
    rivals = RIVALS.get(args.method, []) if digits else []
    taught = digits and args.method in WITH_TEACHER and not args.teacher
    gain = digits and args.method in ('advise', 'vivi') or args.method == 'advise' and bool(args.lists)
    stages = Stages(1 if args.install_only else 4 + digits + len(rivals) + taught + gain + (args.method == 'vivi'))
    stages.begin(f'Environment {args.venv}')
    python = install(Path(os.path.abspath(args.venv)))
    if args.install_only:
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    log = work_dir / LOG
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
    for row, method, title in rivals:
        stages.begin(title)
        also[row] = pretrain(python, args, work_dir / method, method)
    stages.begin('Evaluation by k-NN on frozen features')
    config = WITH_MOTION if args.motion else config  # with the teacher, which trained through what is stored
    evaluate(python, config, work_dir, checkpoint, also)
    table = work_dir / 'knn_table.txt'
    if gain:
        stages.begin('Fine-tuning on labels, with and without pre-training')
        own = dict(advise='AdViSe', vivi='VIVI(4)')[args.method]
        networks = {row: other for row, (_, other) in also.items()} | {own: checkpoint}
        table = measure_gain(python, args.method, config, work_dir, networks)
    stages.begin('Report')
    run(tool(python, 'analysis/report.py', work_dir, '--config', config), log, quiet)
    print('\n' + table.read_text())
    print(f'Report:  {work_dir / "report.html"}\nWeights: {checkpoint}')
    print(f'All done in {clock(time.time() - stages.start)} minutes.')


if __name__ == '__main__':
    main()
