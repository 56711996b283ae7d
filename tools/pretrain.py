"""Pre-trains a video network on a folder of videos, without labels, and writes a page to look at.

    python tools/pretrain.py my_videos/ --out run                                 teacher: timm's MobileNetV2
    python tools/pretrain.py my_videos/ --out run --teacher clip_vit_b16          or another image model
    python tools/pretrain.py my_videos/ --out run --teacher timm:resnet18 --checkpoint resnet18.pth    no hub needed
    python tools/pretrain.py my_videos/ --out run --method byol                   without any teacher
    python tools/pretrain.py my_videos/ --out run --lists train.txt test.txt      with labels also k-NN accuracy

A few minutes on two cores, whatever the number of videos; --epochs trains longer. The same command goes on where it was
stopped. --out then holds config.py, checkpoints, logs and report.html. `make quickstart VIDEOS=DIR` does the same, and
installs what it needs.
"""

import argparse
import os
import sys
from pathlib import Path

from console import Stages, quiet, run
from stages import LOG, add_options, check_options, evaluate, find_shots, measure_gain, num_processes, pretrain, tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('videos', type=Path, help='folder of videos, nested')
    parser.add_argument('--out', type=Path, help='folder for the run (default: work_dirs/pretrain_FOLDER_METHOD)')
    add_options(parser)
    parser.add_argument('--processes', type=int, help='default: one per GPU, two on a CPU')
    args = parser.parse_args()
    if not args.videos.is_dir():
        parser.error(f'there is no folder {args.videos}')
    check_options(args, parser.error)
    if args.processes is not None and args.processes < 1:
        parser.error(f'--processes {args.processes}: one at the least')
    args.out = (args.out or Path('work_dirs', f'pretrain_{args.videos.resolve().name}_{args.method}')).resolve()
    args.checkpoint = args.checkpoint and args.checkpoint.resolve()
    if args.teacher and Path(args.teacher).is_file():
        args.teacher = str(Path(args.teacher).resolve())
    args.motion, args.shots = False, args.out / 'shots.jsonl' if args.method == 'vivi' else None
    return args


def main() -> None:
    args = parse_args()
    gain = args.method == 'advise' and args.lists
    stages = Stages(3 + bool(gain) + (args.method == 'vivi'))
    args.out.mkdir(parents=True, exist_ok=True)
    if args.method == 'vivi':
        stages.begin('Shots: where one scene ends and another begins')
        find_shots(sys.executable, args, args.out / LOG)
    stages.begin(f'Pre-training, into {args.out}')
    args.processes = num_processes(sys.executable, args.processes)
    config, checkpoint = pretrain(sys.executable, args, args.out, args.method)
    stages.begin('Evaluation by k-NN on frozen features')
    evaluate(sys.executable, config, args.out, checkpoint, {})
    table = args.out / 'knn_table.txt'
    if gain:
        stages.begin('Fine-tuning on labels, with and without pre-training')
        table = measure_gain(sys.executable, args.method, config, args.out, {'AdViSe': checkpoint})
    stages.begin('Report')
    run(tool(sys.executable, 'analysis/report.py', args.out, '--config', config), args.out / LOG, quiet)
    print(f'\n{table.read_text()}\nReport:  {os.path.relpath(args.out / "report.html")}\n'
          f'Weights: {os.path.relpath(checkpoint)}')


if __name__ == '__main__':
    main()
