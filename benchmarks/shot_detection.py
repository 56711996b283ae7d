"""Precision and recall of cuts at several thresholds: the detector of tools/data/find_shots.py beside PySceneDetect's.

    python tools/data/compose_shots.py data/moving_digits/train.txt data/digit_shots --labels digit motion --by digit
    python benchmarks/shot_detection.py data/digit_shots [other folders] [--thresholds .05 .1 .2 .3] [--save]

Each folder is one that tools/data/compose_shots.py wrote, whose cuts are known; a cut that is one frame beside the true
one is a false one. All detectors see the same frames.

- luma: PySceneDetect's HistogramDetector as it is, the correlation of histograms of 128 grey levels.
- colour: of joint histograms of 8 x 8 x 8 colours.
- colour, roots: of the square roots of their counts, ours.
"""

import argparse
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import HistogramDetector
from side_by_side import publish, table

from iboot_mm.datasets.decoders.pyav import PyAVReader
from iboot_mm.datasets.parallel import run_jobs, show_progress
from iboot_mm.datasets.shots.detection import BINS, ColourHistogramDetector, shown_frames
from iboot_mm.datasets.shots.shots import count_matches, read_shots


class PlainColours(ColourHistogramDetector):
    """Ours without the roots."""

    @staticmethod
    def calculate_histogram(frame_img: np.ndarray, bins: int = BINS, normalize: bool = True) -> np.ndarray:
        return ColourHistogramDetector.calculate_histogram(frame_img, bins)**2


DETECTORS = {'luma': partial(HistogramDetector, bins=128), 'colour': partial(PlainColours, bins=BINS),
             'colour, roots': partial(ColourHistogramDetector, bins=BINS)}


def counts(thresholds: list[float], job: tuple[str, list[int]]) -> np.ndarray:
    """Cuts of one video that match, were found and are true: int64 ``(detectors, thresholds, 3)``."""
    path, true = job
    cv2.setNumThreads(0)  # the videos fill the cores
    frames = [frame for _, frame in shown_frames(PyAVReader(path), 1.)]
    result = np.zeros((len(DETECTORS), len(thresholds), 3), np.int64)
    for row, kind in enumerate(DETECTORS.values()):
        for column, threshold in enumerate(thresholds):
            detector = kind(threshold=threshold, min_scene_len=1)
            found = [number for number, frame in enumerate(frames)
                     if detector.process_frame(FrameTimecode(number, fps=1.), frame)]
            result[row, column] = count_matches(found, true), len(found), len(true)
    return result


def measure(folder: Path, thresholds: list[float]) -> tuple[np.ndarray, int]:
    """``counts`` summed over the videos of a folder, and how many they are."""
    _, entries = read_shots(folder / 'true_shots.jsonl')
    jobs = [(str(folder / name), entry['starts'][1:]) for name, entry in entries.items()]
    results = run_jobs(partial(counts, thresholds), jobs)
    return sum(show_progress(results, len(jobs), 'videos')), len(jobs)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('folders', type=Path, nargs='+')
    arguments.add_argument('--thresholds', type=float, nargs='+', default=[.05, .1, .2, .3])
    arguments.add_argument('--save', action='store_true', help='write the table to benchmarks/results/HARDWARE, too')
    args = arguments.parse_args()
    args.device = 'cpu'
    measured = {folder: measure(folder, args.thresholds) for folder in args.folders}
    rows = []
    for row, name in enumerate(DETECTORS):
        for column, threshold in enumerate(args.thresholds):
            cells = []
            for total, _ in measured.values():
                matched, found, true = total[row, column]
                cells.append(f'{matched / found if found else float("nan"):.3f} / {matched / true:.3f}')
            rows.append([name, threshold, *cells])
    header = ['detector', 'threshold', *(f'{folder.name}, {total[0, 0, 2]} cuts'
                                         for folder, (total, _) in measured.items())]
    publish(f'Precision / recall.\n\n{table(header, rows)}', args)


if __name__ == '__main__':
    main()
