"""The runs behind tools/analysis/evidence.py: which are asked for, and the project's tools that do them."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))
from console import METHODS as CONFIGS  # noqa: E402
from console import MINI, ROOT, Stages, clock, run, show_training  # noqa: E402

from mmengine.config import Config  # noqa: E402

from iboot_mm.checkpoints.description import last_checkpoint  # noqa: E402
from iboot_mm.evaluation.protocols.evidence import COLUMNS, METHODS, Cell, read_cells  # noqa: E402
from iboot_mm.stores.atomic_files import AtomicLocalBackend  # noqa: E402

FINETUNE_STEPS = dict(finetune=440, finetune_10pct=160)  # those of the digits' own recipes
TENTH = .1
GUESS = 8.5 * 60  # seconds of a pre-training on two free cores, until one was measured: they are 5 to 12 minutes
# Runs a command and adds what it and its children took to a file, also where it is stopped: a later call goes on.
MEASURED = """
import json, resource, signal, subprocess, sys, time
begin = time.time()
process = subprocess.Popen(sys.argv[2:])
for number in (signal.SIGINT, signal.SIGTERM):  # a run that is told to stop saves what it has
    signal.signal(number, lambda number, frame: process.send_signal(number))
code = process.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
took = dict(wall=time.time() - begin, cpu=used.ru_utime + used.ru_stime, mib=used.ru_maxrss / 1024)
with open(sys.argv[1], 'a') as file:
    print(json.dumps(took), file=file)
sys.exit(code)
"""


@dataclass(frozen=True)
class Data:
    """A data set: its name, the folder of its videos, and pairs of lists; digits have neither."""

    name: str
    videos: Path | None = None
    lists: tuple[tuple[Path, Path], ...] = ()

    def split(self, seed: int) -> int:
        """Which pair of lists a run has."""
        return seed % len(self.lists) if self.lists else 0


class Runs:
    """Runs what is missing below a folder.

    Args:
        args: The command line.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.python = sys.executable

    def folder(self, data: Data, method: str, seed: int) -> Path:
        """Where the runs of one method on one pair of lists are."""
        return self.args.out / data.name / method / (f'split_{data.split(seed) + 1}' if len(data.lists) > 1 else '')

    def jobs(self) -> list[tuple[Data, str, int]]:
        """All runs that were asked for; seeds come last, so that the page is broad before it is deep."""
        return [(data, method, seed) for seed in self.args.seeds for data in self.args.data
                if data.name in self.args.only for method in self.args.methods]

    def run(self) -> Iterator[None]:
        """Trains and evaluates, and gives way after each run."""
        jobs = self.jobs()
        known = [json.loads(path.read_text())['wall'] for path in self.args.out.rglob('cost.json')]
        left = sum(METHODS[method].recipe is not None and not self.cost_file(data, method, seed).is_file()
                   for data, method, seed in jobs)
        each = sum(known) / len(known) if known else GUESS
        print(f'{len(jobs)} runs, {left} of them are to be trained, at {clock(each)} minutes each '
              f"({'so far' if known else 'a guess until one was measured'}) about {left * each / 3600:.1f} hours, and "
              'then evaluated')
        stages = Stages(len(jobs))
        for data, method, seed in jobs:
            stages.begin(f'{data.name}, {METHODS[method].title}, seed {seed}')
            self.evaluate(data, method, seed)
            yield

    def cost_file(self, data: Data, method: str, seed: int) -> Path:
        """What a training took; it is there once that is done."""
        return self.folder(data, method, seed) / str(seed) / 'cost.json'

    def recipe(self, data: Data, method: str, seed: int) -> Path:
        """The config of a pre-training."""
        out, recipe = self.folder(data, method, seed) / 'recipe.py', METHODS[method].recipe or 'iboot'
        if data.videos is None:
            own = METHODS[method].digits
            extra = ['--base', MINI / own if own else CONFIGS[recipe]]
        else:
            extra = ['--videos', data.videos, '--hold-out', '--method', recipe,
                     '--lists', *data.lists[data.split(seed)]]
            if recipe in ('iboot', 'advise') and self.args.teacher:
                extra += ['--teacher', self.args.teacher]
                extra += ['--checkpoint', self.args.checkpoint] if self.args.checkpoint else []
        self.call(['make_config', out, *extra], out.with_suffix('.log'))
        return out

    def train(self, data: Data, method: str, seed: int) -> Path:
        """The last checkpoint of a pre-training, which is run or resumed where it is not whole."""
        recipe = self.recipe(data, method, seed)
        work_dir = self.cost_file(data, method, seed).parent
        if not self.cost_file(data, method, seed).is_file():
            if 'tokens' in Config.fromfile(recipe):
                self.call(['data/cache_tokens', recipe], recipe.with_suffix('.log'))
            options = () if data.videos is None and METHODS[method].digits else METHODS[method].options
            took = work_dir / 'took.jsonl'
            self.call(['train', recipe, '--work-dir', work_dir / 'train', '--seed', seed, '--resume',
                       *(['--cfg-options', *options] if options else [])], work_dir / 'log.txt', took)
            calls = [json.loads(line) for line in took.read_text().splitlines()]
            total = {key: sum(call[key] for call in calls) for key in ('wall', 'cpu')}
            total['mib'] = max(call['mib'] for call in calls)
            AtomicLocalBackend().put_text(json.dumps(total), self.cost_file(data, method, seed))
        return last_checkpoint(work_dir / 'train')

    def evaluate(self, data: Data, method: str, seed: int) -> None:
        """The protocols of one run; those that are done cost nothing."""
        wanted = [name for name in self.args.protocols if not (METHODS[method].frozen and COLUMNS[name].trains)]
        if method == 'supervised':
            self.evaluate_with(data, 'untrained', seed, ['finetune'], self.network(data, 'untrained', seed))
            wanted = [name for name in wanted if not COLUMNS[name].trains]  # they are the untrained network's
        self.evaluate_with(data, method, seed, wanted, self.network(data, method, seed))

    def network(self, data: Data, method: str, seed: int) -> list:
        """What ``tools/evaluate.py`` is to test."""
        if method == 'supervised':
            trained = self.folder(data, 'untrained', seed) / str(seed) / 'evaluation' / f'finetune_{seed}'
            return [last_checkpoint(trained), '--config', trained / 'recipe' / 'config.py']
        if METHODS[method].recipe is not None:
            return [self.train(data, method, seed)]
        return ['teacher' if method == 'teacher' else 'random', '--config', self.recipe(data, method, seed)]

    def evaluate_with(self, data: Data, method: str, seed: int, protocols: list[str], network: list) -> None:
        """Calls ``tools/evaluate.py`` once for the frozen protocols and once for each that trains."""
        folder = self.cost_file(data, method, seed).parent
        frozen = [name for name in protocols if not COLUMNS[name].trains]
        for group in [frozen, *([name] for name in protocols if COLUMNS[name].trains)]:
            if not group:
                continue
            extra = ['--recipes', 'mini']
            if data.videos is not None:
                lists = data.lists[data.split(seed)]
                extra += ['--videos', data.videos, '--lists', *lists]
                if COLUMNS[group[0]].trains:
                    extra += ['--epochs', epochs_of(lists[0], group[0])]
            elif 'finetune_10pct' in group:
                root = ROOT / 'data' / 'moving_digits'
                self.call(['data/make_subset', root / 'train.txt', root / 'train_10pct.txt', '--share', TENTH,
                           '--labels', 'digit', 'motion'], folder / 'log.txt')
            self.call(['evaluate', *network, '--first-seed', seed, '--out', folder / 'evaluation', '--processes', 1,
                       '--protocols', ','.join(COLUMNS[name].protocol for name in group), *extra], folder / 'log.txt')

    def call(self, arguments: list, log: Path, took: Path | None = None) -> None:
        """Runs a tool; what it took becomes a line of the file ``took``."""
        command = [self.python, TOOLS / f'{arguments[0]}.py', *arguments[1:]]
        run([self.python, '-c', MEASURED, took, *command] if took else command, log, show_training)

    def seeds(self, data: Data, method: str) -> list[int]:
        """Seeds of which an evaluation is there, each beside the lists that it has now."""
        found = {int(place.parent.name) for place in (self.args.out / data.name / method).glob('**/evaluation')
                 if place.parent.name.isdecimal()}
        return [seed for seed in sorted(found)
                if (self.folder(data, method, seed) / str(seed) / 'evaluation').is_dir()]

    def cells(self) -> list[Cell]:
        """All figures that are there."""
        cells = []
        for data in self.args.data:
            for method in METHODS:
                for seed in self.seeds(data, method):
                    folder = self.cost_file(data, method, seed).parent / 'evaluation'
                    cells += read_cells(folder, data.name, method, seed, data.split(seed))
        trained = [cell for cell in cells if cell.method == 'untrained' and COLUMNS[cell.protocol].trains]
        return cells + [Cell(**{**cell.__dict__, 'method': 'supervised'}) for cell in trained]


def epochs_of(train: Path, protocol: str) -> int:
    """Epochs that make about as many steps of 32 videos as the digits' recipes have."""
    videos = len(train.read_text().split('\n')) * (TENTH if protocol == 'finetune_10pct' else 1)
    return round(FINETUNE_STEPS[protocol] / max(1, int(videos) // 32))
