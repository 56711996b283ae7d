"""The pictures of a motion target: written for a clip, and one sentence where there is nothing to draw."""

import sys
from pathlib import Path

import cv2
import pytest
import torch

from ..config_files import load_config
from ..scripts import load_tool
from ..videos import moving_frames, write_video

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'mini'
tool = load_tool('visualization/correspondences')


def call(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', ['correspondences', *map(str, args)])
    tool.main()


@pytest.fixture
def config(tmp_path):
    """The quickstart's, with a teacher of random weights."""
    text = load_config(CONFIGS / 'iboot_motion_r18_digits.py').pretty_text
    file = tmp_path / 'config.py'
    file.write_text(text.replace("checkpoint='data/digit_teacher/teacher.pth'", 'pretrained=False'))
    return file


def test_a_row_for_each_video(config, tmp_path, monkeypatch):
    for number in range(2):
        write_video(tmp_path / f'{number}_moving.mp4', moving_frames(24, 48, 60, seed=number))
    out = tmp_path / 'out.png'
    call(monkeypatch, *tmp_path.glob('*.mp4'), '--config', config, '--out', out)
    picture = cv2.imread(str(out))
    assert picture.shape[1] > 500 and 250 < picture.shape[0] < 500 and len(torch.tensor(picture).unique()) > 50


def test_what_cannot_be_drawn_is_a_sentence(config, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit, match='correspondences: .*gone.mp4'):
        call(monkeypatch, tmp_path / 'gone.mp4', '--config', config, '--out', tmp_path / 'a.png')
    for options, words in ((['--config', config, '--out', 'a.gif'], 'neither a .png nor an .svg'),
                           (['--config', CONFIGS / 'iboot_r18_digits.py', '--out', 'a.png'], 'set model.motion')):
        with pytest.raises(SystemExit):
            call(monkeypatch, 'a.mp4', *options)
        assert words in capsys.readouterr().err
