"""The runs of tools/evaluate.py: a config, a training and a test for each protocol and network."""

import argparse
import json
import os
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

from console import ROOT, Stages, clock, run, show_training
from mmengine.config import Config

from iboot_mm.checkpoints.description import last_checkpoint
from iboot_mm.evaluation.protocols.adaptation import adapt, set_duration
from iboot_mm.evaluation.protocols.catalog import RECIPES, Protocol, choose
from iboot_mm.evaluation.protocols.config_text import config_text
from iboot_mm.evaluation.protocols.lists import LabelledVideos, count_videos, digest_lists
from iboot_mm.evaluation.protocols.networks import Network
from iboot_mm.stores.atomic_files import AtomicLocalBackend

AT_8X8 = ('paper', 'study')  # recipes whose clips are of 8 frames, every 8th


class Evaluation:
    """Runs protocols on networks.

    Args:
        args: The command line.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.videos = LabelledVideos(args.videos, *args.lists, args.class_names) if args.videos else None
        self.suite = RECIPES[args.recipes]
        self.protocols = choose(self.suite, args.protocols)
        self.clips: dict[str, str] = {}  # of protocols whose networks want others than the paper's

    def run(self, networks: list[Network]) -> list[dict]:
        """A row of results for each protocol."""
        self._check(networks)
        for protocol in self.protocols:  # whatever is wrong is told before hours have passed
            for network in networks:
                for base in protocol.configs:
                    self._write_config(protocol, network, base)
        stages = Stages(len(self.protocols) * len(networks))
        rows = []
        for protocol in self.protocols:
            done = []
            for network in networks:
                stages.begin(f'{protocol.title}: {network.name}, seed {network.seed}')
                done.append(self.run_one(protocol, network))
                left = sum(d['seconds'] for d in done) / len(done) * (len(networks) - len(done))
                print(f"  {clock(done[-1]['seconds'])} minutes"
                      + (f', about {clock(left)} left for the other networks' if left else ''), flush=True)
            rows.append(self._row(protocol, done))
        return rows

    def run_one(self, protocol: Protocol, network: Network) -> dict:
        """Figures, counts, time and commands of one protocol on one network; the mean of several configs."""
        parts = [self._run_config(protocol, network, config) for config in protocol.configs]
        figures = {name: sum(part['figures'][name] for part in parts) / len(parts) for name in parts[0]['figures']}
        if len(parts) > 1:
            figures.update({f'{name}, split {split}': part['figures'][name] for split, part in enumerate(parts, 1)
                            for name in part['figures']})
        return dict(figures=figures, counts=parts[0]['counts'], seconds=sum(part['seconds'] for part in parts),
                    commands=[command for part in parts for command in part['commands']])

    def _run_config(self, protocol: Protocol, network: Network, base: str) -> dict:
        folder = self._folder(protocol, network, base)
        config, record = folder / 'recipe' / 'config.py', folder / 'record.json'
        if record.is_file():
            print('  was done before')
            return json.loads(record.read_text())
        start, commands = time.time(), []
        weights = network.weights or 'none'
        if protocol.weights_of is not None:
            source = next(p for p in self.suite if p.name == protocol.weights_of)
            weights = last_checkpoint(self._folder(source, network, source.configs[0]))
        if protocol.trains:
            commands.append(self._call('train', config, folder, '--seed', network.seed, '--resume'))
            weights = last_checkpoint(folder)
        commands.append(self._call('test', config, folder, weights, '--out', folder / 'metrics.json'))
        metrics = json.loads((folder / 'metrics.json').read_text())
        # The time of an interrupted run is that since its last start.
        result = dict(figures=pick(metrics, protocol.metrics), counts=count_videos(Config.fromfile(config)),
                      seconds=time.time() - start, commands=commands, metrics=metrics)
        AtomicLocalBackend().put_text(json.dumps(result, indent=1), record)
        return result

    def _write_config(self, protocol: Protocol, network: Network, base: str) -> None:
        cfg, folder = Config.fromfile(ROOT / 'configs' / base), self._folder(protocol, network, base)
        videos, path = self.videos, folder / 'recipe' / 'config.py'
        if protocol.subset is not None and videos is not None:
            videos = replace(videos, train=self._subset(protocol, network, folder))
        clip = network.clip if self.args.recipes == 'mini' and not protocol.own_clips else None
        adapt(cfg, network.info, network.teacher, clip, videos, self.args.epochs if protocol.trains else None,
              network.seed)
        if self.args.recipes in AT_8X8 and not protocol.own_clips and (clips := set_duration(cfg, network.clip)):
            self.clips[protocol.name] = clips
        if network.weights is not None:
            cfg.load_from = str(network.weights)
        if cfg.test_cfg.type == 'FeatureLoop':
            cfg.test_cfg.store = str(self.args.out / 'features')
        if self.args.cfg_options:
            options = self.args.cfg_options
            cfg.merge_from_dict({key: options[key] for key in options if cfg.get(key.split('.')[0]) is not None})
        cfg.evaluated = dict(weights=network.sha256, lists=digest_lists(cfg))  # so that others never pass for these
        text = config_text(cfg)
        # mmengine's own text is how earlier versions wrote it.
        there = path.read_text() if path.is_file() else text
        if there != text and there != cfg.pretty_text:
            sys.exit(f'{folder} holds a run with other settings, weights or lists: name another --out, or remove that '
                     'folder')
        AtomicLocalBackend().put_text(text, path)

    def _subset(self, protocol: Protocol, network: Network, folder: Path) -> Path:
        """The list with this share of every class; another seed takes others."""
        path = folder / 'subset.txt'
        run([sys.executable, ROOT / 'tools/data/make_subset.py', self.videos.train, path, '--share', protocol.subset,
             '--seed', network.seed], folder / 'log', lambda line: None, cwd=Path.cwd())
        return path

    def _call(self, what: str, config: Path, folder: Path, *arguments: object) -> str:
        """Runs tools/train.py or tools/test.py, in several processes where asked to; returns the command."""
        arguments = ['--work-dir', folder, *arguments] if what == 'train' else [*arguments, '--work-dir', folder]
        command = [sys.executable, ROOT / 'tools' / f'{what}.py', config, *arguments]
        if self.args.processes > 1:
            where = 1 if what == 'train' else 2  # dist_test.sh CONFIG CHECKPOINT GPUS
            tail = command[2:]
            command = ['bash', ROOT / 'tools' / f'dist_{what}.sh', *tail[:where], self.args.processes, *tail[where:]]
        run(command, folder / 'log', show_training, dict(PYTHON=sys.executable), cwd=Path.cwd())
        return shlex.join(['python' if part == sys.executable else os.path.relpath(part) if isinstance(part, Path)
                           else str(part) for part in command])

    def _folder(self, protocol: Protocol, network: Network, base: str) -> Path:
        name = protocol.name if len(protocol.configs) == 1 else Path(base).stem
        return self.args.out / f'{name}_{network.seed}'

    def _row(self, protocol: Protocol, done: list[dict]) -> dict:
        figures = {name: [d['figures'][name] for d in done] for name in done[0]['figures']}
        clips = self.clips.get(protocol.name)  # the paper's figures are of others
        return dict(name=protocol.name, title=protocol.title + (f', clips of {clips}' if clips else ''),
                    paper=None if clips else protocol.paper, source='' if clips else protocol.source,
                    figures=figures, counts=done[0]['counts'], config=', '.join(protocol.configs),
                    seconds=[d['seconds'] for d in done], commands=[c for d in done for c in d['commands']])

    def _check(self, networks: list[Network]) -> None:
        frozen = [p.name for p in self.suite if not p.trains and p.weights_of is None]
        for protocol in self.protocols:
            if any(n.teacher for n in networks) and protocol.name not in frozen:
                sys.exit(f'{protocol.name} trains the network, and a teacher stays frozen: choose from '
                         f'{", ".join(frozen)}')


def pick(metrics: dict[str, float], names: tuple[str, ...]) -> dict[str, float]:
    """The figures of these names, for every label.

    Raises:
        KeyError: there is none of a name.
    """
    found = {}
    for name in names:
        keys = [key for key in metrics if key == name or key.endswith(f'/{name}')]
        if not keys:
            raise KeyError(f'tools/test.py gave no {name}, but {", ".join(metrics)}')
        found.update({key: metrics[key] for key in keys})
    return found
