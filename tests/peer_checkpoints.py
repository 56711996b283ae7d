"""Checkpoints as PySlowFast writes them, made from its rules for names alone."""

import math

import torch
import yaml

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
HEADS = {  # of its BYOL, at the width of the tests
    'head.projection.projection.0.weight': (16, 128), 'head.projection.projection.1.weight': (16, ),
    'head.projection.projection.1.bias': (16, ), 'head.projection.projection.1.running_mean': (16, ),
    'head.projection.projection.1.running_var': (16, ), 'head.projection.projection.1.num_batches_tracked': (),
    'head.projection.projection.3.weight': (8, 16), 'head.projection.projection.3.bias': (8, ),
    'head.predictors.0.projection.0.weight': (16, 8), 'head.predictors.0.projection.1.weight': (16, ),
    'head.predictors.0.projection.1.bias': (16, ), 'head.predictors.0.projection.1.running_mean': (16, ),
    'head.predictors.0.projection.1.running_var': (16, ), 'head.predictors.0.projection.1.num_batches_tracked': (),
    'head.predictors.0.projection.3.weight': (8, 16), 'head.predictors.0.projection.3.bias': (8, )}
CFG = dict(
    CONTRASTIVE=dict(TYPE='byol', T=.5), MODEL=dict(ARCH='slow', MODEL_NAME='ContrastiveModel'), RESNET=dict(DEPTH=50),
    DATA=dict(NUM_FRAMES=16, SAMPLING_RATE=4, TARGET_FPS=30, MEAN=[.45, .45, .45], STD=[.225, .225, .225]))


def slow_shapes(depth: int = 50, width: int = 4) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a Slow network, written down from PySlowFast's own construction."""
    shapes = conv('s1.pathway0_stem.conv', 's1.pathway0_stem.bn', width, 3, (1, 7, 7))
    before = width
    for stage, blocks in enumerate(BLOCKS[depth]):
        inner = width * 2**stage
        for block in range(blocks):
            name = f's{stage + 2}.pathway0_res{block}'
            # Temporal kernels of 3 in res4 and res5, in no more blocks than ResNet-50 has.
            time = 3 if stage >= 2 and block < BLOCKS[50][stage] else 1
            if block == 0:
                shapes |= conv(f'{name}.branch1', f'{name}.branch1_bn', 4 * inner, before, (1, 1, 1))
            shapes |= conv(f'{name}.branch2.a', f'{name}.branch2.a_bn', inner, before, (time, 1, 1))
            shapes |= conv(f'{name}.branch2.b', f'{name}.branch2.b_bn', inner, inner, (1, 3, 3))
            shapes |= conv(f'{name}.branch2.c', f'{name}.branch2.c_bn', 4 * inner, inner, (1, 1, 1))
            before = 4 * inner
    return shapes


def conv(name: str, norm: str, out: int, into: int, kernel: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """A convolution without bias and its norm."""
    values = dict.fromkeys(('weight', 'bias', 'running_mean', 'running_var'), (out, ))
    return {f'{name}.weight': (out, into, *kernel), f'{norm}.num_batches_tracked': (),
            **{f'{norm}.{value}': shape for value, shape in values.items()}}


def fill(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, torch.Tensor]:
    """Random values; positive ones for norms, whose variances have to be."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.tensor(7) if name.endswith('num_batches_tracked') else
            torch.randn(shape, generator=generator) / math.prod(shape[1:])**.5 if len(shape) > 1 else
            torch.rand(shape, generator=generator) + .5 for name, shape in shapes.items()}


def byol(depth: int = 50) -> dict:
    """A contrastive checkpoint with all that may be in one."""
    online, copy = (fill({**slow_shapes(depth), **HEADS}, seed) for seed in (0, 1))
    state = {f'backbone.{name}': value for name, value in online.items()}
    state |= {f'backbone_hist.{name}': value for name, value in copy.items()}
    state |= dict(queue_x=torch.rand(4, 8), ptr=torch.tensor([0]), iter=torch.tensor([5]))
    state |= {'knn_mem.memory': torch.rand(6, 1, 8), 'swav_prototypes.weight': torch.rand(10, 8)}
    return dict(epoch=199, model_state=state, optimizer_state=dict(state={}, param_groups=[dict(lr=.1, params=[0])]),
                cfg=yaml.safe_dump(CFG), scaler_state=dict(scale=65536.))


def supervised(depth: int = 50, classes: int = 5) -> dict:
    """The checkpoint of a classifier."""
    head = {'head.projection.weight': (classes, 128), 'head.projection.bias': (classes, )}
    cfg = {**CFG, 'MODEL': dict(ARCH='slow', MODEL_NAME='ResNet'), 'CONTRASTIVE': dict(TYPE='mem')}
    return dict(epoch=3, model_state=fill({**slow_shapes(depth), **head}), cfg=yaml.safe_dump(cfg))
