"""benchmarks/motion_of_people.py: its clips and targets, and that it runs."""

import re
import sys

import motion_of_people as people
import numpy as np
import pytest
import timm
import torch

from ..videos import write_video


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    torch.manual_seed(0)
    network = timm.create_model('mobilenetv2_100', pad_type='same', num_classes=1001)
    file = tmp_path_factory.mktemp('weights') / 'weights.pth'
    torch.save(network.half().state_dict(), file)
    return file


def test_clips():
    video = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).expand(40, 3, 72, 72)

    def frames(*arguments):
        return (people.clip(*arguments)[0, :, 0, 0] * 255).round().tolist()

    assert frames(video, 3) == list(range(9, 31, 3))  # the middle of 19 starts
    assert frames(video[:16], 3) == list(range(1, 16, 2))  # too short for 3
    assert {frames(video, 3, np.random.default_rng(seed))[0] for seed in range(200)} == set(range(19))


def test_targets_are_of_each_clip_alone(weights):
    clips = torch.rand(18, 3, 8, 64, 64, generator=torch.Generator().manual_seed(0))
    network = people.image_model(weights)
    appearance, motion = people.targets_of(clips, network)
    assert appearance.shape == (18, 1280) and motion.shape == (18, 25)
    torch.testing.assert_close(motion.sum(1), torch.ones(18))
    for found, alone in zip((appearance, motion), people.targets_of(clips[16:17], network)):
        torch.testing.assert_close(found[16:17], alone, atol=1e-4, rtol=1e-4)


def test_table(weights, tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for i in range(4):
        write_video(tmp_path / f'{i}.mp4', rng.integers(0, 255, (12, 48, 48, 3), dtype=np.uint8))
    for name, some in (('train', range(4)), ('test', range(2))):
        (tmp_path / f'{name}.txt').write_text(''.join(f'{i}.mp4 {i % 2}\n' for i in some))
    monkeypatch.setattr(people, 'BATCH', 2)
    monkeypatch.setattr(people, 'MOMENTS', 8)
    monkeypatch.setattr(people, 'K', 1)
    lists = [str(tmp_path / f'{name}.txt') for name in ('train', 'test')]
    monkeypatch.setattr(sys, 'argv', ['motion_of_people.py', str(tmp_path), str(weights), '--data', 'noise', '1',
                                      *lists, '--steps', '20', '--arms', 'appearance,both'])
    people.main()
    rows = re.findall(r'^(\S.*?) +noise +0 +2 +([\d.]+)', capsys.readouterr().out, re.M)
    assert [name for name, _ in rows] == ['image model', 'correspondences', 'untrained', 'appearance', 'both']
    assert all(figure == '100.0' for _, figure in rows[:3])  # the queries are in the gallery
