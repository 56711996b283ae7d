"""Transfers networks to image classification with few labels, as VIVI is judged: VTAB's lightweight protocol.

    python tools/transfer.py CKPT --task natural:DIR --task natural:torchvision.CIFAR100=DIR --out work_dirs/transfer
    ... --task natural:vtab.Caltech101=DIR --task specialized:vtab.EuroSAT=DIR                           split as VTAB's
    python tools/transfer.py random random ex4=CKPT ex4=CKPT --config CONFIG ...    mean and deviation of several seeds
    ... --frozen                                          linear heads on frozen features: the quick variant
    ... --examples 300 --steps 100 400 --size 64 --batch 64                                       a small one

A task is [GROUP:][NAME=]PLACE. PLACE is a folder with train/CLASS/*.jpg and test/CLASS/*.jpg, or with CLASS/*.jpg; a
list of lines `path label`, or TRAIN.txt,TEST.txt, with paths relative to the list or to FOLDER in LIST.txt@FOLDER and
TRAIN.txt,TEST.txt@FOLDER (of videos, the middle frames are taken); with NAME torchvision.KIND the folder of that data
set (nothing is downloaded); with NAME vtab.Caltech101, vtab.EuroSAT, vtab.RESISC45 or vtab.SUN397 the folder of that
archive, split as VTAB does; or sklearn.digits. Without a split, the images that are not drawn as examples are tested.

1000 labelled images of each task are drawn by --seed. Each combination of --rates and --steps trains on 800 of them;
the one of the best accuracy on the other 200, averaged over all tasks, trains anew on all 1000, --runs times. Reported
are the median test accuracy, its mean by group and over all tasks. Finished runs are kept below --out: the same command
goes on where it was stopped, with more networks or tasks too. Give all tasks at once, for they choose the setting.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.registry import init_default_scope

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.datasets.images.tasks import open_task
from iboot_mm.environment import hardware, versions
from iboot_mm.evaluation.images.few_label_training import Setting
from iboot_mm.evaluation.images.frame_classifier import ClassifierFolder, FrameEncoder
from iboot_mm.evaluation.protocols.networks import load_network
from iboot_mm.evaluation.images.run_store import RunStore
from iboot_mm.evaluation.images.transfer import LIGHTWEIGHT, Transfer, TransferProtocol
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.checkpoints.description import CheckpointInfo, describe_checkpoint
from iboot_mm.weights.state_dicts import read_file
from iboot_mm.visualization.results import spread_of


def load_networks(names: Sequence[str], config: Path | None, folder: Path) -> list[tuple[str, str, CheckpointInfo]]:
    """The networks: their column in the table, their own name, their content; each further `random` is another one.

    Raises:
        FileNotFoundError: no such checkpoint or config.
        ValueError: the checkpoint and its config do not agree, or a random network has no config.
    """
    networks, before = [], []
    for text in names:
        column, name = text.split('=', 1) if '=' in text else (text, text)
        seed = before.count(name)
        before.append(name)
        if name == 'random':
            untrained = load_network(name, seed, config, folder)
            state = read_file(untrained.weights)['state_dict']
            networks.append((column, f'random, seed {seed}', replace(untrained.info, state=state)))
        elif seed:
            raise ValueError(f'{name} is named twice: its runs differ by their seeds anyway, see --runs')
        else:
            networks.append((column, name, describe_checkpoint(name, config)))
    return networks


def transfer(args: argparse.Namespace) -> dict:
    """Runs everything; what `results.json` holds."""
    settings = tuple(Setting(rate, steps) for rate in args.rates for steps in args.steps)
    protocol = TransferProtocol(settings, args.runs, args.batch, args.size, args.frozen)
    tasks = [open_task(spec, args.examples, args.seed) for spec in args.task]
    networks = load_networks(args.networks, args.config, args.out / 'networks')
    transfer_to = Transfer(tasks, protocol, RunStore(args.out / 'runs'), args.device)
    for *_, info in networks:  # whatever is wrong is told before hours have passed
        FrameEncoder(info.build_encoder(), args.size)
    rows = []
    for column, name, info in networks:
        print(f'{name} ({len(rows) + 1} of {len(networks)})', flush=True)
        keep = ClassifierFolder(args.out / 'classifiers', name, info, args.size) if args.save else None
        rows.append(dict(column=column, name=name, **transfer_to(info.build_encoder(), keep)))
    about = [dict(name=task.name, group=task.group, examples=len(task.train), test=len(task.test)) for task in tasks]
    return dict(command=shlex.join(['python', 'tools/transfer.py', *sys.argv[1:]]), date=str(date.today()),
                hardware=hardware(), versions=versions(), protocol=asdict(protocol), seed=args.seed, tasks=about,
                rows=rows)


def page(results: dict) -> str:
    """The results as Markdown: tasks and means down, networks across; of several in a column, their mean and spread."""
    tasks, protocol = results['tasks'], results['protocol']
    columns: dict[str, list[dict]] = {}
    for row in results['rows']:
        columns.setdefault(row['column'], []).append(row)

    def line(title: str, value: Callable[[dict], float]) -> str:
        return f'| {title} | ' + ' | '.join(spread_of([value(row) for row in rows]) for rows in columns.values()) + ' |'

    groups = list(dict.fromkeys(task['group'] for task in tasks))
    heads = [f'`{name}`' + (f' ({len(rows)} networks)' if len(rows) > 1 else '') for name, rows in columns.items()]
    lines = ['| task | group | examples | tested | ' + ' | '.join(heads) + ' |', '|---' * (4 + len(heads)) + '|']
    lines += [line(f"{task['name']} | {task['group']} | {task['examples']} | {task['test']}",
                   lambda row, name=task['name']: row['tasks'][name]) for task in tasks]
    lines += [line(f'**mean of {group}** | | |', lambda row, group=group: row['groups'][group])
              for group in groups if len(groups) > 1]
    lines.append(line('**mean** | | |', lambda row: row['mean']))
    lines.append('| setting, rate x steps | | | | '
                 + ' | '.join(', '.join(row['setting'] for row in rows) for rows in columns.values()) + ' |')
    what = 'linear heads on frozen features' if protocol['frozen'] else 'whole networks fine-tuned'
    return '\n'.join([f"Test accuracy, %, median of {protocol['runs']} runs; {what} at {protocol['size']} pixels, "
                      f"batches of {protocol['batch_size']}; examples drawn with seed {results['seed']}. Of several "
                      'networks: mean and sample standard deviation.', '', *lines, '',
                      f"{results['date']}, {results['hardware']}, torch {results['versions']['torch']}.", '',
                      '```bash', results['command'], '```', ''])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('networks', nargs='+', help='[COLUMN=]: checkpoint, work dir, exported folder, `random`')
    parser.add_argument('--task', action='append', required=True, help='[GROUP:][NAME=]PLACE; may be given many times')
    parser.add_argument('--out', type=Path, required=True, help='folder for everything')
    parser.add_argument('--config', type=Path, help='config of the pre-training, where none is beside the checkpoint')
    parser.add_argument('--frozen', action='store_true', help='train the linear head alone')
    parser.add_argument('--examples', type=int, default=1000, help='labelled images of each task')
    parser.add_argument('--rates', type=float, nargs='+', default=sorted({s.learning_rate for s in LIGHTWEIGHT}),
                        help='learning rates of the sweep (default: %(default)s)')
    parser.add_argument('--steps', type=int, nargs='+', default=sorted({s.steps for s in LIGHTWEIGHT}),
                        help='schedules of the sweep (default: %(default)s)')
    parser.add_argument('--batch', type=int, default=512, help='images per step (default: %(default)s)')
    parser.add_argument('--size', type=int, default=224, help='side of the images, pixels (default: %(default)s)')
    parser.add_argument('--runs', type=int, default=3, help='trainings on all labelled images (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the draw of labelled images')
    parser.add_argument('--save', action='store_true', help="keep each task's first classifier in OUT/classifiers")
    parser.add_argument('--device', default='auto', help='such as cuda:1')
    args = parser.parse_args()
    for name in ('examples', 'batch', 'size', 'runs'):
        if getattr(args, name) < (2 if name == 'examples' else 1):
            parser.error(f'--{name} {getattr(args, name)} is too small')
    if min(args.steps) < 1 or min(args.rates) <= 0:
        parser.error(f'--steps must be at least 1 and --rates above 0, got {args.steps} and {args.rates}')
    return args


@one_line_when_stopped()
def main() -> None:
    args = parse_args()
    init_default_scope('mmaction')
    try:
        results = transfer(args)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    text = page(results)
    backend = AtomicLocalBackend()
    backend.put_text(json.dumps(results, indent=1), args.out / 'results.json')
    backend.put_text(text, args.out / 'results.md')
    print(f'\n{text}')


if __name__ == '__main__':
    main()
