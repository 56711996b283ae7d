"""The text tower alone against the whole model, and class vectors against open_clip's own."""

import json

import open_clip
import pytest
import torch
from mmaction.registry import MODELS
from open_clip.transformer import QuickGELU
from safetensors.torch import save_file
from torch import nn

from iboot_mm.models.teachers.text import ACTION_TEMPLATES, OpenCLIPText, build_text_tower, class_vectors, readable_name

TEXT = dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=2)
VISION = dict(image_size=32, layers=1, width=24, head_width=12, patch_size=8)
SENTENCES = ['a dog runs', 'someone is playing the violin on a stage']


@pytest.fixture(scope='module', autouse=True)
def tiny_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp('open_clip')
    timm = dict(timm_model_name='resnet10t', timm_model_pretrained=False, timm_pool='avg', timm_proj='linear',
                image_size=32)
    for name, config in {
            'text-clip': dict(embed_dim=12, vision_cfg=VISION, text_cfg=TEXT),
            'text-custom': dict(embed_dim=12, vision_cfg=timm, text_cfg=TEXT, custom_text=True, init_logit_bias=-10),
            'text-coca': dict(
                embed_dim=12, vision_cfg=dict(VISION, attentional_pool=True, attn_pooler_heads=2, output_tokens=True),
                text_cfg=dict(TEXT, context_length=76, embed_cls=True, output_tokens=True),
                multimodal_cfg=dict(context_length=76, vocab_size=49408, width=16, heads=2, layers=1),
                custom_text=True),
            'text-hf': dict(embed_dim=12, vision_cfg=VISION, text_cfg=dict(hf_model_name='roberta-base'))}.items():
        (folder / f'{name}.json').write_text(json.dumps(config))
    open_clip.add_model_config(folder)


def whole(model: str) -> nn.Module:
    torch.manual_seed(0)
    return open_clip.create_model(model, pretrained=None).eval()


@pytest.mark.parametrize('model, name', [('text-clip', 'w.safetensors'), ('text-clip', 'w.pth'),
                                         ('text-custom', 'w.pth'), ('text-custom', 'old.pth'), ('text-coca', 'w.pth')])
def test_the_tower_alone_gives_what_the_whole_model_gives(model, name, tmp_path):
    network = whole(model)
    state = network.state_dict()
    if name == 'old.pth':  # as files were before custom_text
        state = {key.removeprefix('text.'): value for key, value in state.items()}
    save_file(state, tmp_path / name) if name.endswith('.safetensors') else torch.save(state, tmp_path / name)
    text = MODELS.build(dict(type='OpenCLIPText', model=model, checkpoint=str(tmp_path / name), chunk_size=1))
    with torch.no_grad():
        expected = network.encode_text(open_clip.get_tokenizer(model)(SENTENCES), normalize=True)
    torch.testing.assert_close(text(SENTENCES), expected)
    assert not any(key.startswith('visual') for key in text.network.state_dict())


def test_class_vectors_are_open_clips(tmp_path):
    network = whole('text-clip')
    torch.save(network.state_dict(), tmp_path / 'w.pth')
    text = OpenCLIPText('text-clip', checkpoint=str(tmp_path / 'w.pth'))
    names = ['playing violin', 'abseiling', 'zumba']
    expected = open_clip.build_zero_shot_classifier(network, open_clip.get_tokenizer('text-clip'), names,
                                                    ACTION_TEMPLATES)
    torch.testing.assert_close(class_vectors(text, names, ACTION_TEMPLATES), expected.T)


@pytest.mark.parametrize('name, words', [('ApplyEyeMakeup', 'apply eye makeup'), ('brush_hair', 'brush hair'),
                                         ('playing violin', 'playing violin'), ('TaiChi', 'tai chi')])
def test_readable_names(name, words):
    assert readable_name(name) == words


def test_quick_gelu_weights_get_quick_gelu():
    with torch.device('meta'):
        tower = build_text_tower('ViT-B-16', quick_gelu=True)
    assert {type(m) for m in tower.modules() if isinstance(m, (nn.GELU, QuickGELU))} == {QuickGELU}


@pytest.mark.parametrize('options, message', [
    (dict(model='ViT-B-17', pretrained='openai'), "no model 'ViT-B-17'; did you mean .*ViT-B-16"),
    (dict(model='ViT-B-16'), 'ViT-B-16 has no weights: give pretrained=TAG'),
    (dict(model='text-hf', pretrained=False), "text-hf is one of Hugging Face's transformers"),
])
def test_one_sentence_for_bad_names(options, message):
    with pytest.raises(ValueError, match=message) as error:
        OpenCLIPText(**options)
    assert '\n' not in str(error.value)


def test_one_sentence_for_a_bad_file_or_tokenizer(tmp_path, monkeypatch):
    state = whole('text-clip').state_dict()
    torch.save({key: value for key, value in state.items() if key.startswith('visual.')}, tmp_path / 'image.pth')
    with pytest.raises(ValueError, match=r'image\.pth does not fit CLIP: \d+ missing'):
        OpenCLIPText('text-clip', checkpoint=str(tmp_path / 'image.pth'))
    with pytest.raises(ValueError, match="the template 'a video' has no {}"):
        class_vectors(OpenCLIPText('text-clip', pretrained=False), ['zumba'], ['a video'])
    for error, expected in ((ModuleNotFoundError(name='transformers'), 'pip install transformers'),
                            (OSError('no route\nto host'), r'out of reach.*\(no route to host\)')):
        def refuse(*_, error=error):
            raise error
        monkeypatch.setattr(open_clip, 'get_tokenizer', refuse)
        with pytest.raises((ValueError, ConnectionError), match=expected):
            OpenCLIPText('text-clip', pretrained=False)
