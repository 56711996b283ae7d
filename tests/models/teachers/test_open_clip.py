"""Real loading code with small weights made here: a CLIP ViT, a CLIP ResNet and a timm tower of open_clip."""

import json

import open_clip
import pytest
import torch
from mmaction.registry import MODELS
from open_clip.transformer import QuickGELU
from safetensors.torch import save_file
from torch import nn

from iboot_mm.models.teachers import OpenCLIPTeacher, open_clip_models
from iboot_mm.models.teachers import open_clip as open_clip_teachers

TEXT = dict(context_length=8, vocab_size=16, width=16, heads=2, layers=2)
TINY = {
    'tiny-vit': dict(
        embed_dim=12, vision_cfg=dict(image_size=32, layers=2, width=24, head_width=12, patch_size=8), text_cfg=TEXT
    ),
    'tiny-avg': dict(
        embed_dim=12,
        vision_cfg=dict(image_size=32, layers=2, width=24, head_width=12, patch_size=8, pool_type='avg'),
        text_cfg=TEXT,
    ),
    'tiny-coca': dict(
        embed_dim=12,
        vision_cfg=dict(
            image_size=32,
            layers=2,
            width=24,
            head_width=12,
            patch_size=8,
            attentional_pool=True,
            attn_pooler_heads=2,
            output_tokens=True,
        ),
        text_cfg=TEXT,
    ),
    'tiny-resnet': dict(embed_dim=12, vision_cfg=dict(image_size=64, layers=[1, 1, 1, 1], width=8), text_cfg=TEXT),
    'tiny-timm': dict(
        embed_dim=12,
        custom_text=True,
        text_cfg=TEXT,
        vision_cfg=dict(
            timm_model_name='resnet10t', timm_model_pretrained=False, timm_pool='avg', timm_proj='linear', image_size=32
        ),
    ),
}


@pytest.fixture(scope='module', autouse=True)
def tiny_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp('open_clip')
    for name, config in TINY.items():
        (folder / f'{name}.json').write_text(json.dumps(config))
    open_clip.add_model_config(folder)


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def whole(model: str, **options) -> nn.Module:
    torch.manual_seed(0)
    return open_clip.create_model(model, pretrained=None, **options).eval()


@pytest.mark.parametrize(
    'name, pick',
    [
        ('whole.pth', lambda state: {'state_dict': {f'module.{key}': value for key, value in state.items()}}),
        (
            'tower.pt',
            lambda state: {
                key.removeprefix('visual.'): value for key, value in state.items() if key.startswith('visual.')
            },
        ),
        ('whole.safetensors', lambda state: state),
    ],
)
@pytest.mark.parametrize('model', ['tiny-vit', 'tiny-resnet', 'tiny-timm'])
def test_embedding_is_encode_image(model, name, pick, clips, tmp_path):
    network = whole(model)
    state = pick(network.state_dict())
    save_file(state, tmp_path / name) if name.endswith('.safetensors') else torch.save(state, tmp_path / name)
    teacher = MODELS.build(dict(type='OpenCLIPTeacher', model=model, checkpoint=str(tmp_path / name)))
    assert teacher.width == 12
    frames = clips.transpose(1, 2).flatten(0, 1)
    if teacher.input_size != (32, 32):
        frames = nn.functional.interpolate(frames, teacher.input_size, mode='bilinear', antialias=True)
    images = open_clip.transform.Normalize(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)(frames)
    with torch.no_grad():
        expected = network.encode_image(images).unflatten(0, (2, 3))
    torch.testing.assert_close(teacher(clips), expected, atol=1e-5, rtol=1e-4)


def test_cls_mean_and_tokens_of_a_vit(clips):
    torch.manual_seed(0)
    outputs = {}
    for output in ('embedding', 'cls', 'mean', 'tokens'):
        torch.manual_seed(0)
        teacher = OpenCLIPTeacher('tiny-vit', pretrained=False, output=output)
        outputs[output] = teacher(clips)
    assert outputs['cls'].shape == (2, 3, 24) and outputs['tokens'].shape == (2, 3, 16, 24)
    torch.testing.assert_close(outputs['cls'] @ teacher.network.proj, outputs['embedding'], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(outputs['tokens'].mean(2), outputs['mean'])
    hidden = teacher.network.transformer(
        teacher.network._embeds(
            open_clip.transform.Normalize(teacher.mean, teacher.std)(clips[0, :, :1].transpose(0, 1))
        )
    )
    torch.testing.assert_close(teacher.network.ln_post(hidden)[0, 1:], outputs['tokens'][0, 0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    'model, output, shape',
    [
        ('tiny-resnet', 'mean', (2, 3, 256)),
        ('tiny-resnet', 'tokens', (2, 3, 4, 256)),
        ('tiny-timm', 'mean', (2, 3, 512)),
        ('tiny-timm', 'tokens', (2, 3, 1, 512)),
        ('tiny-avg', 'mean', (2, 3, 24)),
        ('tiny-coca', 'embedding', (2, 3, 12)),
    ],
)
def test_other_towers(model, output, shape, clips):
    assert OpenCLIPTeacher(model, pretrained=False, output=output)(clips).shape == shape


@pytest.mark.parametrize(
    'model, output, message',
    [
        ('tiny-resnet', 'cls', 'no class token'),
        ('tiny-timm', 'cls', 'no class token'),
        ('tiny-avg', 'cls', 'no class token'),
        ('tiny-coca', 'tokens', 'attentional pooling'),
    ],
)
def test_outputs_that_a_tower_lacks(model, output, message):
    with pytest.raises(ValueError, match=f'no output {output!r}.*{message}'):
        OpenCLIPTeacher(model, pretrained=False, output=output)


def test_a_file_of_another_tower(tmp_path):
    torch.save(whole('tiny-avg').state_dict() | {'visual.extra': torch.zeros(1)}, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'other\.pth does not fit.*unexpected \(extra\)'):
        OpenCLIPTeacher('tiny-vit', checkpoint=str(tmp_path / 'other.pth'))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(model='ViT-B-17'), "no model 'ViT-B-17'; did you mean .*ViT-B-16"),
        (dict(model='ViT-B-16', pretrained='open_ai'), "no weights 'open_ai' for ViT-B-16; did you mean openai"),
        (dict(model='ViT-B-16'), 'ViT-B-16 has no weights: give pretrained=TAG .open_clip has openai'),
        (dict(model='ViT-B-16', pretrained=True), 'ViT-B-16 has no weights: give pretrained=TAG .open_clip has openai'),
    ],
)
def test_one_sentence_for_bad_names(options, message):
    with pytest.raises(ValueError, match=message) as error:
        OpenCLIPTeacher(**options)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'model, tag, quick',
    [
        ('ViT-B-16', 'openai', True),
        ('ViT-B-32', 'metaclip_400m', True),
        ('ViT-B-16', 'dfn2b', True),
        ('ViT-B-16-quickgelu', 'openai', True),
        ('ViT-B-16', 'laion2b_s34b_b88k', False),
    ],
)
def test_quick_gelu_weights_get_quick_gelu(model, tag, quick, monkeypatch):
    monkeypatch.setattr(open_clip_teachers, 'load_image_tower', lambda *_: None)
    monkeypatch.setattr(open_clip_teachers, 'fetch', lambda *_: None)
    with torch.device('meta'):
        for options in (dict(), dict(checkpoint='local.pt')):  # a local file is told by its tag
            teacher = OpenCLIPTeacher(model, pretrained=tag, **options)
            acts = {type(module) for module in teacher.network.modules() if isinstance(module, (nn.GELU, QuickGELU))}
            assert acts == {QuickGELU if quick else nn.GELU}


@pytest.mark.parametrize(
    'entry, repo_id, filenames',
    [
        (
            dict(hf_hub='timm/some_model/'),
            'timm/some_model',
            ['open_clip_model.safetensors', 'open_clip_pytorch_model.bin'],
        ),
        (dict(hf_hub='org/other/weights.bin'), 'org/other', ['weights.safetensors', 'weights.bin']),
    ],
)
def test_which_files_of_the_hub(entry, repo_id, filenames, monkeypatch):
    monkeypatch.setattr(open_clip_models, 'fetch_from_hub', lambda *asked: asked)
    assert open_clip_models.fetch(entry) == (repo_id, filenames)


def test_hub_weights_are_loaded_from_the_fetched_file(monkeypatch, tmp_path):
    network = whole('ViT-M-32', force_quick_gelu=False)
    save_file(network.state_dict(), tmp_path / 'open_clip_model.safetensors')
    entry = dict(hf_hub='timm/some_model/', mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    monkeypatch.setattr(open_clip, 'get_pretrained_cfg', lambda model, tag: entry if tag == 'mine' else {})
    monkeypatch.setattr(open_clip_models, 'fetch_from_hub', lambda *_: tmp_path / 'open_clip_model.safetensors')
    teacher = OpenCLIPTeacher('ViT-M-32', pretrained='mine')
    assert teacher.network.proj.equal(network.visual.proj)
    assert teacher.mean == (0.1, 0.2, 0.3) and teacher.std == (0.4, 0.5, 0.6) and teacher.licence == 'unknown'
