"""The benchmark of AdViSe's image models: small ones in their place, and the multiply-adds of the large ones."""

import sys

import image_model_inference
import pytest
from mmengine.config import Config

TINY = """
tiny = dict(type='TimmTeacher', model='vit_tiny_patch16_224', model_args=dict(img_size=32), name='tiny')
small = dict(type='TimmTeacher', model='vit_small_patch16_224.dino', model_args=dict(img_size=32), name='small')
"""


def test_rows(monkeypatch, capsys, tmp_path):
    (tmp_path / 'models.py').write_text(TINY)
    monkeypatch.setattr(sys, 'argv', ['image_model_inference.py', '--frames', '2', '--size', '32', '--repeats', '1',
                                      '--device', 'cpu', '--models', str(tmp_path / 'models.py')])
    image_model_inference.main()
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in capsys.readouterr().out.splitlines()
            if line.startswith('| ')][2:]
    assert [row[0] for row in rows] == ['tiny', 'small'] and all(float(row[2]) > 0 for row in rows)


def test_multiply_adds_of_vit_l16():
    """12 D^2 of each token and 2 D of each pair in each of 24 blocks, and the patches."""
    mae = Config.fromfile(image_model_inference.IMAGE_MODELS).mae
    tokens, width = 197, 1024
    expected = 24 * (12 * width**2 * tokens + 2 * width * tokens**2) + 196 * width * 768
    assert image_model_inference.multiply_adds(mae, 8) == pytest.approx(8 * expected / 1e12, rel=.01)
