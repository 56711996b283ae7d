"""From a video and a file of weights to a strip, a video, or one sentence."""

import sys

import av
import pytest
import timm
import torch
from PIL import Image

from ..checkpoint_files import CONFIG, write_checkpoint
from ..scripts import load_tool
from ..videos import moving_frames, write_video

TOOL = load_tool('visualization/attention')
ARGS = dict(img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, num_classes=0)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A video, a teacher with a local file of weights, and a student of it."""
    folder = tmp_path_factory.mktemp('attention')
    write_video(folder / 'video.mp4', moving_frames(30), fps=15)
    torch.manual_seed(0)
    torch.save(timm.create_model('vit_tiny_patch16_224', **ARGS).state_dict(), folder / 'vit.pth')
    teacher = f"dict(type='TimmTeacher', model='vit_tiny_patch16_224', output='cls', model_args={ARGS}, input_size=32"
    (folder / 'teacher.py').write_text(f'teacher = {teacher})\n')
    text = CONFIG.replace("dict(type='PatchMeanTeacher', width=8)", f"{teacher}, checkpoint='{folder}/vit.pth')")
    write_checkpoint(folder / 'run', text)
    return folder


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['attention.py', *map(str, arguments)])
    TOOL.main()


def test_a_strip_of_a_teacher(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'strip.png'
    call(monkeypatch, folder / 'video.mp4', '--teacher', folder / 'teacher.py', '--checkpoint', folder / 'vit.pth',
         '--out', out, '--frames', 5, '--heads', 2)
    assert f'{out}: 5 frames, 2 maps' in capsys.readouterr().out
    width, height = Image.open(out).size
    assert width > height  # 5 columns, 3 rows


def test_a_video_lasts_as_long_as_the_one_that_it_shows(folder, tmp_path, monkeypatch):
    out = tmp_path / 'film.mp4'
    call(monkeypatch, folder / 'video.mp4', '--teacher', folder / 'teacher.py', '--checkpoint', folder / 'vit.pth',
         '--out', out, '--frames', 6)
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) == 6
        assert float(container.streams.video[0].average_rate) == 3.  # 6 frames of 2 seconds


def test_a_student_is_seen_beside_its_teacher(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'both.svg'
    call(monkeypatch, folder / 'video.mp4', '--student', folder / 'run', '--out', out)
    assert '8 frames, 1 maps' in capsys.readouterr().out  # two clips of 4
    call(monkeypatch, folder / 'video.mp4', '--student', folder / 'run', '--teacher', folder / 'teacher.py',
         '--checkpoint', folder / 'vit.pth', '--out', out)
    assert '8 frames, 4 maps' in capsys.readouterr().out and '<svg' in out.read_text()


def test_of_a_temporal_module_its_activations(folder, tmp_path, monkeypatch, capsys):
    teacher = f"dict(type='TimmTeacher', model='vit_tiny_patch16_224', model_args={ARGS}, input_size=32, "
    backbone = (f"dict(type='ImageTMM', teacher={teacher}checkpoint='{folder}/vit.pth'), out_channels=64, "
                "temporal=dict(type='r3d', hidden=8, kernel=3))")
    model = (f"model = dict(type='Recognizer3D', backbone={backbone}, data_preprocessor=dict(type='ClipPreprocessor'), "
             "cls_head=dict(type='MLPHead', in_channels=64, num_classes=3))\n")
    write_checkpoint(tmp_path / 'run', model + CONFIG[CONFIG.index('val_dataloader'):])
    out = tmp_path / 'activations.svg'
    call(monkeypatch, folder / 'video.mp4', '--student', tmp_path / 'run', '--out', out)
    assert '8 frames, 3 maps' in capsys.readouterr().out
    assert all(name in out.read_text() for name in ('trained', 'untrained', 'image model'))


@pytest.mark.parametrize('arguments, sentence', [
    (['VIDEO', '--teacher', 'TEACHER', '--checkpoint', 'WEIGHTS', '--heads', '3'], 'has heads 1 to 2, and no head 3'),
    (['absent.mp4', '--teacher', 'TEACHER', '--checkpoint', 'WEIGHTS'], 'absent.mp4'),
    (['WEIGHTS', '--teacher', 'TEACHER', '--checkpoint', 'WEIGHTS'], 'vit.pth'),
    (['VIDEO', '--teacher', 'TEACHER', '--checkpoint', 'absent.pth'], 'absent.pth'),
    (['VIDEO', '--teacher', 'dino_vit_b17'], "no teacher 'dino_vit_b17'.*dino_vit_b16"),
    (['VIDEO', '--student', 'absent'], 'no checkpoint at absent'),
])
def test_one_sentence_where_it_cannot(folder, monkeypatch, tmp_path, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    named = dict(VIDEO=folder / 'video.mp4', TEACHER=folder / 'teacher.py', WEIGHTS=folder / 'vit.pth')
    with pytest.raises(SystemExit, match=sentence) as stop:
        call(monkeypatch, *(named.get(argument, argument) for argument in arguments))
    assert str(stop.value).startswith('attention: ') and '\n' not in str(stop.value)
    assert not (tmp_path / 'attention.png').exists()


@pytest.mark.parametrize('arguments, sentence', [
    (['video.mp4'], 'name a --teacher'), (['video.mp4', '--teacher', 'x', '--out', 'x.avi'], 'ends in .png'),
    (['video.mp4', '--teacher', 'x', '--frames', '0'], 'at least 1'),
])
def test_arguments(monkeypatch, capsys, arguments, sentence):
    with pytest.raises(SystemExit):
        call(monkeypatch, *arguments)
    assert sentence in capsys.readouterr().err
