"""ShotFolder: which videos have enough shots, what the log says of the others, and its samples."""

import tracemalloc

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS

from iboot_mm.datasets import ShotFolder
from iboot_mm.datasets.shots.shots import write_shots
from tests.shots import shots_of, write_shots_video
from tests.videos import write_video

LENGTHS = {'four.mp4': (10, 12, 9, 11), 'two/two.mp4': (20, 9), 'one.mp4': (30, ), 'black.mp4': (12, )}


def entry(name: str, lengths: tuple[int, ...], fps: float = 25., **more) -> dict:
    edges = np.cumsum([0, *lengths]).tolist()
    return dict(file=name, frames=edges[-1], fps=fps, starts=edges[:-1], **more)


@pytest.fixture(scope='module')
def root(tmp_path_factory) -> str:
    """Videos of 4, 2 and 1 shots, and a black one."""
    root = tmp_path_factory.mktemp('shots')
    for name, lengths in LENGTHS.items():
        write_shots_video(root / name, *lengths, black=[0] if name == 'black.mp4' else ())
    write_shots(root / 'shots.jsonl', {}, [entry(name, lengths, **dict(black=[0]) if name == 'black.mp4' else {})
                                           for name, lengths in LENGTHS.items()])
    return str(root)


def pipeline(num_shots: int, shot_len: int, target_fps: float | None = None) -> list[dict]:
    return [dict(type='OpenVideo'), dict(type='SampleShots', num_shots=num_shots, shot_len=shot_len,
                                         target_fps=target_fps),
            dict(type='DecodeViews'), dict(type='CropViews', size=16, short_side=18), dict(type='PackViews')]


def files(dataset: ShotFolder) -> list[str]:
    return [str(dataset.get_data_info(i)['filename']).removeprefix(dataset.root + '/') for i in range(len(dataset))]


@pytest.mark.parametrize('num_shots, min_length, expected', [
    (1, 8, ['four.mp4', 'one.mp4', 'two/two.mp4']), (2, 8, ['four.mp4', 'two/two.mp4']), (2, 10, ['four.mp4']),
    (4, 9, ['four.mp4'])])
def test_videos_with_too_few_shots_are_dropped(root, num_shots, min_length, expected):
    assert files(ShotFolder(root, num_shots=num_shots, min_length=min_length)) == expected


def test_short_and_black_shots_are_left_out_and_part_their_neighbours(root, tmp_path):
    write_shots(tmp_path / 's.jsonl', {}, [entry('four.mp4', (10, 4, 17, 11, 9, 9), black=[4])])
    for num_shots, expected in ((1, [[0, 10], [14, 31], [31, 42], [51, 60]]), (2, [[14, 31], [31, 42]])):
        info = ShotFolder(root, str(tmp_path / 's.jsonl'), num_shots=num_shots, min_length=5).get_data_info(0)
        assert info['shots'].tolist() == expected and info['shot_frames'] == 60
    with pytest.raises(ValueError, match='has 3 adjoining shots of 5 or more frames, the most is 2'):
        ShotFolder(root, str(tmp_path / 's.jsonl'), num_shots=3, min_length=5)


def test_of_two_lines_of_a_file_the_later_one_holds(root, tmp_path):
    write_shots(tmp_path / 's.jsonl', {}, [entry('four.mp4', lengths) for lengths in ((10, 12, 9, 11), (20, 22))])
    assert ShotFolder(root, str(tmp_path / 's.jsonl')).get_data_info(0)['shots'].tolist() == [[0, 20], [20, 42]]


def test_a_long_list_is_not_held_as_it_was_read(root, tmp_path):
    entries = [entry('four.mp4', (10, 12, 9, 11)), *(entry(f'{i}.mp4', (1000,) * 100) for i in range(1000))]
    write_shots(tmp_path / 's.jsonl', {}, entries)
    tracemalloc.start()
    ShotFolder(root, str(tmp_path / 's.jsonl'), num_shots=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6  # 1e5 shots of twice 4 bytes, and a list's objects would be 3.6e6


def test_length_counts_ticks_of_the_clock(root):
    # At 5 Hz, a tick is 5 frames of 25 Hz: 0, 5, ... The shots of four.mp4 begin at 0, 10, 22, 31 and hold 2, 3, 2, 2.
    with pytest.raises(ValueError, match='No video of .* has 4 adjoining shots of 3 or more frames, the most is 1'):
        ShotFolder(root, num_shots=4, min_length=3, target_fps=5)
    assert files(ShotFolder(root, num_shots=4, min_length=2, target_fps=5)) == ['four.mp4']


def test_a_line_of_the_log_counts_the_dropped(root, tmp_path, capsys):
    entries = [entry(name, lengths) for name, lengths in LENGTHS.items() if name in ('four.mp4', 'one.mp4')]
    write_shots(tmp_path / 's.jsonl', {}, [*entries, dict(file='black.mp4', error='it is empty')])
    ShotFolder(root, str(tmp_path / 's.jsonl'), num_shots=2)
    assert (f"'{root}': 1 of 4 videos have 2 adjoining shots of 8 or more frames; dropped: 1 not in the list, 1 of one "
            'shot, 1 unreadable.') in capsys.readouterr().out


@pytest.mark.parametrize('names, num_shots, message', [
    (['one.mp4'], 2, r"No video of '.*' has 2 adjoining shots of 8 or more frames, the most is 1 \(1 of one shot\)"),
    (['black.mp4'], 1, r'has 1 shots .*, the most is 0 \(1 wholly black\)'),
    (['four.mp4', 'two/two.mp4', 'one.mp4', 'black.mp4'], 5,
     r'the most is 4 \(1 of one shot, 1 wholly black, 2 with too few shots\): lower num_shots or min_length')])
def test_no_video_has_so_many_shots(root, tmp_path, names, num_shots, message):
    (tmp_path / 'list.txt').write_text('\n'.join(names))
    with pytest.raises(ValueError, match=message):
        ShotFolder(root, num_shots=num_shots, ann_file=str(tmp_path / 'list.txt'))


def test_lists_that_do_not_fit(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no shot list 'none.jsonl'"):
        ShotFolder(root, 'none.jsonl')
    write_shots(tmp_path / 's.jsonl', {}, [entry('other/four.mp4', (9, 9))])
    with pytest.raises(ValueError, match=r"None of the videos of '.*' is in the shot list '.*s.jsonl', which names "
                                         "'other/four.mp4' for example: find the shots of this root"):
        ShotFolder(root, str(tmp_path / 's.jsonl'))
    write_shots(tmp_path / 's.jsonl', dict(fps=1.), [entry('four.mp4', (9, 9))])
    with pytest.raises(ValueError, match=r"'.*s.jsonl' were found at 1.0 Hz, but target_fps is None: set target_fps=1"):
        ShotFolder(root, str(tmp_path / 's.jsonl'))


@pytest.mark.parametrize('options', [dict(num_shots=0), dict(min_length=0), dict(target_fps=0)])
def test_arguments_out_of_range(root, options):
    with pytest.raises(ValueError, match='ShotFolder: num_shots and min_length must be at least 1 and target_fps'):
        ShotFolder(root, **options)


@pytest.mark.parametrize('sampling', [(3, 8, None), (2, 9, None), (2, 8, 25.)])
def test_a_pipeline_that_asks_for_more_is_refused(root, sampling):
    with pytest.raises(ValueError, match=r'SampleShots\(.*\) draws from shots that ShotFolder\(num_shots=2, min_length='
                                         r'8, target_fps=None\) does not keep: give both the same'):
        ShotFolder(root, num_shots=2, min_length=8, pipeline=pipeline(*sampling))


def test_samples_show_their_shots(root):
    """Colours tell which frame came out: each view is of the shot that it should be of."""
    dataset = DATASETS.build(dict(type='ShotFolder', root=root, num_shots=2, min_length=8, pipeline=pipeline(2, 8)))
    truth = shots_of(*LENGTHS['four.mp4']).mean((1, 2))  # (T, 3)
    edges = np.cumsum([0, *LENGTHS['four.mp4']])
    seen = set()
    for epoch in range(12):
        dataset.pipeline.transforms[1].set_epoch(0, epoch)
        sample = dataset[0]
        assert sample['inputs'].shape == (16, 3, 1, 16, 16) and len(sample['data_samples'].view_seeds) == 16
        means = sample['inputs'].float().mean((2, 3, 4)).numpy()
        shot_means = np.stack([truth[a:b].mean(0) for a, b in zip(edges, edges[1:])])
        ratios = [values / np.linalg.norm(values, axis=-1, keepdims=True) for values in (means, shot_means)]
        nearest = (ratios[0] @ ratios[1].T).argmax(1).reshape(2, 8) % 3  # the 1st and 4th shot have one tint
        assert (nearest == nearest[:, :1]).all() and nearest[1, 0] == (nearest[0, 0] + 1) % 3
        seen.add(int(nearest[0, 0]))
    assert seen == {0, 1, 2}
    assert torch.equal(dataset[0]['inputs'], sample['inputs'])


def test_a_video_that_changed_is_replaced(root, tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        write_video(tmp_path / name, shots_of(9, 9))
    write_shots(tmp_path / 'shots.jsonl', {}, [entry('a.mp4', (9, 12)), entry('b.mp4', (9, 9))])
    sample = ShotFolder(str(tmp_path), pipeline=pipeline(2, 8))[0]['data_samples']
    assert sample.replaced and sample.filename == str(tmp_path / 'b.mp4') and sample.sample_idx == 0
    assert sample.unreadable == [(str(tmp_path / 'a.mp4'), 'it has 18 frames, but had 21 when its shots were found: '
                                                           'find them anew')]
