"""Finds videos by words: the files of a folder whose content fits a sentence best.

    python tools/search_videos.py 'someone plays the violin' my_videos/ \\
        --checkpoint published/iboot_r50_clip_k400-1a2b3c4d.pth

The network must have been trained towards the joint image-text space of an open_clip model; its features of the folder
are stored, so the next sentence reads no video. A folder that changed is read again.
"""

import argparse
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import torch.nn.functional as F
from folder_pass import judge_folder
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import Tensor

from iboot_mm.datasets.video_folder import NoReadableVideo
from iboot_mm.evaluation.metrics.feature_metric import FeatureMetric
from iboot_mm.checkpoints.description import CheckpointInfo, describe_checkpoint
from iboot_mm.models.teachers.text import text_tower_of


class Ranking(FeatureMetric):
    """Sorts videos by their cosine with a sentence's vector ``(D,)``; ``found`` holds (cosine, file), best first."""

    title = 'Search'

    def __init__(self, sentence: Tensor) -> None:
        super().__init__(prefix='search')
        self.sentence = sentence
        self.found: list[tuple[float, str]] = []

    def score(self, samples: list[dict]) -> dict[str, float]:
        cosines = [float(F.cosine_similarity(s['view_features'].mean(0), self.sentence, dim=0)) for s in samples]
        self.found = sorted(zip(cosines, (s['filename'] for s in samples)), reverse=True)
        return {}


def search(sentence: str, folder: str, info: CheckpointInfo, store: str = 'work_dirs/search',
           text_weights: str | None = None, num_clips: int = 4, batch_size: int = 8,
           num_workers: int = 0) -> list[tuple[float, str]]:
    """The videos of a folder, best first.

    Args:
        sentence: What to look for.
        folder: Videos, nested.
        info: The checkpoint.
        store: Folder for the features.
        text_weights: File of the whole image-text model, where the teacher's weights came from a local file.
        num_clips: Clips per video, spread evenly over it; their features are averaged.
        batch_size: Videos at once.
        num_workers: Processes that read videos.

    Returns:
        ``(cosine, file)`` of every video that can be read.

    Raises:
        ValueError: the checkpoint has no teacher that knows words.
        FileNotFoundError: there is no such folder, or no video in it.
    """
    try:
        target, text = text_tower_of(info.teachers)
    except ValueError as error:
        raise ValueError(f'{info.path}: {error}') from None
    if text_weights is not None:
        text['checkpoint'] = text_weights
    elif not Path(text.get('checkpoint', '.')).exists() and '://' not in text['checkpoint']:
        raise FileNotFoundError(f"the teacher's weights came from a file, {text['checkpoint']}, which is not here: "
                                'name it with --text-weights')
    config = dict(type='JointSpaceEncoder', backbone=info.backbone, feature_dim=info.feature_dim, target=target,
                  width=info.teachers[target]['width'], target_norm=info.target_norm, temporal_pool=info.temporal_pool,
                  normalization=info.normalization)
    model = MODELS.build(config)
    model.load_state_dict(info.state, strict=False)  # the encoder itself is strict about what it needs
    ranking = Ranking(MODELS.build(text)([sentence])[0])
    judge_folder(model, config, info, folder, ranking, store, num_clips, batch_size, num_workers)
    return ranking.found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sentence', help='what to look for, in English')
    parser.add_argument('folder', help='folder of videos, nested')
    parser.add_argument('--checkpoint', required=True,
                        help='file of tools/convert/publish.py, folder of export_hub.py, or training checkpoint')
    parser.add_argument('--config', help='of a training checkpoint; default: the one that lies beside it')
    parser.add_argument('--top', type=int, default=10, help='videos to print')
    parser.add_argument('--store', default='work_dirs/search', help='folder for the features')
    parser.add_argument('--text-weights', help="file of the whole image-text model, for a teacher's local weights")
    parser.add_argument('--clips', type=int, default=4, help='clips per video')
    parser.add_argument('--batch-size', type=int, default=8, help='videos at once')
    parser.add_argument('--workers', type=int, default=2, help='processes that read videos')
    args = parser.parse_args()
    init_default_scope('mmaction')
    try:
        found = search(args.sentence, args.folder, describe_checkpoint(args.checkpoint, args.config), args.store,
                       args.text_weights, args.clips, args.batch_size, args.workers)
    except (OSError, ValueError, NoReadableVideo) as error:
        raise SystemExit(f'search_videos: {error}') from error
    for cosine, file in found[:args.top]:
        print(f'{cosine:.3f}  {file}')


if __name__ == '__main__':
    main()
