"""Trains a config, with the arguments of MMAction2's ``tools/train.py``.

Two things that launcher cannot do: a config may say ``_base_ = 'iboot_mm::...'`` (the package is imported before the
config is read), and processes on a CPU run (see ``dist_train.sh``).
"""

import argparse
import os
import signal
from pathlib import Path

if __name__ == '__main__' and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the seconds of importing: no traceback through libraries

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.runner import find_latest_checkpoint

from iboot_mm.engine.ending import ends_in_a_sentence
from iboot_mm.engine.starting import build_runner
from iboot_mm.stores.run_lock import RunLock, lock_run


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a config')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; default: work_dirs/<name of the config>')
    parser.add_argument('--resume', nargs='?', const='auto',
                        help='checkpoint to resume from; without a value, the latest one in the work directory')
    parser.add_argument('--amp', action='store_true', help='train with mixed precision (needs an accelerator)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='take the batch that the config and the processes give, and scale the learning rate to it')
    parser.add_argument('--seed', type=int, help='random seed')
    parser.add_argument('--diff-rank-seed', action='store_true', help='another seed on each process')
    parser.add_argument('--deterministic', action='store_true', help='only deterministic kernels')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        help='settings that override the config: key.sub=value, lists as key="[a,b]"')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torchrun')
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not Path(args.config).is_file():
        parser.error(f'no config file {args.config}')
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """The config with the command line's settings; ``--cfg-options`` prevail over all but ``--resume``."""
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or os.path.join('./work_dirs', Path(args.config).stem)
    if args.amp:
        enable_amp(cfg)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise SystemExit('--auto-scale-lr: the config does not say for which batch its learning rate is; add '
                             'auto_scale_lr=dict(enable=False, base_batch_size=...)')
        cfg.auto_scale_lr.enable = True
    if cfg.get('randomness') is None:
        cfg.randomness = dict(
            seed=args.seed, diff_rank_seed=args.diff_rank_seed, deterministic=args.deterministic)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.resume:
        resume(cfg, args.resume)
    return cfg


def resume(cfg: Config, checkpoint: str) -> None:
    """Goes on from a checkpoint or, with ``'auto'``, from the latest one in the work directory.

    Where there is none yet, training starts from ``load_from``: MMAction2's launcher forgets that one, and a
    fine-tuning that is always called with ``--resume`` would silently start from scratch.
    """
    latest = find_latest_checkpoint(cfg.work_dir) if checkpoint == 'auto' else checkpoint
    if latest is not None:
        cfg.resume, cfg.load_from = True, latest


def enable_amp(cfg: Config) -> None:
    """Turns the optimizer wrapper into one with mixed precision."""
    if get_device() == 'cpu':
        raise SystemExit('--amp needs a GPU: mmengine has no mixed precision on a CPU; leave --amp out')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise SystemExit(f'--amp does not support optim_wrapper.type={kind!r}: use OptimWrapper')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def hold_work_dir(folder: str) -> RunLock | None:
    """Keeps a second training out, before it writes anything; the first process does so for all."""
    if any(os.environ.get(rank, '0') != '0' for rank in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')):
        return None
    try:
        return lock_run(folder)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None


def main() -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    args = parse_args()
    cfg = merge_args(Config.fromfile(args.config), args)
    with ends_in_a_sentence(cfg.work_dir, 'training'):
        lock = hold_work_dir(cfg.work_dir)
        build_runner(cfg).train()
        del lock


if __name__ == '__main__':
    main()
