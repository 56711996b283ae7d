"""Write a small config for a folder of your own videos, on top of configs/mini/iboot_r18_folder.py.

    python tools/make_config.py OUT.py --videos DIR [--teacher NAME_OR_CONFIG] [--checkpoint FILE]
        [--lists TRAIN [TEST]] [--labels NAME ...] [--epochs N]

Without lists all videos below DIR are used, and there is no k-NN accuracy. With two lists (`path label` a line, paths
relative to DIR) the first is trained on, without its labels, and is the gallery; the second holds the queries. With one
list every fifth line is a query: clips of one recording that fall on both sides then make k-NN look better than it is.
"""

import argparse
import os
import pprint
import sys
from pathlib import Path
from statistics import median

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.config import Config

from iboot_mm.datasets import UnreadableVideo, VideoFolder, open_video
from iboot_mm.models.teachers.catalog import load_teacher_config

ROOT = Path(__file__).resolve().parents[1]
FOLDER_CONFIG = ROOT / 'configs' / 'mini' / 'iboot_r18_folder.py'


def choose_interval(files: list[str], clip_len: int = 8, most: int = 8) -> int:
    """Distance of a clip's frames at which a clip spans about half of a typical video, from 1 to ``most``."""
    lengths = []
    for file in files[::max(len(files) // 10, 1)]:
        try:
            with open_video(file, 'auto', 1) as video:
                lengths.append(video.num_frames)
        except (OSError, UnreadableVideo):
            continue
    return int(min(max(median(lengths) // (2 * clip_len), 1), most)) if lengths else 1


def split_list(lists: list[Path], folder: Path) -> list[Path]:
    """Gallery and query list; one list is split, every fifth line a query, and both parts written to ``folder``."""
    for file in lists:
        if not file.is_file():
            sys.exit(f'There is no list {file}.')
    if len(lists) == 2:
        return lists
    lines = [line for line in lists[0].read_text().splitlines() if line.strip()]
    parts = [folder / 'gallery.txt', folder / 'query.txt']
    parts[0].write_text('\n'.join(line for i, line in enumerate(lines) if i % 5 != 4) + '\n')
    parts[1].write_text('\n'.join(line for i, line in enumerate(lines) if i % 5 == 4) + '\n')
    print(f'One list: every fifth video of {lists[0]} is a query. If clips of one recording fall on both sides, k-NN '
          'looks better than it is.')
    return parts


def folder_settings(args: argparse.Namespace) -> dict:
    """What the config for a folder changes."""
    root = str(args.videos.resolve())
    labels = tuple(args.labels) if args.labels else None
    lists = [str(p.resolve()) for p in split_list(args.lists, args.out.parent)] if args.lists else []
    gallery = dict(root=root, **(dict(ann_file=lists[0], label_names=labels) if lists else {}))
    query = dict(root=root, **(dict(ann_file=lists[1], label_names=labels) if lists else {}))
    files = [item['filename'] for item in VideoFolder(**gallery, lazy_init=True).load_data_list()]
    if not lists:
        # A dozen videos from all over the folder stand in as queries, for the report's neighbours.
        query['indices'] = [i * len(files) // 12 for i in range(12)] if len(files) > 12 else len(files)
    base = Config.fromfile(FOLDER_CONFIG)
    for pipeline in (base.train_pipeline, base.val_pipeline):
        pipeline[1]['frame_interval'] = choose_interval(files)
    val = [dict(type='VideoFolder', role=role, test_mode=True, pipeline=base.val_pipeline, **part)
           for role, part in (('gallery', gallery), ('query', query))]
    val_dataset = dict(type='ConcatDataset', datasets=val)
    batch = base.train_cfg.global_batch
    if len(files) < 2:
        sys.exit(f'{root} holds {len(files)} video: pre-training needs two at least.')
    settings = dict(
        train_dataloader=dict(dataset=dict(pipeline=base.train_pipeline, **gallery)),
        val_dataloader=dict(dataset=val_dataset), test_dataloader=dict(dataset=val_dataset))
    if len(files) < batch:
        settings['train_cfg'] = dict(global_batch=1 << (len(files).bit_length() - 1))
    # As many steps as two cores do in some minutes, whatever the number of videos.
    args.epochs = args.epochs or max(2, round(280 * batch / max(len(files), batch)))
    print(f'{len(files)} videos to train on, clips of 8 frames, every {base.train_pipeline[1]["frame_interval"]}.')
    return settings


def merge(settings: dict, more: dict) -> dict:
    """Adds nested settings to others."""
    for key, value in more.items():
        settings[key] = merge(settings.get(key, {}), value) if isinstance(value, dict) else value
    return settings


def schedule(base: Config, epochs: int) -> dict:
    """Length of training and of its learning-rate schedule."""
    schedulers = [s.to_dict() for s in base.param_scheduler]
    schedulers[-1]['end'] = epochs
    return dict(train_cfg=dict(max_epochs=epochs, val_interval=max(1, epochs // 5)), param_scheduler=schedulers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--base', type=Path, help='config to build on instead; then the data are its own')
    parser.add_argument('--videos', type=Path)
    parser.add_argument('--teacher', help='a ready teacher, a config file, timm:MODEL.TAG or open_clip:MODEL/TAG')
    parser.add_argument('--checkpoint', help="file with the teacher's weights")
    parser.add_argument('--lists', type=Path, nargs='+', default=[])
    parser.add_argument('--labels', nargs='+', help='names of the label columns of the lists')
    parser.add_argument('--epochs', type=int)
    parser.add_argument('--target-norm', choices=['none', 'center', 'standardize'])
    args = parser.parse_args()
    if len(args.lists) > 2:
        sys.exit(f'One list or two (train, test), not {len(args.lists)}.')
    if args.checkpoint and not args.teacher:
        sys.exit(f'{args.checkpoint}: a file of weights cannot say how it wants to be fed; name its teacher, too '
                 '(TEACHER=NAME_OR_CONFIG of make quickstart).')
    args.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        settings = folder_settings(args) if args.videos else {}
        base_file = (args.base or FOLDER_CONFIG).resolve()
        base = Config.fromfile(base_file)
        if args.teacher:
            checkpoint = str(Path(args.checkpoint).resolve()) if args.checkpoint else None
            teacher = load_teacher_config(args.teacher, checkpoint)
            merge(settings, dict(model=dict(teacher=dict(_delete_=True, **teacher))))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    if args.target_norm:
        merge(settings, dict(model=dict(target_norm=args.target_norm)))
    if args.epochs:
        merge(settings, schedule(base, args.epochs))
    text = '# Written by tools/make_config.py.\n' + f'_base_ = {str(base_file)!r}\n\n' + ''.join(
        f'{key} = {pprint.pformat(value, sort_dicts=False, width=100)}\n' for key, value in settings.items())
    if args.out.is_file() and args.out.read_text() == text:
        return
    partial = args.out.with_suffix('.partial')
    partial.write_text(text)
    os.replace(partial, args.out)


if __name__ == '__main__':
    main()
