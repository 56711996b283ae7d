"""Write the token maps that a config reads in place of videos: its frozen image models see every frame once.

    python tools/data/cache_tokens.py CONFIG [--device cuda] [--workers 8] [--part 0/4]

Which videos, image models, crops and folders is what the config says: `OpenTokens` in the pipelines of its loaders. The
size is told before anything is written. A stopped run goes on with what is missing; several processes or machines share
the work by `--part`. Maps that are older than their video are written anew. A video that cannot be read is noted and
counted, and tried again by the next run; when training reads the maps, it is an unreadable video like any other.

A worker holds one decoded frame and the crops of up to three videos, one in the making and two that wait: 45 MB each
for 10 s at 224 x 224 pixels and 30 frames a second.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator

import iboot_mm  # noqa: F401  (before any config is read)

import numpy as np
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader, Dataset

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.decoders.base import first_line
from iboot_mm.datasets.parallel import show_progress
from iboot_mm.datasets.tokens import TokenStore, check_room, estimate_size, name_below
from iboot_mm.datasets.transforms import CropViews, OpenTokens, OpenVideo
from iboot_mm.stores.identity import digest_weights
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.models.backbones import ImageTMM

CHUNK = 32  # frames that the image models see at once


class WholeVideos(Dataset):
    """All frames of each video, cut as in evaluation.

    Args:
        files: The videos.
        size: Of the square, pixels.
        short_side: To which a frame is scaled before, pixels.
        every: Only every so-th frame.
    """

    def __init__(self, files: list[str], size: int, short_side: int, every: int) -> None:
        self.files, self.every = files, every
        self.crop = CropViews(size=size, short_side=short_side, test_mode=True)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[int, torch.Tensor | str]:
        """The index, and frames uint8 ``(3, F, S, S)`` or why there are none."""
        try:
            return index, torch.from_numpy(self._read(self.files[index])).permute(3, 0, 1, 2)
        except UnreadableVideo as error:
            return index, error.reason
        except (OSError, RuntimeError, ValueError, IndexError) as error:  # as in DecodeViews
            return index, first_line(error)

    def _read(self, path: str) -> np.ndarray:
        """Crops uint8 ``(F, S, S, 3)``."""
        with OpenVideo()(dict(filename=path))['video'] as video:
            kept = range(0, video.num_frames, self.every)
            crops = np.empty((len(kept), self.crop.size, self.crop.size, 3), np.uint8)
            for number, picture in video.pictures(kept):
                view = dict(frames=picture[None], frame_positions=np.zeros((1, 1), int), view_seeds=[0])
                crops[number // self.every] = self.crop(view)['imgs'][0, 0]
        return crops


def find_stores(cfg: Config) -> dict[str, list[str]]:
    """Arguments of each ``OpenTokens`` of a config, as JSON, and the videos whose maps it is to read.

    Raises:
        ValueError: a store is given two roots, below which names may be the same.
    """
    found: dict[str, list[str]] = {}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        dataset = (cfg.get(loader) or {}).get('dataset') or {}
        for part in dataset.get('datasets', [dataset]):
            steps = [step for step in part.get('pipeline', []) if step['type'] == 'OpenTokens']
            if steps:
                options = json.dumps({key: value for key, value in steps[0].items() if key != 'type'}, sort_keys=True)
                files = [str(item['filename']) for item in DATASETS.build(part).load_data_list()]
                found[options] = list(dict.fromkeys(found.get(options, []) + files))
    roots: dict[str, str] = {}
    for step in map(json.loads, found):
        if roots.setdefault(step['store'], step['root']) != step['root']:
            raise ValueError(f"'{step['store']}' would hold videos below '{roots[step['store']]}' and "
                             f"'{step['root']}', whose names may be the same: give each root a store of its own")
    return found


def open_store(step: OpenTokens, model: ImageTMM) -> TokenStore:
    """The store that a pipeline will read, with the digests of the image models' weights in its description."""
    own = [dict(teacher.identity(), digest=digest_weights(teacher.network.state_dict())) for teacher in model.teachers]
    return TokenStore(step.folder, dict(step.about, own=json.loads(json.dumps(own))))


def write(options: dict, files: list[str], args: argparse.Namespace) -> None:
    """Writes what is missing of one store."""
    step = OpenTokens(**options)
    view = {key: step.about[key] for key in ('size', 'short_side', 'every')}
    model = MODELS.build(dict(type='ImageTMM', teacher=options['teacher'], temporal=None,
                              resolution=step.about['resolution'])).to(args.device)
    with torch.no_grad():
        frame = model.image_maps(torch.zeros(1, 3, 1, view['size'], view['size'], device=args.device))
    store = open_store(step, model)
    missing = [file for file in files if not store.has(name_below(step.root, file), file)]
    outdated = sum(store.has(name_below(step.root, file)) for file in missing)
    size = estimate_size(missing, frame.numel() * 2, step.every)
    free = check_room(step.folder, size)
    anew = f'{outdated} of them anew, since their videos are newer than the maps, ' if outdated else ''
    print(f"'{step.folder}': {len(files) - len(missing)} of {len(files)} videos are there; {len(missing)} to write, "
          f'{anew}{frame[0, :, 0].numel()} numbers a frame ({" x ".join(map(str, frame[0, :, 0].shape))}), about '
          f'{size / 1e6:.0f} MB; {free / 1e6:.0f} MB are free.', flush=True)
    place, parts = args.part
    mine = set(files[place::parts])  # whatever the others have written by now
    missing = [file for file in missing if file in mine]
    loader = DataLoader(WholeVideos(missing, **view), batch_size=None, num_workers=args.workers)
    unreadable, start = 0, time.time()
    for index, frames in show_progress(loader, len(missing), 'videos written'):
        name = name_below(step.root, missing[index])
        if isinstance(frames, str):
            unreadable += 1
            print(f'Unreadable video: {missing[index]}: {frames}', flush=True)
            store.put_unreadable(name, frames)
        else:
            store.put(name, torch.cat(list(encode(model, frames, args.device))))
    print(f"'{step.folder}': {len(missing) - unreadable} videos written, {unreadable} could not be read, "
          f'{time.time() - start:.0f} s', flush=True)


@torch.no_grad()
def encode(model: ImageTMM, frames: torch.Tensor, device: str) -> Iterator[torch.Tensor]:
    """Maps ``(F, D, h, w)`` of frames uint8 ``(3, F, S, S)``, in parts."""
    for part in frames.split(CHUNK, dim=1):
        maps = model.image_maps(part.to(device).float().div(255)[None])
        yield maps[0].transpose(0, 1).half().cpu()


def part(text: str) -> tuple[int, int]:
    """'1/4' as (1, 4)."""
    place, _, parts = text.partition('/')
    if not place.isdecimal() or not parts.isdecimal() or not int(place) < int(parts):
        raise argparse.ArgumentTypeError(f'{text!r}: such as 0/4, 1/4, 2/4 and 3/4')
    return int(place), int(parts)


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--device', default=get_device())
    parser.add_argument('--workers', type=int, default=2, help='processes that decode')
    parser.add_argument('--part', type=part, default=(0, 1), help='this process\'s share of the videos')
    args = parser.parse_args()
    init_default_scope('mmaction')
    try:
        found = find_stores(Config.fromfile(args.config))
        if not found:
            sys.exit(f'{args.config} reads no token maps: none of its pipelines has OpenTokens')
        for options, files in found.items():
            write(json.loads(options), files, args)
    except (OSError, ValueError) as error:
        sys.exit(f'cache_tokens: {error}')


if __name__ == '__main__':
    main()
