"""A batch as a config's loaders give it, without its videos.

The config's own transforms run on frames of noise; only what reads a disk is replaced.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from ..datasets.decoders.base import UnreadableVideo, VideoReader

FRAMES, FPS, SHAPE = 9000, 30., (256, 340)  # of a video: five minutes, long enough for VIVI's shots at 1 Hz
LABEL = 'label'


class NoiseReader(VideoReader):
    """A video of noise."""

    num_frames, fps = FRAMES, FPS

    def read(self, indices: Sequence[int]) -> np.ndarray:
        return np.random.default_rng(0).integers(256, size=(len(indices), *SHAPE, 3), dtype=np.uint8)


def _open_video(results: dict, step: dict) -> dict:
    video = NoiseReader()
    if step.get('decoder') == 'picture':
        video.num_frames = 1
    return dict(results, video=video, total_frames=video.num_frames, fps=video.fps)


def _load_targets(results: dict, step: dict) -> dict:
    return dict(results, target=np.zeros(results['widths'][0], np.float16))


def _open_tokens(results: dict, step: dict) -> dict:
    width, side = results['widths'][1], step.get('resolution') or results['widths'][2]
    tokens = np.broadcast_to(np.float16(0), (FRAMES, side, side, width))
    return dict(results, tokens=tokens, every=1, fps=0., total_frames=FRAMES)


def _stock_open(results: dict, step: dict) -> dict:
    return dict(results, total_frames=FRAMES, avg_fps=FPS, start_index=0, video_reader=None)


def _stock_decode(results: dict, step: dict) -> dict:
    frames = [np.zeros((*SHAPE, 3), np.uint8)] * len(np.ravel(results['frame_inds']))
    return dict(results, imgs=frames, img_shape=SHAPE, original_shape=SHAPE)


def _as_it_is(results: dict, step: dict) -> dict:
    return results


STAND_INS: dict[str, Callable[[dict, dict], dict]] = dict(
    OpenVideo=_open_video, LoadTargets=_load_targets, OpenTokens=_open_tokens,
    PytorchVideoWrapper=_as_it_is, ImgAug=_as_it_is,  # other pixels in the same frames, by libraries that are optional
    **{f'{name}Init': _stock_open for name in ('Decord', 'PyAV', 'OpenCV', 'PIMS')},
    **{f'{name}Decode': _stock_decode for name in ('Decord', 'PyAV', 'OpenCV', 'PIMS', 'RawFrame')})


def sample(dataset: dict, widths: tuple[int, int, int] = (512, 768, 14)) -> dict:
    """One sample of a data set.

    Args:
        dataset: Its config; of wrapped ones the first inner one counts.
        widths: Of stored targets, of stored tokens, and the side of their grid.

    Raises:
        ValueError: the pipeline wants something of the disk that is not known here.
    """
    while 'pipeline' not in dataset and ('dataset' in dataset or 'datasets' in dataset):
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    results = dict(_facts(dataset), widths=widths)
    for step in dataset['pipeline']:
        kind = step['type'].split('.')[-1]
        try:
            if kind in STAND_INS:
                results = STAND_INS[kind](results, step)
            else:
                results = TRANSFORMS.build(dict(step))(results)
        except (KeyError, AttributeError, FileNotFoundError, ImportError, UnreadableVideo) as error:
            raise ValueError(f'{kind} of {dataset["type"]} wants {error} of a video, and a dry run has only noise'
                             ) from error
    return results


def widths_of(cfg: Config) -> tuple[int, int, int]:
    """What a model wants of stored targets and of stored tokens: their widths, and the side of the tokens' grid."""
    backbone = cfg.model.get('backbone') or {}
    targets = (cfg.model.get('width') or 512) + (cfg.model.get('motion_width') or 0)
    return targets, backbone.get('stored_width') or 768, backbone.get('resolution') or 14


def batch(loader: dict, videos: int, widths: tuple[int, int, int] = (512, 768, 14)) -> dict:
    """A batch of so many equal samples, each with seeds of its own, in memory of its own."""
    one = sample(loader['dataset'], widths)
    parts = [copy.deepcopy(one) for _ in range(videos)]
    for number, part in enumerate(parts):
        samples = part.get('data_samples')
        if samples is not None and samples.get('view_seeds') is not None:
            seeds = [number * 1000 + view for view in range(len(samples.get('view_seeds')))]
            samples.set_metainfo(dict(view_seeds=seeds))
    return pseudo_collate(parts)


def _facts(dataset: dict) -> dict:
    names = dataset.get('label_names') or [LABEL]
    names = [names] if isinstance(names, str) else list(names)
    every = FRAMES // 5
    return dict(
        filename='noise.mp4', frame_dir='noise', labels={name: 0 for name in names}, label=0, modality='RGB',
        start_index=0, total_frames=FRAMES, sample_idx=0, video_idx=0, role=None, unreadable=[], replaced=False,
        shots=np.array([[i * every, (i + 1) * every] for i in range(5)], np.int32), shot_frames=FRAMES,
        second=FRAMES / FPS / 2, timestamp=902, video_id='noise',
        boxes=np.array([[.3, .3, .7, .7], [.4, .2, .6, .9]]),
        box_labels=np.zeros((2, dataset.get('num_classes', 80)), np.float32),
        activities=[(0, 0., 10.)], filename_tmpl='img_{:05}.jpg')
