"""Make videos small once, so that every epoch decodes small ones.

    python tools/data/resize_videos.py /archives/k400 /fast/k400_320 --short-side 320

The folders of OUT mirror those of IN. A video whose short side is longer becomes an H.264 file (.mp4) with that short
side, its aspect ratio to the nearest even number of pixels, and the same frames at the same times; sound is dropped. A
video that is no larger is copied as it is (never scaled up, never encoded twice). Every 32nd frame at least is a
keyframe, so a clip costs at most 31 frames more than it spans.

Can be stopped and called again: each file is there whole or not at all, and those that are there stay. Videos that
cannot be read, lose frames on the way or look otherwise afterwards (a sample is compared) are listed in
OUT/unreadable.txt and tried again by the next call. Videos in tar shards become files; pack_shards.py packs them.
The lists are made from OUT then: tools/data/prepare.py NAME OUT --annotations IN.
"""

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from iboot_mm.datasets.decoders import UnreadableVideo
from iboot_mm.datasets.decoders.conversion import converter
from iboot_mm.datasets.decoders.pyav import PyAVReader
from iboot_mm.datasets.listing import VIDEO_EXTENSIONS
from iboot_mm.datasets.parallel import run_jobs, show_progress
from iboot_mm.datasets.shards import without_shard
from iboot_mm.datasets.sources import open_source
from iboot_mm.datasets.video_lists import videos_of_folder
from iboot_mm.interruption import one_line_when_stopped

KEYFRAME_DISTANCE = 32
SAMPLE = 5  # frames of a video that are compared with what was written


def fit(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Width and height with that short side, both even as H.264 wants them."""
    scale = short_side / min(width, height)
    return tuple(short_side if side == min(width, height) else 2 * round(side * scale / 2) for side in (width, height))


def add_stream(container: av.container.OutputContainer, frame: av.VideoFrame, timed: bool, fps: float, short_side: int,
               crf: int) -> av.VideoStream:
    """An H.264 stream like the frame's: colours, pixel shape and rotation stay what they are."""
    rate = Fraction(fps or 30).limit_denominator(1001)
    stream = container.add_stream('libx264', rate=rate)
    stream.width, stream.height = fit(frame.width, frame.height, short_side)
    stream.pix_fmt = 'yuv420p'
    stream.options = dict(crf=str(crf), preset='veryfast')
    context = stream.codec_context
    context.thread_count = 1  # the files fill the cores
    context.gop_size = KEYFRAME_DISTANCE
    context.time_base = frame.time_base if timed else 1 / rate
    context.color_range = frame.color_range
    if not frame.format.is_rgb:
        context.colorspace = frame.colorspace
    if frame.rotation:
        if not hasattr(stream, 'set_display_rotation'):
            raise UnreadableVideo(container.name, 'it is turned, and only PyAV 18.1 and later can write that: '
                                  'pip install --upgrade av')
        stream.set_display_rotation(frame.rotation)
    return stream


def encode(source: Path, partial: Path, short_side: int, crf: int) -> bool:
    """Write the smaller video; False (and nothing written) if it is small enough already.

    Raises:
        UnreadableVideo: If it cannot be read, or not all of its frames.
    """
    reader = PyAVReader(str(source))
    ticks, resizer, stream, sample = reader.index.ticks, converter(num_threads=1), None, {}
    sampled = set(np.linspace(0, reader.num_frames - 1, SAMPLE).round().astype(int).tolist())
    with av.open(str(partial), 'w', format='mp4') as container:
        for number, frame in enumerate(reader.frames()):
            if stream is None:
                if min(frame.width, frame.height) <= short_side:
                    return False
                timed = ticks is not None and frame.time_base is not None
                stream = add_stream(container, frame, timed, reader.fps, short_side, crf)
            small = resizer(frame, stream.width, stream.height, 'yuv420p', interpolation='BICUBIC')
            if number in sampled:
                sample[number] = np.rot90(small.to_ndarray(format='rgb24'), round(frame.rotation / 90) % 4)
            small.pict_type = 0  # the encoder chooses its own keyframes
            small.time_base = stream.codec_context.time_base
            small.pts = int(ticks[number] - ticks[0]) if timed else number
            container.mux(stream.encode(small))
        if stream is not None:
            container.mux(stream.encode())
    compare(source, partial, reader.num_frames, sample)
    return True


def compare(source: Path, partial: Path, num_frames: int, sample: dict[int, np.ndarray]) -> None:
    """Look whether a file that was written holds what was read.

    Args:
        source: The video that was read.
        partial: What was written.
        num_frames: Of the source.
        sample: Some of its frames, uint8 (h, w, 3), as they should look in what was written, by their numbers.

    Raises:
        UnreadableVideo: If it holds another number of frames, or one of the sample looks otherwise.
    """
    written = PyAVReader(str(partial)) if sample else None
    count = written.num_frames if written is not None else 0
    if count != num_frames:
        raise UnreadableVideo(str(source), f'{count} of its {num_frames} frames decode')
    for number, found in zip(sample, written.read(list(sample)), strict=True):
        expected = sample[number].astype(np.float32)
        # Compression blurs; a picture that is further away than half of what it shows is another one.
        contrast = np.abs(expected - expected.mean((0, 1))).mean()
        if np.abs(found - expected).mean() > 8 + contrast / 2:
            raise UnreadableVideo(str(source), f'frame {number} looks otherwise in the file that was written')


def resize(job: tuple[Path, Path, int, int]) -> tuple[Path, str, str]:
    """Resize or copy one video.

    Args:
        job: The file, the file to write (its ending aside), the short side and the rate factor of x264.

    Returns:
        The file, what became of it ('resized', 'copied' or 'unreadable') and, of the last kind, why.
    """
    source, target, short_side, crf = job
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f'{target.name}.partial')
    try:
        if encode(source, partial, short_side, crf):
            os.replace(partial, target.with_suffix('.mp4'))
            return source, 'resized', ''
        with open_source(str(source)) as whole, open(partial, 'wb') as copy:
            shutil.copyfileobj(whole, copy)
        os.replace(partial, target)
        return source, 'copied', ''
    except UnreadableVideo as error:
        return source, 'unreadable', error.reason
    except av.FFmpegError as error:
        if isinstance(error, OSError):  # of writing, say a full disk: no fault of this video
            raise
        return source, 'unreadable', error.strerror
    finally:
        partial.unlink(missing_ok=True)


def plan(root: Path, out: Path, settings: dict) -> tuple[list[tuple], int]:
    """What is left to do, and how many videos are there already.

    Raises:
        FileNotFoundError: If there is no video.
        ValueError: If two videos would become one file, or ``out`` holds videos of other settings.
    """
    sources = [Path(video['filename']) for video in videos_of_folder(str(root), VIDEO_EXTENSIONS, None)]
    names, taken = [Path(without_shard(str(source))).relative_to(root) for source in sources], {}
    for source, name in zip(sources, names):
        other = taken.setdefault(name.with_suffix(''), source)
        if other is not source:
            raise ValueError(f"'{other}' and '{source}' would become one file: move or rename one of them.")
    file = out / 'resized.json'
    if file.is_file() and json.loads(file.read_text()) != settings:
        raise ValueError(f"'{out}' was made with {json.loads(file.read_text())}, not {settings}: name another folder, "
                         'or delete it.')
    out.mkdir(parents=True, exist_ok=True)
    partial = out / 'resized.json.partial'
    partial.write_text(json.dumps(settings) + '\n')
    os.replace(partial, file)
    targets = [out / name for name in names]
    left = [(source, target, settings['short_side'], settings['crf']) for source, target in zip(sources, targets)
            if not target.exists() and not target.with_suffix('.mp4').exists()]
    return left, len(sources) - len(left)


def make(root: Path, out: Path, short_side: int, crf: int = 20, workers: int | None = None) -> Counter:
    """Resize every video below ``root`` into ``out``; counts of 'resized', 'copied', 'unreadable' and 'there'."""
    if short_side < 2 or short_side % 2:
        raise ValueError(f'--short-side {short_side} is none: H.264 wants an even number of pixels.')
    if out.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"'{out}' is inside '{root}', so the next call would resize the resized: name another folder.")
    jobs, there = plan(root, out, dict(short_side=short_side, crf=crf, keyframe_distance=KEYFRAME_DISTANCE))
    counts, unreadable = Counter(there=there), []
    for source, outcome, reason in show_progress(run_jobs(resize, jobs, workers), len(jobs), 'videos'):
        counts[outcome] += 1
        unreadable += [f'{source}: {reason}\n'] if reason else []
    partial = out / 'unreadable.txt.partial'
    partial.write_text(''.join(sorted(unreadable)), encoding='utf-8')
    os.replace(partial, out / 'unreadable.txt')
    return counts


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, metavar='in')
    parser.add_argument('out', type=Path)
    parser.add_argument('--short-side', type=int, default=320, help='pixels: 320 (default) or 256 in most papers')
    parser.add_argument('--crf', type=int, default=20, help="x264's rate factor; lower is better and larger")
    parser.add_argument('--workers', type=int, help='processes (default: all cores)')
    args = parser.parse_args()
    try:
        counts = make(args.root.expanduser(), args.out.expanduser(), args.short_side, args.crf, args.workers)
    except (OSError, ValueError) as error:
        sys.exit(f'resize_videos: {error}')
    print(f'{args.out}: {counts["resized"]} resized (without sound), {counts["copied"]} copied (small enough), '
          f'{counts["there"]} were there, {counts["unreadable"]} unreadable'
          + (f', see {args.out / "unreadable.txt"}' if counts['unreadable'] else ''))


if __name__ == '__main__':
    main()
