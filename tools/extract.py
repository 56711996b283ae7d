"""Writes the features of a folder's videos to a file, one row per video.

    python tools/extract.py work_dirs/RUN my_videos/ --out features.npz

CHECKPOINT is a work dir, a training checkpoint, a published file or an exported folder. The file holds `features`,
float32 (n_videos, D), the average of each video's clips, and `files`, their paths below the folder: read both by
`numpy.load('features.npz')`. Videos that cannot be read are named and left out. What has been read is stored beside the
file as it comes, so the same command goes on where it was stopped.
"""

import argparse
import io
import os
import sys
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import numpy as np
import torch
from folder_pass import judge_folder
from mmengine.registry import init_default_scope

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.listing import VIDEO_EXTENSIONS, scan_folder
from iboot_mm.datasets.video_folder import NoReadableVideo
from iboot_mm.evaluation.metrics.feature_metric import FeatureMetric
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.stores.atomic_files import AtomicLocalBackend


class Collected(FeatureMetric):
    """Keeps the videos' features: ``found`` holds (file, feature ``(D,)``)."""

    title = 'Features'

    def __init__(self) -> None:
        super().__init__(prefix='features')
        self.found: list[tuple[str, torch.Tensor]] = []

    def score(self, samples: list[dict]) -> dict[str, float]:
        self.found = [(sample['filename'], sample['view_features'].float().mean(0)) for sample in samples]
        return {}


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint')
    parser.add_argument('folder', help='videos, nested')
    parser.add_argument('--out', type=Path, required=True, help='file to write (.npz)')
    parser.add_argument('--config', help='of a training checkpoint; default: the one that lies beside it')
    parser.add_argument('--clips', type=int, default=4, help='clips per video')
    parser.add_argument('--batch-size', type=int, default=8, help='videos at once')
    parser.add_argument('--workers', type=int, default=2, help='processes that read videos')
    args = parser.parse_args()
    if args.out.suffix != '.npz':
        parser.error(f'--out {args.out}: the file is one of numpy, so its name ends in .npz')
    init_default_scope('mmaction')
    metric, store = Collected(), args.out.with_suffix('.parts')
    try:
        wanted = scan_folder(args.folder, VIDEO_EXTENSIONS) if os.path.isdir(args.folder) else []
        info = describe_checkpoint(args.checkpoint, args.config)
        network = dict(type='VideoEncoder', backbone=info.backbone, normalization=info.normalization)
        judge_folder(info.build_encoder(), network, info, args.folder, metric, store, args.clips, args.batch_size,
                     args.workers)
    except (OSError, ValueError, NoReadableVideo) as error:
        sys.exit(f'extract: {error}')
    found = sorted(metric.found, key=lambda pair: pair[0])
    for file in sorted({os.path.abspath(f) for f in wanted} - {os.path.abspath(f) for f, _ in found}):
        print(f'{file} cannot be read and is left out', file=sys.stderr)
    memory = io.BytesIO()
    np.savez(memory, features=torch.stack([feature for _, feature in found]).numpy(),
             files=np.array([os.path.relpath(file, args.folder) for file, _ in found]))
    AtomicLocalBackend().put(memory.getvalue(), args.out)
    print(f'{args.out}: features of {len(found)} videos, {found[0][1].numel()} numbers each')


if __name__ == '__main__':
    main()
