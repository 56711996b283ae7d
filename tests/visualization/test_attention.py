"""Attention that is drawn is that of the pass that makes targets: a distribution, and the same from q and k by hand."""


import pytest
import torch
from mmaction.registry import MODELS
from timm.utils import AttentionExtract
from torch import nn

from iboot_mm.visualization.attention import attention_maps, attention_rows

from ..clip_models import add_clip

SMALL = dict(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=5)
CLIPS = torch.rand(2, 3, 3, 40, 40, generator=torch.Generator().manual_seed(0))
TIMM = {  # name: arguments of the teacher, tokens before the 16 patches
    'class token': (dict(model='vit_tiny_patch16_224', output='cls'), 1),
    'two of them': (dict(model='deit_tiny_distilled_patch16_224', output='cls'), 2),
    'registers and turned positions': (dict(model='vit_small_patch16_dinov3', output='cls'), 5),
    'pooling': (dict(model='vit_base_patch16_siglip_224', output='embedding'), 0),
    'pooling, class token': (dict(model='vit_pe_core_tiny_patch16_384', output='embedding',
                                  model_args=dict(attn_pool_num_heads=2)), 1),
    'class token under a pooling': (dict(model='vit_pe_core_tiny_patch16_384', output='cls'), 1),
}


def build(**options):
    """A small teacher of random weights, sharp enough for maps to differ."""
    torch.manual_seed(0)
    args = dict(SMALL, **options.pop('model_args', {}))
    teacher = MODELS.build(dict(type='TimmTeacher', pretrained=False, input_size=32, model_args=args, **options))
    for name, weight in teacher.network.named_parameters():
        if name.endswith(('qkv.weight', 'q_proj.weight', 'k_proj.weight', 'kv.weight', 'latent')):
            nn.init.normal_(weight, std=.5)
    return teacher


def inputs_of(module, teacher, clips):
    """What reaches a module in a pass, of all frames, and what leaves it."""
    seen = []
    with module.register_forward_hook(lambda _, args, output: seen.append((args[0], output))):
        teacher(clips)
    return tuple(torch.cat(parts) for parts in zip(*seen))


@pytest.mark.parametrize('name', TIMM)
def test_rows_are_distributions_and_maps_their_patches(name):
    options, prefix = TIMM[name]
    teacher = build(**options)
    rows, maps = attention_rows(teacher, CLIPS), attention_maps(teacher, CLIPS)
    assert rows.shape == (2, 3, 2, prefix + 16) and maps.shape == (2, 3, 2, 4, 4)
    torch.testing.assert_close(rows.sum(-1), torch.ones(2, 3, 2))
    assert torch.equal(maps.flatten(-2), rows[..., prefix:]) and rows.std() > .005
    assert (rows[0, 0] - rows[1, 2]).abs().max() > 1e-3  # of each frame its own


@pytest.mark.parametrize('name', ['class token', 'two of them'])
def test_class_token_by_hand(name):
    teacher = build(**TIMM[name][0])
    attention = teacher.network.blocks[-1].attn
    _, qkv = inputs_of(attention.qkv, teacher, CLIPS)  # (N T, L, 3 * 2 * 16)
    q, k, _ = qkv.unflatten(-1, (3, 2, 16)).unbind(2)  # (N T, L, heads, 16)
    logits = torch.einsum('bhd,blhd->bhl', q[:, 0], k) / 16**.5
    torch.testing.assert_close(attention_rows(teacher, CLIPS).flatten(0, 1), logits.softmax(-1))


def test_pooling_by_hand():
    teacher = build(**TIMM['pooling'][0])
    pooling = teacher.network.attn_pool
    tokens, _ = inputs_of(pooling, teacher, CLIPS)
    q = pooling.q(pooling.latent)[0, 0].unflatten(-1, (2, 16))
    k = pooling.kv(tokens).unflatten(-1, (2, 2, 16))[:, :, 0]
    logits = torch.einsum('hd,blhd->bhl', q, k) / 16**.5
    torch.testing.assert_close(attention_rows(teacher, CLIPS).flatten(0, 1), logits.softmax(-1))


def test_turned_positions_as_timm_extracts_them():
    teacher = build(**TIMM['registers and turned positions'][0])
    rows = attention_rows(teacher, CLIPS).flatten(0, 1)
    name = 'blocks.1.attn'
    images, _ = inputs_of(teacher.network.patch_embed, teacher, CLIPS)
    teacher.network.get_submodule(name).fused_attn = False
    weights = AttentionExtract(teacher.network, names=[f'{name}.attn_drop'], method='hook')(images)
    torch.testing.assert_close(rows, weights[f'{name}.attn_drop'][:, :, 0])


@pytest.fixture(scope='module')
def clip_teacher(tmp_path_factory):
    """A small ViT of open_clip's own kind, which asks torch for no weights."""
    folder = tmp_path_factory.mktemp('models')
    add_clip('attention-clip', folder, vision=dict(layers=2))
    torch.manual_seed(0)
    return MODELS.build(dict(type='OpenCLIPTeacher', model='attention-clip', pretrained=False))


def test_open_clip_by_hand(clip_teacher):
    attention = clip_teacher.network.transformer.resblocks[-1].attn
    tokens, _ = inputs_of(clip_teacher.network.transformer.resblocks[-1].ln_1, clip_teacher, CLIPS)
    tokens = clip_teacher.network.transformer.resblocks[-1].ln_1(tokens)
    q, k, _ = (tokens @ attention.in_proj_weight.T + attention.in_proj_bias).unflatten(-1, (3, 2, 12)).unbind(2)
    expected = (torch.einsum('bhd,blhd->bhl', q[:, 0], k) / 12**.5).softmax(-1)
    rows = attention_rows(clip_teacher, CLIPS)
    torch.testing.assert_close(rows.flatten(0, 1), expected)
    torch.testing.assert_close(rows.sum(-1), torch.ones(2, 3, 2))
    assert attention_maps(clip_teacher, CLIPS).shape == (2, 3, 2, 4, 4)


@pytest.mark.parametrize('name', [*TIMM, 'open_clip'])
def test_a_teacher_is_left_as_it_was(name, clip_teacher):
    teacher = clip_teacher if name == 'open_clip' else build(**TIMM[name][0])
    flags = [getattr(module, 'fused_attn', None) for module in teacher.network.modules()]
    before = teacher(CLIPS)
    attention_rows(teacher, CLIPS)
    assert torch.equal(teacher(CLIPS), before)
    assert flags == [getattr(module, 'fused_attn', None) for module in teacher.network.modules()]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in teacher.network.modules())


def test_chunks_and_fewer_frames():
    options = TIMM['class token'][0]
    torch.testing.assert_close(attention_rows(build(**options, chunk_size=2), CLIPS),
                               attention_rows(build(**options), CLIPS))
    torch.testing.assert_close(attention_rows(build(**options, frames=1), CLIPS),
                               attention_rows(build(**options), CLIPS[:, :, 1:2]))


@pytest.mark.parametrize('teacher, sentence', [
    (dict(type='TimmTeacher', model='resnet10t', pretrained=False, input_size=32), 'resnet10t is no ViT of'),
    (dict(type='TimmTeacher', model='vit_tiny_patch16_224', pretrained=False, input_size=32,
          model_args=dict(SMALL, class_token=False, global_pool='avg')), 'neither a class token nor'),
    (dict(type='PatchMeanTeacher'), 'patch_mean is no ViT of'),
])
def test_what_has_no_attention_to_draw(teacher, sentence):
    with pytest.raises(ValueError, match=sentence):
        attention_rows(MODELS.build(teacher), CLIPS)
