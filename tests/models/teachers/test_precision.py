"""Weights that are cast once against autocast, which casts them in each pass."""

import pytest
import timm
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from iboot_mm.models.teachers.precision import CastWeights
from iboot_mm.stores.identity import digest_weights

from .test_open_clip import TINY, OpenCLIPTeacher, open_clip
from .test_timm import CNN, VIT, small

NETWORKS = dict(
    vit=lambda: timm.create_model('vit_tiny_patch16_224', **VIT['model_args']),
    weight_standardisation=lambda: timm.create_model('resnetv2_50', layers=(1, 1), channels=(32, 64), stem_chs=8),
    convnext=lambda: timm.create_model('convnext_atto', depths=(1, 1, 1, 1), dims=(8, 8, 16, 16)),
    eva=lambda: timm.create_model('eva02_tiny_patch14_224', img_size=28, depth=2, embed_dim=24, num_heads=2),
    clip=lambda: open_clip.CLIP(**TINY['tiny-vit']).visual,
    clip_resnet=lambda: open_clip.CLIP(**TINY['tiny-resnet']).visual)


class Casts(TorchDispatchMode):
    """Counts the times that a network's weight is cast to bfloat16."""

    def __init__(self, network):
        super().__init__()
        self.places, self.count = {weight.data_ptr() for weight in network.parameters()}, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._to_copy.default and (kwargs or {}).get('dtype') is torch.bfloat16:
            self.count += args[0].data_ptr() in self.places
        return function(*args, **kwargs or {})


@pytest.fixture(autouse=True)
def no_fast_path():
    """Attention as on a GPU under autocast."""
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.parametrize('name', NETWORKS)
def test_outputs_are_autocasts_bit_for_bit_and_no_weight_is_cast_again(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval().requires_grad_(False)
    for parameter in network.parameters():  # not zero
        parameter.add_(.1 * torch.randn_like(parameter))
    size = dict(eva=28, clip_resnet=64).get(name, 32)
    images, weights, before = torch.rand(2, 3, size, size), CastWeights(network), digest_weights(network.state_dict())
    exact = network(images)
    found, casts = [], []
    for dtype in (None, torch.bfloat16):
        weights.to(dtype)
        with torch.autocast('cpu', torch.bfloat16), Casts(network) as counted:
            found.append(network(images))
        casts.append(counted.count)
    assert torch.equal(*found) and not torch.equal(found[0].float(), exact)
    low = sum(weight.numel() for weight in network.parameters() if weight.dtype == torch.bfloat16)
    if name != 'weight_standardisation':
        assert casts[1] <= 3 < casts[0] and low > .9 * sum(p.numel() for p in network.parameters())
    assert digest_weights(network.state_dict()) == before, 'a checkpoint has the originals'
    weights.to(None)
    assert torch.equal(network(images), exact) and digest_weights(network.state_dict()) == before


def test_a_weight_that_another_layer_uses_stays():
    network = nn.ModuleDict(dict(table=nn.Embedding(4, 3), out=nn.Linear(3, 4), other=nn.Linear(3, 3)))
    network['out'].weight = network['table'].weight
    CastWeights(network).to(torch.bfloat16)
    assert network['out'].weight.dtype == torch.float32 and network['other'].weight.dtype == torch.bfloat16


@pytest.mark.parametrize('model', [VIT, CNN])
def test_chunks_of_a_teacher_share_its_cast_weights(model):
    clips = torch.rand(2, 3, 5, 32, 32)
    teacher, whole = (small(model, precision='bf16', chunk_size=size) for size in (1, 10))
    teacher(clips[:1])
    with Casts(teacher.network) as counted:
        features = teacher(clips)
    assert counted.count == 0
    torch.testing.assert_close(features, whole(clips), rtol=.02, atol=.02)


def test_a_teacher_compiles_what_it_encodes_with():
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    clips = torch.rand(2, 3, 4, 32, 32)
    teacher, compiled = small(VIT, chunk_size=4), small(VIT, chunk_size=4)
    compiled.compile(backend=backend)
    torch.testing.assert_close(compiled(clips), teacher(clips))
    assert len(graphs) == 1 and OpenCLIPTeacher.compile is type(teacher).compile
