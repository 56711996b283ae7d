"""Trains and evaluates every method on every data set, and writes the page of evidence.

    python tools/analysis/evidence.py --data digits \\
        --data fruit FRUIT/videos FRUIT/train_variety.txt FRUIT/test_variety.txt \\
        --data weizmann W/videos W/train_1.txt W/test_1.txt W/train_2.txt W/test_2.txt W/train_3.txt W/test_3.txt \\
        --teacher configs/mini/teachers/mobilenetv2_coral.py --checkpoint mobilenetv2_100_imagenet_fp16.pth

    --methods iboot,simclr --protocols knn,linear --only fruit --seeds 0,1     a part of it
    --page-only                                                              the page of what is there

Each run is that of the project's own tools: tools/make_config.py writes its recipe (on the moving digits the config
is configs/mini's own), tools/train.py trains it on the first list alone and tools/evaluate.py tests it on the second.
All of it is kept below --out and used again: a stopped call goes on where it was, a later one adds what it is asked
for, and the page always shows all that is there; what is not says so. `digits` are those of `make quickstart`, which
writes them and their teacher. With several pairs of lists (people or sequences left out) seed s has pair s, so that
every video is tested once. How many trainings are left and how many hours they take, by those that were measured, is
printed first. Estimated: 96 pre-trainings on four data sets, 5 to 12 minutes each on two free cores, and as long for
what is trained on labels: a day.
"""

import argparse
import json
import os
import shlex
from datetime import date
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

from evidence_runs import ROOT, Data, Runs
from mmengine.registry import init_default_scope

from iboot_mm.environment import hardware, versions
from iboot_mm.evaluation.protocols.evidence import COLUMNS, METHODS, OURS, evidence_tables
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.visualization.evidence import draw_evidence, evidence_page


def write_page(args: argparse.Namespace, runs: Runs) -> None:
    """The page, its plot and, as JSON below ``--out``, all that is in them."""
    tables = evidence_tables(runs.cells())
    costs = {path.parents[1].relative_to(args.out).as_posix(): json.loads(path.read_text())
             for path in sorted(args.out.glob('**/cost.json'))}
    about = dict(hardware=hardware(), versions=versions(), date=str(date.today()), command=command(args))
    titles = {name: method.title for name, method in METHODS.items()}
    columns = {name: column.title for name, column in COLUMNS.items()}
    backend = AtomicLocalBackend()
    backend.put_text(json.dumps(dict(about=about, tables=tables, costs=costs), indent=1), args.out / 'evidence.json')
    asked = [data.name for data in args.data]
    backend.put_text(evidence_page(tables, costs, about, titles, columns, asked, args.page.stem), args.page)
    if tables:
        backend.put_text(draw_evidence(tables, titles, OURS), args.page.with_suffix('.svg'))


def command(args: argparse.Namespace) -> str:
    """The command line without the folders of this machine."""
    parts = ['python', 'tools/analysis/evidence.py']
    for data in args.data:
        places = [data.videos, *(file for pair in data.lists for file in pair)] if data.videos else []
        root = os.path.commonpath(places) if places else ''
        parts += ['--data', data.name, *(f'{data.name.upper()}/{os.path.relpath(place, root)}' for place in places)]
    for name in ('teacher', 'checkpoint'):
        if value := getattr(args, name):
            inside = Path(value).is_relative_to(ROOT)
            parts += [f'--{name}', os.path.relpath(value, ROOT) if inside else Path(value).name]
    return shlex.join(parts)


def parse_data(words: list[str], parser: argparse.ArgumentParser) -> Data:
    """``NAME``, or ``NAME VIDEOS TRAIN TEST [TRAIN TEST ...]``."""
    name, *places = words
    if name == 'digits' and not places:
        return Data(name)
    if len(places) < 3 or len(places) % 2 == 0:
        parser.error(f'--data {name} wants the folder of the videos and pairs of lists: {name} VIDEOS TRAIN TEST')
    for place in map(Path, places):
        if not place.exists():
            parser.error(f'--data {name}: there is no {place}')
    videos, *lists = (Path(place).resolve() for place in places)
    return Data(name, videos, tuple(zip(lists[::2], lists[1::2], strict=True)))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def names(of: dict) -> dict:
        return dict(type=lambda text: text.split(','), default=list(of), help=f'of {", ".join(of)}; default: all')

    parser.add_argument('--data', nargs='+', action='append', required=True, metavar='NAME',
                        help='digits, or a name, a folder of videos and pairs of lists; several times')
    parser.add_argument('--only', type=lambda text: text.split(','), help='data sets to run; default: all of --data')
    parser.add_argument('--methods', **names(METHODS))
    parser.add_argument('--protocols', **names(COLUMNS))
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in text.split(',')], default=[0, 1, 2])
    parser.add_argument('--teacher', help='image model of iBoot and AdViSe, see tools/make_config.py')
    parser.add_argument('--checkpoint', help='its weights')
    parser.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'evidence')
    parser.add_argument('--page', type=Path, default=ROOT / 'model_cards' / 'evidence.md')
    parser.add_argument('--page-only', action='store_true', help='run nothing')
    args = parser.parse_args()
    args.data = [parse_data(words, parser) for words in args.data]
    args.only = args.only or [data.name for data in args.data]
    for chosen, known, option in ((args.methods, METHODS, 'methods'), (args.protocols, COLUMNS, 'protocols'),
                                  (args.only, [data.name for data in args.data], 'only')):
        if unknown := [name for name in chosen if name not in known]:
            parser.error(f'--{option} has no {unknown[0]!r}: choose from {", ".join(known)}')
    args.out, args.page = args.out.resolve(), args.page.resolve()
    for name in ('teacher', 'checkpoint'):  # the tools run in the checkout, and a name that is no file is a name
        if (value := getattr(args, name)) and Path(value).is_file():
            setattr(args, name, str(Path(value).resolve()))
    return args


@one_line_when_stopped()
def main() -> None:
    args = parse_args()
    init_default_scope('mmaction')
    runs = Runs(args)
    for _ in () if args.page_only else runs.run():
        write_page(args, runs)  # whatever comes next, what is there is on the page
    write_page(args, runs)
    print(f'Page: {args.page}')


if __name__ == '__main__':
    main()
