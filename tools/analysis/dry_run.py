"""What a recipe needs of its GPUs, told on any machine: memory, the largest batch, exchanges, time, and waits.

    python tools/analysis/dry_run.py configs/iboot_r50_clip_k400.py --gpus 8 --gpu h100-80
    python tools/analysis/dry_run.py CONFIG --gpus 1 --gpu rtx4090 --bf16 --with-cp --decode-on /data/my_videos
    python tools/analysis/dry_run.py --table CONFIG ... --gpus 8 --gpu a100-80 --bf16    # a line of each

The real step runs, on tensors that have a shape and a device and no values (`iboot_mm.dry_run`). Teachers are built
without their weights. Memory is counted as torch's allocator counts it; times are a roofline at a stated share of the
GPU's peaks. How far both can be trusted: docs/gpus.md.
"""

import argparse
import functools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

from iboot_mm.dry_run.fit import largest
from iboot_mm.dry_run.forecast import forecast
from iboot_mm.dry_run.gpus import GPUS, gpu_named
from iboot_mm.dry_run.recipe import Settings, batch_of, loaders
from iboot_mm.dry_run.report import Asked, facts, table, text
from iboot_mm.dry_run.step import dry_run
from iboot_mm.dry_run.work import Roofline
from iboot_mm.ranges import above_zero, in_unit_interval
from iboot_mm.stores.atomic_files import AtomicLocalBackend


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    parser.add_argument('--table', action='store_true', help='one line of Markdown for each config')
    parser.add_argument('--gpus', type=int, default=8)
    parser.add_argument('--gpu', choices=GPUS, default='a100-80')
    precision = parser.add_mutually_exclusive_group()
    for name, what in (('fp32', 'float32'), ('amp', 'float16 with a loss scale, as tools/train.py --amp'),
                       ('bf16', 'bfloat16')):
        precision.add_argument(f'--{name}', dest='precision', action='store_const', const=name,
                               default='config', help=f'{what}; by default what the config says')
    parser.add_argument('--with-cp', action='store_true', help="compute the backbone's blocks anew going backward")
    parser.add_argument('--channels-last', action='store_true', help="the backbone's memory layout")
    parser.add_argument('--videos', type=int, help='of an epoch; by default the official number of the config\'s list')
    parser.add_argument('--mfu', type=float, default=.4, help='share of the peak arithmetic')
    parser.add_argument('--bandwidth', type=float, default=.7, help='share of the peak bandwidth')
    parser.add_argument('--link', type=float, help="GB/s between GPUs in one direction; by default the GPU's own")
    decoding = parser.add_mutually_exclusive_group()
    decoding.add_argument('--decode-rate', type=float, help='samples that one core prepares in a second')
    decoding.add_argument('--decode-on', help='a folder of videos on which to measure that, here and now')
    parser.add_argument('--no-largest', action='store_true', help='do not look for the largest batch')
    parser.add_argument('--out', type=Path, help='folder (a work dir, say) for dry_run.json, which report.py shows')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='as for tools/train.py')
    args = parser.parse_args()
    if args.out and len(args.configs) > 1:
        parser.error('--out holds what is found of one config: leave it out, or name one')
    if args.out and args.table:
        parser.error('--table is printed only: leave --out out')
    numbers = {name: getattr(args, name) for name in ('mfu', 'bandwidth', 'link', 'decode_rate', 'videos')}
    try:
        above_zero('options', **{name: value for name, value in numbers.items() if value is not None})
        in_unit_interval('options', mfu=args.mfu, bandwidth=args.bandwidth)
    except ValueError as error:
        parser.error(str(error))
    return args


def decode_rate(cfg: Config, folder: str, seconds: float = 5.) -> float:
    """Samples a second that one core prepares of the videos of a folder by the config's own pipeline."""
    from mmaction.registry import DATASETS

    init_default_scope(cfg.get('default_scope', 'mmaction'))
    pipeline = [step for step in loaders(cfg)[0]['dataset']['pipeline'] if step['type'] != 'LoadTargets']
    videos = DATASETS.build(dict(type='VideoFolder', root=folder, pipeline=pipeline))
    videos[0]  # imports
    start, count = time.perf_counter(), 0
    while (took := time.perf_counter() - start) < seconds:
        videos[count % len(videos)]
        count += 1
    return count / took


def dry_run_of(file: str, args: argparse.Namespace) -> dict:
    """What is found of one config.

    Raises:
        ValueError: it trains nothing, or its batch cannot be split.
        FileNotFoundError: there is no such config, or no folder of videos.
    """
    cfg = Config.fromfile(file)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    gpu = gpu_named(args.gpu)
    settings = Settings(args.precision, args.with_cp or None, args.channels_last or None)
    rate = decode_rate(cfg, args.decode_on) if args.decode_on else args.decode_rate
    plan = batch_of(cfg, args.gpus)
    asked = Asked(cfg, settings, plan, Roofline(gpu, args.mfu, args.bandwidth), args.link, rate,
                  args.cfg_options or {})
    with dry_run(cfg, gpu, args.gpus, settings) as run:
        step = run.step(plan.per_process, plan.accumulation)
        fit = None if args.no_largest else largest(run, gpu, plan, functools.partial(batch_of, cfg, args.gpus))
    return facts(asked, step, forecast(cfg, step, plan, asked.roofline, args.link, args.videos), fit)


def all_found(args: argparse.Namespace) -> Iterator[dict]:
    """What is found of each config, one after the other."""
    for file in args.configs:
        try:
            yield dry_run_of(file, args)
        except (ValueError, FileNotFoundError) as error:
            sys.exit(f'dry_run: {error}')


def main() -> None:
    args = parse_args()
    if args.table:
        for line in table(all_found(args)):
            print(line, flush=True)
        return
    for found in all_found(args):
        print(text(found), flush=True)
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            AtomicLocalBackend().put_text(json.dumps(found, indent=1), args.out / 'dry_run.json')


if __name__ == '__main__':
    main()
