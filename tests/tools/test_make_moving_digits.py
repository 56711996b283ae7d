from pathlib import Path

import numpy as np
import pytest

from iboot_mm.datasets import open_video

from ..scripts import load_tool

digits = load_tool('data/make_moving_digits')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('digits') / 'set'
    assert digits.make(out, workers=1, limit=24)
    return out


def test_train_and_test_share_no_scan():
    parts = digits.load_scans(0)
    train, test = parts['train'][0], parts['test'][0]
    assert len(train) + len(test) == 1797
    from sklearn.datasets import load_digits
    whole = np.concatenate([train, test]).reshape(1797, -1)
    assert np.array_equal(np.unique(whole, axis=0, return_counts=True)[1],
                          np.unique(load_digits().data / 16, axis=0, return_counts=True)[1])
    assert not {scan.tobytes() for scan in train} & {scan.tobytes() for scan in test}


def test_both_labels_cover_their_kinds_evenly_and_independently():
    _, lists = digits.plan(Path('x'), 0, None)
    labels = np.array([line.split()[1:] for line in lists['train']], int)
    counts = np.zeros((10, len(digits.MOTIONS)), int)
    np.add.at(counts, tuple(labels.T), 1)
    assert len(labels) >= 600 and len(digits.MOTIONS) >= 8
    assert counts.max() - counts.min() <= 2


@pytest.mark.parametrize('forward, backward', [(m, n) for m, n in zip(digits.MOTIONS[::2], digits.MOTIONS[1::2])])
def test_paired_motions_are_each_other_played_backwards(forward, backward):
    paths = [digits.draw_path(m, np.random.default_rng(5)) for m in (forward, backward)]
    assert np.array_equal(paths[0], paths[1][::-1])
    assert not np.allclose(paths[0], paths[1], atol=1)


@pytest.mark.parametrize('motion, sign', [('right', (1, 0, 0)), ('left', (-1, 0, 0)), ('down', (0, 1, 0)),
                                          ('up', (0, -1, 0)), ('grow', (0, 0, 1)), ('shrink', (0, 0, -1))])
def test_motions_do_what_they_are_called(motion, sign):
    for seed in range(20):
        path = digits.draw_path(motion, np.random.default_rng(seed))
        assert np.array_equal(np.sign(path[-1] - path[0]), sign)


def test_clockwise_on_the_screen():
    path = digits.draw_path('clockwise', np.random.default_rng(1))[:, :2]
    steps = np.diff(path, axis=0)
    turn = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    assert (turn > 0).all()  # y points down


def test_the_digit_stays_in_the_frame():
    for motion in digits.MOTIONS:
        for seed in range(40):
            path = digits.draw_path(motion, np.random.default_rng(seed))
            # The ink of an 8 x 8 scan is 6 wide at most and 8 high.
            assert (path[:, :2] > path[:, 2:] * .3).all() and (path[:, :2] < 64 - path[:, 2:] * .3).all()


def test_compose_puts_the_ink_where_it_says():
    scan = np.zeros((8, 8), np.float32)
    scan[3:5, 3:5] = 1
    image = digits.compose(scan, (20, 40, 16), np.zeros((64, 64, 3), np.float32), np.ones(3)).astype(float)[..., 0]
    y, x = np.mgrid[:64, :64] + .5
    assert (image * x).sum() / image.sum() == pytest.approx(20, abs=.3)
    assert (image * y).sum() / image.sum() == pytest.approx(40, abs=.3)


def test_videos_decode_and_lists_name_them(data):
    for role in ('train', 'test'):
        lines = (data / f'{role}.txt').read_text().splitlines()
        assert len(lines) == 24
        for line in lines[:4]:
            name, digit, motion = line.split()
            assert f'digit_{digit}/' in name and digits.MOTIONS[int(motion)] in name
            with open_video(str(data / name), 'auto', 1) as video:
                assert video.num_frames == digits.NUM_FRAMES and video.read([0, 31]).shape == (2, 64, 64, 3)


def test_the_second_call_changes_nothing_and_the_same_seed_gives_the_same_bytes(data, tmp_path):
    assert digits.make(data, workers=1, limit=24) is False
    again = tmp_path / 'again'
    digits.make(again, workers=1, limit=24)
    files = [file.relative_to(data) for file in data.rglob('*.mp4')]
    assert len(files) == 48
    assert all((again / file).read_bytes() == (data / file).read_bytes() for file in files)
    assert not again.with_name('again.partial').exists()


def test_other_content_is_left_alone(data, tmp_path):
    with pytest.raises(FileExistsError, match='another folder'):
        digits.make(data, seed=1, limit=24)
    with pytest.raises(FileExistsError):
        digits.make(tmp_path)


def test_teacher_is_an_ordinary_checkpoint_with_its_config(tmp_path, monkeypatch):
    from mmaction.registry import MODELS

    from iboot_mm.models.teachers.catalog import load_teacher_config
    maker = load_tool('data/make_digit_teacher')
    parts = digits.load_scans(0)
    monkeypatch.setattr(maker, 'load_scans', lambda seed: {k: (s[:64], d[:64]) for k, (s, d) in parts.items()})
    out = tmp_path / 'teacher'
    assert maker.make(out, epochs=1) is True
    assert maker.make(out, epochs=1) is False
    teacher = MODELS.build(load_teacher_config(str(out / 'teacher.py')))
    import torch
    assert teacher(torch.rand(2, 3, 4, 48, 48)).shape == (2, 4, 96)
    # The vectors of the classes lie in the space that the teacher gives to students.
    rng = np.random.default_rng([0, 8])
    textures = np.stack([maker.draw_texture(rng, 48) for _ in range(100)])
    stills = maker.draw_stills(parts['train'][0][:64], rng, textures)
    clips = torch.from_numpy(stills).permute(0, 3, 1, 2)[:, :, None].float() / 255  # (64, 3, 1, 48, 48)
    units = torch.nn.functional.normalize(teacher(clips)[:, 0], dim=1)
    expected = [units[parts['train'][1][:64] == digit].mean(0) for digit in range(10)]
    torch.testing.assert_close(torch.from_numpy(np.load(out / 'classes.npy')), torch.stack(expected), atol=1e-5, rtol=0)
    weights = torch.load(out / 'teacher.pth', weights_only=True)['state_dict']
    own = teacher.network.state_dict()
    assert weights.keys() == own.keys() and all(torch.equal(weights[k], own[k]) for k in own)
