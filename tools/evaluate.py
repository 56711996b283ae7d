"""Evaluates checkpoints by several protocols, one after the other, and prints the results beside the paper's.

    python tools/evaluate.py CKPT --protocols knn,linear,ucf101 --out work_dirs/eval
    python tools/evaluate.py CKPT --protocols knn,linear,finetune --out DIR --videos FOLDER --lists TRAIN TEST
    python tools/evaluate.py random --config CONFIG --seeds 3 ...     the same for untrained networks of a config
    python tools/evaluate.py teacher --config CONFIG ...              and for its teacher's own frames, averaged
    python tools/evaluate.py --list                                   the protocols

A checkpoint is a file of training or of tools/convert, a work dir or an exported folder. Of several checkpoints, such
as runs with other seeds, mean and standard deviation are reported. Without --videos the data sets of the papers are
read from data/, laid out by tools/data/prepare.py; with it, the small recipes of configs/mini run on labelled videos of
one's own. Clips are of as many frames, as far apart, as the checkpoint was trained on; a row says where not 8x8.

Everything goes below --out: a folder for each protocol and network with its config, log and weights; stored features;
results.json, results.md (the page of a model card) and results.svg. The same command goes on where it was stopped.
"""

import argparse
import json
import os
import shlex
import sys
from datetime import date
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import torch
from evaluation_runs import Evaluation
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.environment import hardware, versions
from iboot_mm.evaluation.protocols.networks import load_network
from iboot_mm.evaluation.protocols.catalog import RECIPES
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.visualization.results import draw_results, format_table, model_card_page


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoints', nargs='*', help='checkpoints of one backbone, `random` or `teacher`')
    parser.add_argument('--protocols', type=lambda text: text.split(','), help='names, with commas between')
    parser.add_argument('--list', action='store_true', help='print the protocols and stop')
    parser.add_argument('--out', type=Path, help='folder for everything')
    parser.add_argument('--config', type=Path, help='config of the pre-training, where it is not beside the checkpoint')
    parser.add_argument('--recipes', choices=RECIPES,
                        help='of iBoot, the large-scale study, AdViSe, or small; default: paper, mini with --videos')
    parser.add_argument('--videos', type=Path, help='folder of labelled videos of your own')
    parser.add_argument('--lists', type=Path, nargs=2, metavar=('TRAIN', 'TEST'), help='lists of lines `path label`')
    parser.add_argument('--class-names', type=Path, help='file with a name for each class, for zero-shot')
    parser.add_argument('--seeds', type=int, default=1, help='runs of one checkpoint, with seeds from 0')
    parser.add_argument('--first-seed', type=int, default=0, help='seed of the first network; the next ones follow')
    parser.add_argument('--epochs', type=int, help='epochs of what is trained, instead of the config\'s own')
    parser.add_argument('--processes', type=int, default=max(1, torch.cuda.device_count()), help='default: the GPUs')
    parser.add_argument('--title', help='of the page; default: the names of the checkpoints')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        help='settings that override those of every config that has them')
    args = parser.parse_args()
    args.recipes = args.recipes or ('mini' if args.videos else 'paper')
    if args.list:
        return args
    for name in ('checkpoints', 'protocols', 'out'):
        if not getattr(args, name):
            parser.error(f'{name if name == "checkpoints" else "--" + name} is needed')
    special = [name for name in args.checkpoints if name in ('random', 'teacher')]
    if special and args.config is None:
        parser.error(f'{special[0]} needs --config, the pre-training config that describes it')
    if (args.videos is None) != (args.lists is None):
        parser.error('--videos and --lists belong together: an evaluation needs labels')
    if args.videos and args.recipes != 'mini':
        parser.error(f'--videos goes with the recipes of configs/mini; leave --recipes {args.recipes} out')
    for file in (args.lists or []) + [args.class_names] * bool(args.class_names):
        if not file.is_file():
            parser.error(f'there is no file {file}')
    args.out = args.out.resolve()
    return args


def program() -> list[str]:
    """What this was called as, for the page: who has the wheel has no tools/."""
    return sys.argv[0].split() if sys.argv[0].startswith('iboot-mm ') else ['python', 'tools/evaluate.py']


@one_line_when_stopped()
def main() -> None:
    args = parse_args()
    if args.list:
        for protocol in RECIPES[args.recipes]:
            print(f'{protocol.name:18} {protocol.title}')
        return
    init_default_scope('mmaction')
    try:
        evaluation = Evaluation(args)
        names = args.checkpoints * args.seeds if len(args.checkpoints) == 1 else args.checkpoints
        networks = [load_network(name, seed, args.config, args.out / 'networks')
                    for seed, name in enumerate(names, args.first_seed)]
        rows = evaluation.run(networks)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    about = [dict(name=os.path.relpath(n.weights) if n.weights else n.name, seed=n.seed, sha256=n.sha256)
             for n in networks]
    first = networks[0]
    results = dict(title=args.title or ' and '.join(dict.fromkeys(args.checkpoints)), checkpoints=about,
                   backbone=first.info.backbone if first.info else first.teacher,
                   teachers=first.info.teachers if first.info else [], hardware=hardware(), versions=versions(),
                   date=str(date.today()), command=shlex.join([*program(), *sys.argv[1:]]),
                   rows=rows)
    backend = AtomicLocalBackend()
    backend.put_text(json.dumps(results, indent=1), args.out / 'results.json')
    backend.put_text(model_card_page(results), args.out / 'results.md')
    backend.put_text(draw_results(rows), args.out / 'results.svg')
    print(f'\n{format_table(rows)}\n\nPage: {args.out / "results.md"}')


if __name__ == '__main__':
    main()
