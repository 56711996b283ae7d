"""The table's rows are counted right: each detector against one that is asked by hand."""

import sys

import numpy as np
import pytest

pytest.importorskip('scenedetect', reason='the extra shots is not installed')

import shot_detection  # noqa: E402
from scenedetect import FrameTimecode  # noqa: E402
from scenedetect.detectors import HistogramDetector  # noqa: E402

from iboot_mm.datasets import open_video  # noqa: E402
from iboot_mm.datasets.shots.shots import write_shots  # noqa: E402
from tests.shots import write_shots_video  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    entries = []
    for name, lengths in {'a.mp4': (10, 12, 9), 'b.mp4': (9, 8)}.items():
        write_shots_video(tmp_path / name, *lengths)
        entries.append(dict(file=name, frames=sum(lengths), fps=25., starts=np.cumsum([0, *lengths[:-1]]).tolist()))
    write_shots(tmp_path / 'true_shots.jsonl', {}, entries)
    return tmp_path


def test_counts(folder):
    job = (str(folder / 'a.mp4'), [10, 22])
    result = shot_detection.counts([.1, .3], job)
    with open_video(job[0]) as video:
        frames = video.read(range(31))[..., ::-1]  # the detector wants BGR
    detector = HistogramDetector(threshold=.3, bins=128, min_scene_len=1)
    found = [number for number, frame in enumerate(frames)
             if detector.process_frame(FrameTimecode(number, fps=25.), np.ascontiguousarray(frame))]
    assert result[0, 1].tolist() == [len({10, 22} & set(found)), len(found), 2]
    assert result[2].tolist() == [[2, 2, 2]] * 2  # ours finds these
    plain = shot_detection.PlainColours.calculate_histogram(frames[0])
    assert plain.sum() == pytest.approx(48 * 64)  # counts of pixels


def test_table(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['shot_detection.py', str(folder), '--thresholds', '.1'])
    shot_detection.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('|')]
    assert f'{folder.name}, 3 cuts' in lines[0] and len(lines) == 5
    assert [cell.strip() for cell in lines[-1].split('|')[1:-1]] == ['colour, roots', '0.1', '1.000 / 1.000']
