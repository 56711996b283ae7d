"""Videos of several shots: their cuts are where the list says, and each shot shows another clip of the label."""

import json
import os
import sys

import numpy as np
import pytest

from iboot_mm.datasets import ShotFolder, UnreadableVideo, open_video
from iboot_mm.datasets.shots.shots import read_shots

from ..scripts import load_tool
from ..videos import write_video

tool = load_tool('data/compose_shots')


@pytest.fixture(scope='module')
def clips(tmp_path_factory):
    """Six clips with two labels each. Red tells the clip, the place of a bar the frame."""
    root = tmp_path_factory.mktemp('clips')
    for clip in range(6):
        frames = np.zeros((30, 64, 80, 3), np.uint8)
        frames[..., 0] = 40 * clip + 20
        for number, frame in enumerate(frames):
            frame[2 * number:2 * number + 2, :, 1:] = 255
        write_video(root / f'{clip}.mp4', frames, codec_options=dict(crf='4'))
    (root / 'list.txt').write_text(''.join(f'{clip}.mp4 {clip % 2} {clip // 2}\n' for clip in range(6)))
    return root


def make(clips, out, **options):
    return tool.make(clips / 'list.txt', out, **dict(labels=['odd', 'third'], by='odd', lengths=(5, 9), num_videos=6,
                                                     size=64, workers=1) | options)


def content(out) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob('*') if path.is_file()}


def seen(path) -> tuple[np.ndarray, np.ndarray]:
    """Clip and frame that each frame of a video shows."""
    with open_video(str(path)) as video:
        frames = video.read(range(video.num_frames)).astype(float)
    red, bar = frames[..., 0].mean((1, 2)), frames[..., 1].mean(2)  # (T,), (T, H)
    return np.rint((red - 20) / 40).astype(int), bar.argmax(1) // 2


def test_every_shot_is_a_run_of_frames_of_another_clip(clips, tmp_path):
    assert make(clips, tmp_path / 'out') == dict(written=6)
    entries = read_shots(tmp_path / 'out/true_shots.jsonl')[1]
    lines = [line.split() for line in (tmp_path / 'out/list.txt').read_text().splitlines()]
    assert [name for name, _ in lines] == list(entries) and [label for _, label in lines] == ['0', '1'] * 3
    lengths = set()
    for name, label in lines:
        clip, frame = seen(tmp_path / 'out' / name)
        edges = [*entries[name]['starts'], entries[name]['frames']]
        assert len(clip) == edges[-1] and len(edges) == 5 and entries[name]['fps'] == 16
        for start, end in zip(edges, edges[1:]):
            assert (clip[start:end] == clip[start]).all() and clip[start] % 2 == int(label)
            assert (np.diff(frame[start:end]) == 1).all()
            lengths.add(end - start)
        assert all(clip[cut] != clip[cut - 1] for cut in edges[1:-1])
    assert lengths == {5, 6, 7, 8, 9}
    with open_video(str(tmp_path / 'out' / name)) as video:
        assert video.read([0]).shape == (1, 64, 64, 3)
    dataset = ShotFolder(str(tmp_path / 'out'), 'true_shots.jsonl', num_shots=4, min_length=5, ann_file='list.txt')
    assert [dataset.get_data_info(i)['labels']['label'] for i in range(len(dataset))] == [0, 1] * 3


def test_a_video_is_a_function_of_seed_and_number(clips, tmp_path):
    make(clips, tmp_path / 'a')
    make(clips, tmp_path / 'b', workers=2)
    assert content(tmp_path / 'a') == content(tmp_path / 'b')
    make(clips, tmp_path / 'c', seed=1, num_videos=2)
    assert content(tmp_path / 'a')['videos/000000.mp4'] != content(tmp_path / 'c')['videos/000000.mp4']


def test_a_stopped_run_goes_on_and_a_longer_list_keeps_what_is_there(clips, tmp_path, monkeypatch):
    make(clips, tmp_path / 'whole')
    out, real, calls = tmp_path / 'out', tool.write_video, []

    def stop(frames, path):
        calls.append(path)
        if len(calls) == 3:
            path.write_bytes(b'half of a video')
            raise KeyboardInterrupt
        real(frames, path)

    monkeypatch.setattr(tool, 'write_video', stop)
    monkeypatch.setattr(tool, 'run_jobs', lambda function, jobs, workers: map(function, jobs))
    with pytest.raises(KeyboardInterrupt):
        make(clips, out, num_videos=4)
    assert not (out / 'list.txt').exists()
    stamp = os.stat(out / 'videos/000000.mp4').st_mtime_ns
    assert make(clips, out, num_videos=4) == dict(there=2, written=2)
    assert make(clips, out) == dict(there=4, written=2)
    assert os.stat(out / 'videos/000000.mp4').st_mtime_ns == stamp
    assert content(out) == content(tmp_path / 'whole')


def test_short_clips_are_taken_whole_and_two_take_turns(tmp_path):
    for clip in range(2):
        write_video(tmp_path / f'{clip}.mp4', np.full((3, 32, 32, 3), 100 * clip + 50, np.uint8))
    (tmp_path / 'list.txt').write_text('0.mp4\n1.mp4\n')  # no labels
    tool.make(tmp_path / 'list.txt', tmp_path / 'out', num_shots=3, num_videos=1, size=32, workers=1)
    assert read_shots(tmp_path / 'out/true_shots.jsonl')[1]['videos/000000.mp4']['starts'] == [0, 3, 6]
    assert (tmp_path / 'out/list.txt').read_text() == 'videos/000000.mp4 0\n'


@pytest.mark.parametrize('options, message', [
    (dict(num_shots=0), '--shots, --videos and --frames must be at least 1 and --frames not fall, got 0, 6 and 5 9'),
    (dict(lengths=(9, 5)), '--frames not fall, got 4, 6 and 9 5'), (dict(size=33), '--size 33 is none: H.264 wants'),
    (dict(by='colour'), 'The list has no label colour: it has odd, third'),
    (dict(labels=['half', 'odd', 'third']), 'needs a path and 3 labels')])
def test_what_cannot_be_done(clips, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make(clips, tmp_path / 'out', **options)
    assert not (tmp_path / 'out').exists()


def test_lists_that_do_not_serve(clips, tmp_path):
    make(clips, tmp_path / 'out', num_videos=1)
    with pytest.raises(ValueError, match="out' was made with .*'seed': 0.*, not .*'seed': 1.*: name another folder"):
        make(clips, tmp_path / 'out', seed=1)
    (tmp_path / 'list.txt').write_text((clips / 'list.txt').read_text().replace('5.mp4', '3.mp4'))
    with pytest.raises(ValueError, match="out' was made with .*'lines': .*, not .*: name another folder"):
        tool.make(tmp_path / 'list.txt', tmp_path / 'out', clips, ['odd', 'third'], 'odd', lengths=(5, 9))
    (tmp_path / 'list.txt').write_text('0.mp4 3\n1.mp4 3\n2.mp4 5\n')
    with pytest.raises(ValueError, match='Only one clip has label 5: neighbouring shots need two different clips'):
        tool.make(tmp_path / 'list.txt', tmp_path / 'b', clips)
    (tmp_path / 'list.txt').write_text('0.mp4\ngone.mp4\n')
    with pytest.raises(UnreadableVideo, match='gone.mp4 cannot be read: there is no such file'):
        tool.make(tmp_path / 'list.txt', tmp_path / 'b', clips, workers=1)


def test_the_command(clips, tmp_path, monkeypatch, capsys):
    arguments = ['compose_shots.py', str(clips / 'list.txt'), str(tmp_path / 'out'), '--labels', 'odd', 'third', '--by',
                 'third', '--shots', '2', '--frames', '4', '6', '--videos', '3', '--size', '32', '--workers', '2']
    monkeypatch.setattr(sys, 'argv', arguments)
    tool.main()
    assert capsys.readouterr().out == f'{tmp_path / "out"}: 3 videos written, 0 were there\n'
    assert json.loads((tmp_path / 'out/composed.json').read_text())['by'] == 'third'
    monkeypatch.setattr(sys, 'argv', [*arguments, '--seed', '1'])
    with pytest.raises(SystemExit, match="compose_shots: '.*out' was made with"):
        tool.main()
