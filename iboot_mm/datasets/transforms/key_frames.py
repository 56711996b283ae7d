"""Clips around key frames, and the boxes of what is in them (large-scale study, appendix B.3)."""

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from ...ranges import at_least
from ..decoders import UnreadableVideo
from .cropping import Crop, rescale, scaled_size
from .packing import PackViews
from .sampling import SampleViews


@TRANSFORMS.register_module()
class SampleKeyFrame(SampleViews):
    """One clip of T frames with the key frame in its middle, as PySlowFast and MMAction2 place it.

    Frames lie at `key + (t - T // 2) * frame_interval` for t = 0 ... T - 1; what lies outside of the video is its first
    or last frame.

    Required keys: `total_frames`, `fps`, `second` (of the key frame, from the video's start), `sample_idx`.
    Added keys: `frame_inds` int64 (1, T), `view_seeds`.

    Args:
        clip_len (int): T.
        frame_interval (float): In frames of the video, or in ticks of `target_fps`.
        target_fps (float, optional): Clock of `frame_interval` in Hz; the study's frames are at 30.
        test_mode (bool): As in `SampleViews`.

    Raises:
        UnreadableVideo: If the video ends before its key frame, or its frame rate is unknown.
    """

    def __init__(self, clip_len: int = 8, frame_interval: float = 8, target_fps: float | None = None,
                 test_mode: bool = False) -> None:
        super().__init__(1, clip_len, frame_interval, target_fps=target_fps, test_mode=test_mode)

    def transform(self, results: dict) -> dict:
        """See the class."""
        fps, total_frames, second = results.get('fps') or 0., results['total_frames'], results['second']
        if not fps:
            raise UnreadableVideo(results['filename'], 'its frame rate, by which key frames are found, is unknown')
        key = round(second * fps)
        if not 0 <= key < total_frames + fps:  # files end up to a second early
            raise UnreadableVideo(results['filename'], f'its key frame at {second:g} s is outside of its '
                                  f'{total_frames / fps:.1f} s: is `start` of the data set right?')
        step = self.frame_interval * (fps / self.target_fps if self.target_fps else 1.)
        inds = key + (np.arange(self.clip_len) - self.clip_len // 2) * step
        results['frame_inds'] = np.clip(np.floor(inds + 1e-6).astype(np.int64), 0, total_frames - 1)[None]
        results['view_seeds'] = self._view_seeds(results)
        return results


@TRANSFORMS.register_module()
class ScaleViews(BaseTransform):
    """Scale whole pictures to a short side, without a crop.

    Required keys: `frames` (U, H, W, 3), `frame_positions` (V, T). Removed keys: these. Added keys: `imgs` uint8
    (V, T, h, w, 3), `img_shape` (h, w).

    Args:
        short_side (int): In pixels.
    """

    def __init__(self, short_side: int = 256) -> None:
        at_least(1, 'ScaleViews', short_side=short_side)
        self.short_side = short_side

    def transform(self, results: dict) -> dict:
        """See the class."""
        frames, positions = results.pop('frames'), results.pop('frame_positions')
        height, width = frames.shape[1:3]
        width, height = scaled_size(height, width, self.short_side)
        scaled = np.stack([rescale(frame, width, height) for frame in frames])
        results['imgs'] = scaled[positions]
        results['img_shape'] = (height, width)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(short_side={self.short_side})'


@TRANSFORMS.register_module()
class CropBoxes(BaseTransform):
    """Let the boxes follow the crop and flip of the one view; those of which nothing is left go, with their labels.

    Required keys: `boxes` (N, 4) in shares of the frame, `crops` and `img_shape` of `CropViews`, `original_shape`.
    Changed keys: `boxes` in shares of the crop, cut off at its borders; `box_labels` (N, C).

    Raises:
        ValueError: If there are several views.
    """

    def transform(self, results: dict) -> dict:
        """See the class."""
        if len(results['crops']) != 1:
            raise ValueError(f"CropBoxes: boxes are those of one view, got {len(results['crops'])}.")
        crop, flip = results['crops'][0]
        boxes = crop_boxes(results['boxes'], crop, flip, results['original_shape'], results['img_shape'][0])
        left = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        results['boxes'], results['box_labels'] = boxes[left], results['box_labels'][left]
        return results


def crop_boxes(boxes: np.ndarray, crop: Crop, flip: bool, shape: tuple[int, int], size: int) -> np.ndarray:
    """Boxes (N, 4) in shares of a frame of `shape` (H, W) as shares of its crop, inside of [0, 1]."""
    (left, top, right, bottom), scaled, corner = crop
    origin, extent = np.array([left, top]), np.array([right - left, bottom - top])
    pixels = boxes.reshape(-1, 2, 2) * np.array(shape[::-1])  # corners (N, 2, 2) as x, y
    shares = ((pixels - origin) * np.array(scaled) / extent - np.array(corner)) / size
    if flip:
        shares[..., 0] = 1 - shares[:, ::-1, 0]
    return shares.clip(0, 1).reshape(-1, 4)


@TRANSFORMS.register_module()
class PackKeyFrame(PackViews):
    """`PackViews` with the boxes of a key frame, in shares of the picture that the network sees.

    Required keys: those of `PackViews`, `boxes`, `video_id`, `timestamp`, and `box_labels` or `person_scores`. The
    sample has, as in MMAction2 but for the shares, `gt_instances` with `bboxes` float64 (N, 4) and `labels` (N, C) in
    training, `proposals` with `bboxes` and `scores` (N,) in the test; `video_id` and `timestamp` in its metainfo.
    """

    def transform(self, results: dict) -> dict:
        """See the class."""
        packed = super().transform(results)
        sample, boxes = packed['data_samples'], torch.as_tensor(results['boxes'], dtype=torch.float64)
        sample.set_metainfo(dict(video_id=results['video_id'], timestamp=results['timestamp']))
        if 'box_labels' in results:
            sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.as_tensor(results['box_labels']).float())
        else:
            sample.proposals = InstanceData(bboxes=boxes, scores=torch.as_tensor(results['person_scores']))
        return packed
