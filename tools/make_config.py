"""Write a small config for a folder of your own videos, on top of one of configs/mini/*_folder.py.

    python tools/make_config.py OUT.py --videos DIR [--teacher NAME_OR_CONFIG] [--checkpoint FILE]
        [--lists TRAIN [TEST]] [--labels NAME ...] [--hold-out] [--epochs N]
    python tools/make_config.py OUT.py --videos DIR --method advise ...    its tokens: data/cache_tokens.py OUT.py
    python tools/make_config.py OUT.py --videos DIR --method byol ...      without any teacher
    python tools/make_config.py OUT.py --videos DIR --method vivi --shots FILE ...    FILE: tools/data/find_shots.py

Trains on all videos below DIR; without lists there is no k-NN accuracy. Of two lists (`path label` a line, paths
relative to DIR) the first is the gallery, the second holds the queries; with --hold-out only the first is trained on,
so the queries are new to the network. Of one list every fifth video is a query: clips of one recording that fall on
both sides then make k-NN look better than it is.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import iboot_mm  # noqa: F401  (before any config is read)

import torch
from console import METHODS, MINI
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from stages import add_options, check_options

from iboot_mm.datasets import ShotFolder, UnreadableVideo, VideoFolder, open_video
from iboot_mm.datasets.list_file import list_line
from iboot_mm.datasets.listing import parse_list
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.models.teachers.catalog import load_teacher_config

FOLDER_CONFIG = MINI / 'iboot_r18_folder.py'
FOLDER_CONFIGS = dict(advise=MINI / 'advise_tmm_folder.py', vivi=MINI / 'vivi_folder.py')
FEWEST_WITH_SHOTS = 8  # videos that VIVI compares at the least; our choice


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


def split_list(lists: list[Path], folder: Path, labels: Sequence[str] | None) -> list[Path]:
    """Gallery and query list; one list is split, every fifth video a query, and both parts written to ``folder``.

    Raises:
        ValueError: a list to split that cannot be read, or has fewer than five videos.
    """
    if len(lists) == 2:
        return lists
    videos = [list_line(path, values.values()) for path, values in parse_list(str(lists[0]), labels)]
    if len(videos) < 5:
        raise ValueError(f'{lists[0]} has {len(videos)} videos, of which every fifth would be a query: give a longer '
                         'list, or a second one with the queries.')
    parts = {'gallery.txt': [line for i, line in enumerate(videos) if i % 5 != 4], 'query.txt': videos[4::5]}
    for name, lines in parts.items():
        AtomicLocalBackend().put_text('\n'.join(lines) + '\n', folder / name)
    print(f'One list: every fifth video of {lists[0]} is a query. If clips of one recording fall on both sides, k-NN '
          'looks better than it is.')
    return [folder / name for name in parts]


def list_videos(settings: dict, kind: type[VideoFolder] = VideoFolder) -> list[str]:
    """The videos of a data set with these arguments, of which those that are None count as not given."""
    given = {name: value for name, value in settings.items() if value is not None}
    return [item['filename'] for item in kind(**given, lazy_init=True).load_data_list()]


def list_videos_of_shots(train: dict, base: dict) -> list[str]:
    """The videos that have as many shots as a base config's data set wants.

    Raises:
        ValueError: they are too few.
    """
    settings = {name: value for name, value in base.items() if name not in ('type', 'pipeline')} | train
    try:
        files = list_videos(settings, ShotFolder)
        if len(files) < FEWEST_WITH_SHOTS:
            raise ValueError(f"Of the videos of '{train['root']}' {len(files)} have {base['num_shots']} shots of "
                             f'{base["min_length"]} frames, and VIVI compares {FEWEST_WITH_SHOTS} videos at least: add '
                             'footage whose shots are as long, or shorten min_length and shot_len in a config.')
    except ValueError as error:
        raise ValueError(f'{error} (Frames are counted at {base["target_fps"]} a second.) For videos of one shot there '
                         'are METHOD=byol, moco, simclr and swav, and VIVI of single frames: '
                         'configs/mini/vivi_frames_digits.py with your own root.') from None
    return files


def describe(**settings: object) -> str:
    """Arguments of a ``dict(...)`` as text, without those that are None."""
    return ', '.join(f'{name}={value!r}' for name, value in settings.items() if value is not None)


def folder_lines(args: argparse.Namespace, base: Config) -> list[str]:
    """Lines of the config on the data; sets ``args.epochs`` where nothing was said."""
    root = str(args.videos.resolve())
    labels = tuple(args.labels) if args.labels else None
    lists = [str(p.resolve()) for p in split_list(args.lists, args.out.parent, labels)] if args.lists else [None, None]
    gallery, query = (dict(root=root, ann_file=file, label_names=labels) for file in lists)
    train = dict(gallery) if args.hold_out else dict(root=root)
    if args.shots:
        train['shots'] = str(args.shots.resolve())
    files = list_videos_of_shots(train, base.train_dataloader.dataset) if args.shots else list_videos(train)
    if len(files) < 2:
        sys.exit(f'{root} holds {len(files)} video: pre-training needs two at least.')
    if not args.lists:
        # A dozen videos from all over the folder stand in as queries, for the report's neighbours.
        query['indices'] = [i * len(files) // 12 for i in range(12)] if len(files) > 12 else len(files)
    interval, batch = choose_interval(files), base.train_cfg.global_batch
    # AdViSe's validation shows playback rates; its clips for k-NN have a loader of their own.
    rates, knn = ('val', 'knn') if 'knn_dataloader' in base else (None, 'val')
    # As many as two cores do in some minutes, whatever the number of videos; from stored tokens a step is short.
    steps = 2000 if rates else 280
    args.epochs = args.epochs or max(2, round(steps / max(len(files) // batch, 1)))  # an epoch has whole batches only
    print(f'{len(files)} videos to train on, {"in evaluation " if args.shots else ""}clips of 8 frames, every '
          f'{interval}.')
    if args.lists and not args.hold_out:
        print('The queries are among them, without their labels; HOLD_OUT=1 trains on the first list alone.')
    clips = [knn, 'train'] if base.train_pipeline[1].type == 'SampleViews' else [knn]
    lines = [f'_base_.{role}_pipeline[1].frame_interval = {interval}' for role in clips]
    lines += [f"{role} = dict(\n    type='VideoFolder', role={role!r}, test_mode=True, {describe(**part)},\n"
              f'    pipeline=_base_.{knn}_pipeline)' for role, part in (('gallery', gallery), ('query', query))]
    lines += [f'train_dataloader = dict(\n    dataset=dict({describe(**train)}, pipeline=_base_.train_pipeline))',
              f'{knn}_dataloader = dict(dataset=dict(datasets=[gallery, query]))']
    if rates:  # at the highest rate, 4, a clip spans a video of typical length at the most
        step = max(1, interval // 2)
        own = describe(root=root, store=str(args.out.parent.resolve() / 'tokens'), every=step)
        for role in ('train', 'val'):
            lines[:0] = [f'_base_.{role}_pipeline[0].update({own})',
                         f'_base_.{role}_pipeline[1].frame_interval = {step}']
        lines.append(f'val_dataloader = dict(dataset=dict({describe(**(query if args.lists else train))}, '
                     'pipeline=_base_.val_pipeline))')
    lines.append('test_dataloader = val_dataloader')
    # Another list under the same name is another run.
    digests = {' '.join(str(file).splitlines()): hashlib.sha256(file.read_bytes()).hexdigest() for file in args.lists}
    lines[:0] = [f'# {file}: SHA-256 {digest[:16]}' for file, digest in digests.items()]
    neighbors = len(list_videos(gallery)) - 1  # so that one unreadable video changes no k
    if neighbors < base[f'{knn}_evaluator'].k:
        lines += [f'{knn}_evaluator = dict(k={max(1, neighbors)})',
                  *([] if rates else ['test_evaluator = val_evaluator'])]
    if len(files) < batch:
        lines.append(f'train_cfg = dict(global_batch={1 << (len(files).bit_length() - 1)})')
    return lines


def method_lines(method: str) -> list[str]:
    """Lines that put another method in iBoot's place, as its config of moving digits has it; they come first."""
    ours, theirs = (Config.fromfile(METHODS[name]).to_dict() for name in ('iboot', method))
    kept = ('backbone', 'feature_dim', 'data_preprocessor')
    own = {name: value for name, value in theirs['model'].items() if name not in kept}
    hooks = [hook for hook in theirs['custom_hooks'] if hook not in ours['custom_hooks']]
    return [f'model = dict(\n    _delete_=True, {describe(**own)},\n    '
            + ', '.join(f'{name}=_base_.model.{name}' for name in kept) + ')',
            f'custom_hooks = _base_.custom_hooks + {hooks!r}',
            f'_base_.train_pipeline[1].num_views = {theirs["train_pipeline"][1]["num_views"]}']


def model_lines(args: argparse.Namespace, base: Config) -> list[str]:
    """Lines of the config on the teacher and its targets."""
    settings = dict(target_norm=args.target_norm) if args.target_norm else {}
    if args.teacher:
        checkpoint = str(Path(args.checkpoint).resolve()) if args.checkpoint else None
        teacher = load_teacher_config(args.teacher, checkpoint)
        if base.model.backbone.type == 'ImageTMM':
            return token_lines(teacher, base, args.out.parent.resolve() / 'tokens')
        settings['teacher'] = dict(_delete_=True, **teacher)
    return [f'model = dict({describe(**settings)})'] if settings else []


def token_lines(teacher: dict, base: Config, store: Path) -> list[str]:
    """Lines that put the token maps of another image model in the place of a base config's; they come first."""
    size = base.tokens.size
    network = MODELS.build(dict(type='ImageTMM', teacher=teacher, temporal=None))
    _, width, _, side, _ = network.image_maps(torch.zeros(1, 3, 1, size, size)).shape
    resolution = min(side, base.tokens.get('resolution', 3))  # of CLIP's 14 x 14 each frame would take 300 kB
    backbone = describe(teacher=dict(_delete_=True, **teacher), stored_width=width, resolution=resolution)
    changes = (f'.update({describe(store=str(store), resolution=resolution)})', f'.teacher = {teacher!r}')
    return [*(f'_base_.{role}_pipeline[0]{change}' for role in ('train', 'val') for change in changes),
            *(f'{role}_dataloader = dict(dataset=dict(pipeline=_base_.{role}_pipeline))' for role in ('train', 'val')),
            'test_dataloader = val_dataloader', f'model = dict(backbone=dict({backbone}))']


def schedule_lines(epochs: int) -> list[str]:
    """Length of training and of its learning-rate schedule; a single epoch is warm-up."""
    return [f'_base_.train_cfg.update(max_epochs={epochs}, val_interval={max(1, epochs // 5)})',
            f'_base_.default_hooks.checkpoint.interval = {max(1, epochs // 50)}',  # an epoch may be a step
            f'_base_.param_scheduler[-1].end = {epochs}' if epochs > 1 else '_base_.param_scheduler.pop()']


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--base', type=Path, help='config to build on instead; then the data are its own')
    parser.add_argument('--videos', type=Path)
    add_options(parser)
    parser.add_argument('--shots', type=Path, help='shot list of the videos, for --method vivi')
    args = parser.parse_args()
    check_options(args, sys.exit)
    if args.method != 'iboot' and args.base:
        sys.exit(f'{args.base} has a method of its own: leave --method out, or --base.')
    if bool(args.shots) != (args.method == 'vivi'):
        sys.exit('--method vivi and --shots go together: tools/data/find_shots.py writes the list of the shots.')
    init_default_scope('mmaction')
    base_file = (args.base or FOLDER_CONFIGS.get(args.method, FOLDER_CONFIG)).resolve()
    lines = ['# Written by tools/make_config.py.', f'_base_ = {str(base_file)!r}']
    lines += method_lines(args.method) if args.method not in ('iboot', *FOLDER_CONFIGS) else []
    try:
        base = Config.fromfile(base_file)
        lines += model_lines(args, base)
        lines += folder_lines(args, base) if args.videos else []
    except (OSError, ValueError) as error:  # such as no network to fetch an image model's weights by
        sys.exit(str(error))
    text = '\n'.join(lines + (schedule_lines(args.epochs) if args.epochs else [])) + '\n'
    if args.out.is_file() and args.out.read_text() == text:
        return
    AtomicLocalBackend().put_text(text, args.out)


if __name__ == '__main__':
    main()
