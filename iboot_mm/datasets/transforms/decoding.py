"""From a file to frames: every frame that any view needs is decoded once."""

from typing import ClassVar

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

from ...ranges import at_least
from ..decoders import UnreadableVideo, get_decoder
from ..decoders.array import ArrayReader
from ..decoders.base import first_line


@TRANSFORMS.register_module()
class OpenVideo(BaseTransform):
    """Open the video at `filename`.

    Required keys: `filename`. Added keys: `video` (a `VideoReader`), `total_frames`, `fps`.

    Args:
        decoder (str): 'pyav', 'decord', 'torchcodec', 'opencv', 'frames' (`filename` is a folder of pictures),
            'picture' (`filename` is one picture), 'frame_cache' (decoded once, for small sets), or 'auto': PyAV.
        num_threads (int): Threads per reader; 1 where data workers fill the cores already.
        options: Further arguments of the decoder, such as `fps` of 'frames' and `folder` of 'frame_cache'.

    Raises:
        ValueError: If there is no such decoder.
        UnreadableVideo: If `filename` holds no video.
    """

    def __init__(self, decoder: str = 'auto', num_threads: int = 1, **options: object) -> None:
        # Now, so that an unknown word stops the run before its first batch, and started workers get the function.
        self._open = get_decoder(decoder)
        at_least(0, 'OpenVideo', num_threads=num_threads)
        self.decoder = decoder
        self.num_threads = num_threads
        self.options = options

    def transform(self, results: dict) -> dict:
        """See the class."""
        path = str(results['filename'])
        try:
            video = self._open(path, num_threads=self.num_threads, **self.options)
        except OSError as error:
            raise UnreadableVideo(path, first_line(error)) from error
        if video.num_frames < 1:
            raise UnreadableVideo(path, 'it holds no frame')
        results['video'] = video
        results['total_frames'] = video.num_frames
        results['fps'] = video.fps
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(decoder='{self.decoder}', num_threads={self.num_threads})"


@TRANSFORMS.register_module()
class OpenArray(BaseTransform):
    """Take frames from memory in the place of `OpenVideo`, as MMAction2's inferencer does for arrays.

    Required keys: `array` uint8 (T, H, W, 3), RGB; `fps` if known. Removed key: `array`.
    Added keys: `video` (a `VideoReader`), `total_frames`, `fps`, and a `filename` for messages.

    Raises:
        ValueError: For an array of another shape or type.
    """

    def transform(self, results: dict) -> dict:
        """See the class."""
        video = ArrayReader(results.pop('array'), results.get('fps') or 0.)
        results.update(video=video, total_frames=video.num_frames, fps=video.fps)
        results.setdefault('filename', 'array')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class DecodeViews(BaseTransform):
    """Decode the union of the frames of all views in one pass and close the video.

    Required keys: `video`, `frame_inds` (V, T). Removed key: `video`.
    Added keys: `frames` uint8 (U, H, W, 3), `frame_positions` int64 (V, T) into U, `original_shape` (H, W).

    A video whose decoded frames are all of one and the same colour is named in a warning, once in each process.

    Raises:
        UnreadableVideo: If one of the frames does not decode.
    """

    _blank: ClassVar[set[str]] = set()  # videos that have been named

    def transform(self, results: dict) -> dict:
        """See the class."""
        video = results.pop('video')
        union, positions = np.unique(results['frame_inds'], return_inverse=True)
        try:
            frames = video.read(union)
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            raise UnreadableVideo(str(results['filename']), first_line(error)) from error
        finally:
            video.close()
        self._look_for_blank(str(results['filename']), frames)
        results['frames'] = frames
        results['frame_positions'] = positions.reshape(results['frame_inds'].shape)
        results['original_shape'] = frames.shape[1:3]
        return results

    def _look_for_blank(self, path: str, frames: np.ndarray) -> None:
        colour = frames[:1, :1, :1]
        # A grid of pixels tells other videos apart at no cost.
        if path in self._blank or (frames[:, ::16, ::16] != colour).any() or (frames != colour).any():
            return
        self._blank.add(path)
        print_log(f"All {len(frames)} frames that were decoded of '{path}' are of one colour, RGB "
                  f'{tuple(colour.ravel().tolist())}: if a player shows more than that, leave the video out.',
                  'current', level=30)

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
