"""Evaluates a checkpoint, with the arguments of MMAction2's ``tools/test.py`` and ``--out``."""

import argparse
import json
import os
import signal
from pathlib import Path

if __name__ == '__main__' and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the seconds of importing: no traceback through libraries

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.engine.ending import ends_in_a_sentence
from iboot_mm.engine.model_wrapper import unwrap
from iboot_mm.engine.starting import build_runner


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Evaluate a checkpoint')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file; `none` for a model that brings its weights itself')
    parser.add_argument('--work-dir', help='folder for logs and figures; default: work_dirs/<name of the config>')
    parser.add_argument('--out', type=Path, help='file (.json) for the figures')
    parser.add_argument('--dump', help='file (.pkl) for the predictions')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        help='settings that override the config: key.sub=value, lists as key="[a,b]"')
    parser.add_argument('--show-dir', help='folder for pictures of the predictions')
    parser.add_argument('--show', action='store_true', help='show the predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='show every n-th sample')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds to show each window')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torchrun')
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not Path(args.config).is_file():
        parser.error(f'no config file {args.config}')
    if args.dump and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error(f'--dump {args.dump}: predictions are pickled, so the file must end in .pkl or .pickle')
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """The config with the command line's settings."""
    if args.show or args.show_dir is not None:
        if 'visualization' not in cfg.default_hooks:
            raise SystemExit("--show needs default_hooks.visualization=dict(type='VisualizationHook') in the config")
        cfg.default_hooks.visualization.update(
            enable=True, show=args.show, wait_time=args.wait_time, out_dir=args.show_dir, interval=args.interval)
    if cfg.get('test_evaluator') is None:
        raise SystemExit(f'{args.config} has no test_evaluator, test_dataloader and test_cfg to evaluate with')
    if args.dump is not None:
        evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
        cfg.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=args.dump)]
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or os.path.join('./work_dirs', Path(args.config).stem)
    cfg.load_from = None if args.checkpoint == 'none' else args.checkpoint
    return cfg


def write_json(metrics: dict[str, float], path: Path) -> None:
    """Writes the figures whole or not at all."""
    text = json.dumps({name: float(value) for name, value in metrics.items()}, indent=1)
    AtomicLocalBackend().put_text(text + '\n', path)


def main() -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    args = parse_args()
    cfg = merge_args(Config.fromfile(args.config), args)
    with ends_in_a_sentence(cfg.work_dir, 'test'):
        test(cfg, args)


def test(cfg: Config, args: argparse.Namespace) -> None:
    """Tests, and writes the figures."""
    runner = build_runner(cfg)
    if args.checkpoint == 'none' and not hasattr(unwrap(runner.model), 'identity'):
        raise SystemExit(f'{args.config} builds a model with weights to load, so `none` would test random ones: name a '
                         'checkpoint')
    metrics = runner.test()
    if args.out is not None and is_main_process():
        write_json(metrics, args.out)


if __name__ == '__main__':
    main()
