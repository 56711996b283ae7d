import pytest
import torch
from mmaction.registry import MODELS

from iboot_mm.models.teachers import base, list_teachers, load_teacher_config, open_clip_models
from iboot_mm.models.teachers import open_clip as open_clip_teachers
from iboot_mm.models.teachers import timm as timm_teachers
from iboot_mm.models.teachers.licences import licence_of

# name: width, licence, input size, mean of the first channel
READY = {
    'clip_vit_b16': (512, 'MIT', 224, 0.481),
    'clip_vit_b16_cls768': (768, 'MIT', 224, 0.481),
    'clip_vit_b32': (512, 'MIT', 224, 0.481),
    'clip_vit_l14': (768, 'MIT', 224, 0.481),
    'deit_vit_b16': (768, 'Apache-2.0', 224, 0.485),
    'dino_vit_b16': (768, 'Apache-2.0', 224, 0.485),
    'dinov2_vit_b14': (768, 'Apache-2.0', 224, 0.485),
    'dinov3_vit_b16': (768, 'DINOv3 License', 224, 0.485),
    'eva02_vit_b16': (512, 'MIT', 224, 0.481),
    'mobileclip2_s0': (512, 'Apple AMLR', 256, 0.0),
    'pe_core_b16': (1024, 'Apache-2.0', 224, 0.5),
    'siglip2_vit_b16': (768, 'Apache-2.0', 224, 0.5),
    'swav_r50w2': (4096, 'CC-BY-NC-4.0', 224, 0.485),
}


def test_the_ready_teachers():
    assert set(list_teachers()) == set(READY)


@pytest.mark.parametrize('name', sorted(set(READY) - {'swav_r50w2'}))
def test_ready_teacher_builds(name, monkeypatch):
    """Everything but the weights: names and tags exist, the architecture gives the output, on no memory."""
    fetched = []
    for module in (timm_teachers, open_clip_models):
        monkeypatch.setattr(module, 'fetch_from_hub', lambda repo_id, filenames: fetched.append(repo_id))
    monkeypatch.setattr(timm_teachers, 'load_timm_file', lambda *_: None)
    monkeypatch.setattr(open_clip_teachers, 'load_image_tower', lambda *_: None)
    with torch.device('meta'):
        teacher = MODELS.build(load_teacher_config(name))
    assert len(fetched) == 1 and '/' in fetched[0]
    check(teacher, name)


def test_width_and_licence_are_told(monkeypatch):
    said = []
    monkeypatch.setattr(base, 'print_log', lambda message, logger: said.append((message, logger)))
    config = load_teacher_config('deit_vit_b16')
    with torch.device('meta'):
        MODELS.build(dict(config, pretrained=False))
    assert len(said) == 1 and said[0][1] == 'current'
    assert all(part in said[0][0] for part in ('deit_vit_b16', 'width 768', 'Apache-2.0', '224 x 224'))


def test_swav_builds():
    config = load_teacher_config('swav_r50w2')
    assert config.pop('checkpoint').startswith('https://')
    check(MODELS.build(dict(config, pretrained=False)), 'swav_r50w2')


def check(teacher, name: str) -> None:
    width, licence, size, mean = READY[name]
    assert (teacher.width, teacher.licence, teacher.input_size, teacher.name) == (width, licence, (size, size), name)
    assert teacher.mean[0] == pytest.approx(mean, abs=1e-3)


def test_own_config_and_checkpoint(tmp_path):
    (tmp_path / 'mine.py').write_text("teacher = dict(type='TimmTeacher', model='resnet10t', mean=[.5, .5, .5])\n")
    assert load_teacher_config(str(tmp_path / 'mine.py'), checkpoint='w.pth') == dict(
        type='TimmTeacher', model='resnet10t', mean=[0.5, 0.5, 0.5], checkpoint='w.pth'
    )
    (tmp_path / 'none.py').write_text('model = dict()\n')
    with pytest.raises(ValueError, match='none.py defines no teacher'):
        load_teacher_config(str(tmp_path / 'none.py'))


def test_models_of_the_libraries():
    assert load_teacher_config('timm:vit_base_patch16_224.dino') == dict(
        type='TimmTeacher', model='vit_base_patch16_224.dino'
    )
    assert load_teacher_config('timm:resnet50') == dict(type='TimmTeacher', model='resnet50', pretrained=True)
    assert load_teacher_config('timm:resnet50', 'w.pth') == dict(
        type='TimmTeacher', model='resnet50', checkpoint='w.pth'
    )
    assert load_teacher_config('open_clip:ViT-B-16/openai') == dict(
        type='OpenCLIPTeacher', model='ViT-B-16', pretrained='openai'
    )


@pytest.mark.parametrize(
    'name, near',
    [
        ('clip_vit_b61', 'clip_vit_b16'),
        ('dinov2', 'dinov2_vit_b14'),
        ('nowhere.py', 'clip_vit_b16'),
        ('timm:', 'clip_vit_b16'),
    ],
)
def test_unknown_names(name, near):
    with pytest.raises(ValueError, match=f'no teacher {name!r}.*{near}') as error:
        load_teacher_config(name)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'weights, stated, licence',
    [
        ('ViT-B-16.openai', 'apache-2.0', 'MIT'),
        ('vit_base_patch16_dinov3.lvd1689m', None, 'DINOv3 License'),
        ('x.y', 'mit', 'MIT'),
        ('ViT-B-16.metaclip_400m', None, 'CC-BY-NC-4.0'),
        ('my_net', None, 'unknown'),
        ('ViT-B-16-SigLIP2.webli', None, 'Apache-2.0'),
    ],
)
def test_licences(weights, stated, licence):
    assert licence_of(weights, stated) == licence
