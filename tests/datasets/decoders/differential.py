"""Every decoder against decoding in order, on videos of every kind.

    python -m tests.datasets.decoders.differential [FILES]

prints the table of docs/videos.md, or, given files, what each decoder makes of them.
"""

import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from iboot_mm.datasets.decoders import UnreadableVideo, open_video
from iboot_mm.datasets.decoders.contents import first_video_stream
from tests.datasets.decoders.kinds import kinds

DECODERS = [name for name, library in dict(pyav='av', decord='decord', opencv='cv2', torchcodec='torchcodec').items()
            if importlib.util.find_spec(library)]
TOLERANCE = 2  # of 255: libraries bring FFmpegs of several years


def decoded_in_order(path: str) -> list[np.ndarray]:
    """The truth: every frame that comes out when the whole file is decoded once, upright."""
    frames = []
    with av.open(path) as container:
        for packet in container.demux(first_video_stream(container, path)):
            try:
                frames += packet.decode()
            except av.FFmpegError:
                continue  # a broken packet
    return [np.rot90(frame.to_ndarray(format='rgb24'), round(frame.rotation / 90) % 4) for frame in frames]


def first_difference(read: Callable, truth: list[np.ndarray], seed: int = 0) -> str:
    """Reads random sets of frames from one open video: the first that is another than in truth, or ''."""
    rng, count = np.random.default_rng(seed), len(truth)
    sets = [rng.choice(count, min(size, count), replace=False) for size in (1, 1, 1, 4, 1)]
    for indices in [np.array([count - 1]), *map(np.sort, sets), np.arange(count)]:
        for index, frame in zip(indices, read(indices), strict=True):
            if frame.shape != truth[index].shape:
                return f'frame {index} is {frame.shape}, not {truth[index].shape}'
            difference = np.abs(frame.astype(int) - truth[index]).max()
            if difference > TOLERANCE:
                return f'frame {index} differs by {difference}'
    return ''


def verdict(path: str, decoder: str, truth: list[np.ndarray], **options) -> str:
    """What a decoder makes of a file.

    Returns:
        str: 'equal', 'PyAV: REASON' (handed over), 'refused: REASON' or 'WRONG: WHAT'.
    """
    try:
        with open_video(path, decoder, **options) as reader:
            if reader.num_frames != len(truth):
                return f'WRONG: {reader.num_frames} frames of {len(truth)}'
            if reader.truncated:
                return 'WRONG: the whole file is called cut off'
            if getattr(reader, 'stand_in', None) is None:
                difference = first_difference(reader.read, truth)
                if difference:
                    return f'WRONG: {difference}'
            if getattr(reader, 'stand_in', None) is None:
                return 'equal'
            return f'PyAV: {reader.index.quirk or "the library fails or counts other frames"}'
    except UnreadableVideo as error:
        return f'refused: {error.reason}'


def table(folder: Path) -> str:
    """A row for files of which all decoders make the same, in Markdown."""
    endings: dict[tuple, list[str]] = {}
    for kind in kinds():
        path = folder / f'{kind}'
        kind.write(path)
        truth = decoded_in_order(str(path))
        verdicts = [verdict(str(path), decoder, truth) for decoder in DECODERS]
        verdicts.append(verdict(str(path), 'frame_cache', truth, folder=str(folder / 'frame_cache')))
        endings.setdefault((kind.codec, kind.structure, *verdicts), []).append(kind.ending)
    structures: dict[tuple, list[str]] = {}
    for (codec, structure, *verdicts), where in endings.items():
        structures.setdefault((codec, ', '.join(where), *verdicts), []).append(structure)
    rows = [('codec', 'structure', 'files', *DECODERS, 'frame_cache'), ('---',) * (4 + len(DECODERS))]
    rows += [(codec, ', '.join(which), where, *verdicts) for (codec, where, *verdicts), which in structures.items()]
    return '\n'.join('| ' + ' | '.join(row) + ' |' for row in rows)


def main() -> None:
    av.logging.set_level(av.logging.PANIC)
    for path in sys.argv[1:]:
        truth = decoded_in_order(path)
        for decoder in DECODERS:
            print(f'{path}: {decoder}: {verdict(path, decoder, truth)}')
    if not sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            print(table(Path(folder)))


if __name__ == '__main__':
    main()
