"""``torch.compile`` takes each backbone and teacher, and SyncBN, as one graph; the back end is the graph as it is."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn

from iboot_mm.dry_run.collectives import ranks
from iboot_mm.dry_run.fake_gpu import DEVICE, fake_gpu
from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.kernels import FAKE
from iboot_mm.models.modules.batch_norm import separate_views, without_waits

VIT = dict(type='TimmTeacher', model='vit_tiny_patch16_224', pretrained=False, model_args=dict(img_size=32, depth=1))
BACKBONES = (
    dict(type='SlowResNet', depth=18, base_channels=4), dict(type='R2Plus1D18'), dict(type='S3DG'),
    dict(type='TorchvisionVideoBackbone', name='r3d_18'),
    dict(type='FrameResNetV2', layers=(1, 1), channels=(16, 32), stem_chs=8),
    dict(type='ImageTMM', teacher=VIT, temporal=dict(type='r3d', hidden=8)))
TEACHERS = (
    VIT, dict(type='OpenCLIPTeacher', model='ViT-B-32', pretrained=False,
              model_args=dict(force_image_size=32, vision_cfg=dict(layers=1, width=64, image_size=32, patch_size=8))),
    dict(type='MMPretrainTeacher', model=dict(type='ResNet', depth=18), pretrained=False, input_size=32))


class Graphs:
    """Keeps the graphs that are handed to it."""

    def __init__(self) -> None:
        torch.compiler.reset()
        self.found: list[torch.fx.GraphModule] = []

    def __call__(self, graph: torch.fx.GraphModule, inputs: list) -> object:
        self.found.append(graph)
        return graph.forward


@pytest.fixture(autouse=True)
def scope() -> None:
    init_default_scope('mmaction')


def named(config: dict) -> str:
    return config['type']


def test_there_are_no_others() -> None:
    for room, configs in (('backbones', BACKBONES), ('teachers', TEACHERS)):
        registered = {name for name, kind in MODELS.module_dict.items()
                      if kind.__module__.startswith(f'iboot_mm.models.{room}.') and name != 'OpenCLIPText'}
        assert registered == set(map(named, configs))


@pytest.mark.parametrize('config', BACKBONES, ids=named)
def test_backbone_is_one_graph(config: dict) -> None:
    network, graphs, clips = MODELS.build(config).train(), Graphs(), torch.rand(2, 3, 8, 32, 32)
    compiled = torch.compile(network, backend=graphs, fullgraph=True)  # raises where a graph ends
    assert compiled(clips).requires_grad and len(graphs.found) == 1


@pytest.mark.parametrize('config', TEACHERS, ids=named)
def test_teacher_is_one_graph(config: dict) -> None:
    teacher, graphs, images = MODELS.build(config), Graphs(), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        features = teacher.encode(images)
        teacher.compile(backend=graphs, fullgraph=True)
        torch.testing.assert_close(teacher.encode(images), features)
    assert len(graphs.found) == 1


@pytest.mark.parametrize('views', [1, 2])
def test_sync_bn_is_one_graph(views: int) -> None:
    with torch.library._scoped_library('aten', 'IMPL') as library, ranks(2):
        for operation, fake in FAKE.items():
            library.impl(operation, fake, 'Meta')  # without a driver torch finds out no shapes of these
        with fake_gpu(gpu_named('a100-80')), DEVICE:
            network, clips = nn.Sequential(nn.Conv3d(3, 4, 1), nn.SyncBatchNorm(4)), torch.rand(4, 3, 2, 4, 4)
        without_waits(network)
        graphs = Graphs()
        with separate_views(network, views):
            torch.compile(network, backend=graphs, fullgraph=True)(clips)
    graph, = graphs.found
    exchanges = [node for part in graph.modules() if isinstance(part, torch.fx.GraphModule) for node in part.graph.nodes
                 if 'all_gather' in str(node.target)]
    assert len(exchanges) == 1
