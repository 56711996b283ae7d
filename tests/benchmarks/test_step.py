"""The step's benchmark counts, splits and compares what it says."""

import argparse
import re

import pytest
import step
import torch
from torch import nn
from workload import Workload, largest_batch, peak_and_losses

from ..clip_models import add_clip

SIZES = dict(depth=18, width=8, size=32, frames=2, device='cpu', teacher='tiny', repeats=1, loss_steps=2)


@pytest.fixture(scope='module', autouse=True)
def teacher(tmp_path_factory):
    """7 x 7 patches and a token in 2 layers."""
    add_clip('tiny', tmp_path_factory.mktemp('open_clip'), width=48,
             vision=dict(image_size=224, layers=2, width=64, head_width=32, patch_size=32))


@pytest.fixture
def args():
    return argparse.Namespace(**SIZES)


@pytest.fixture
def in_this_process(monkeypatch):
    """Rows whose memory and losses would be measured in processes of their own."""
    def own(method, lever, videos, args):
        peak, losses = peak_and_losses(lambda: Workload(method, args, videos, **step.LEVERS[lever]), args.loss_steps)
        return [max(peak, 1.), *losses]  # a process that has had greater rows: no peak of its own

    monkeypatch.setattr(step, 'own', own)


@pytest.mark.parametrize('largest', [0, 1, 2, 3, 13, 16, 31, 100])
def test_largest_batch(largest):
    asked = []
    assert largest_batch(lambda videos: asked.append(videos) or videos <= largest) == largest
    assert max(asked) <= 2 * max(largest, 1)  # a GPU is not asked for the impossible


def forward_multiply_adds(model, run):
    """Of convolutions and linear layers in ``run``, and of the first convolution alone."""
    counts = []

    def count(module, inputs, output):
        inner = module.weight[0].numel()
        counts.append(output.numel() * inner)

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Conv3d | nn.Linear)]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return sum(counts), counts[0]


def test_multiply_adds_of_byol(args):
    workload = Workload('byol', args, videos=2)
    workload.model.data_preprocessor.blur_prob = 0.  # matrix products, too
    model, clips = workload.model, torch.rand(2, 3, 2, 32, 32)
    target, _ = forward_multiply_adds(model, lambda: model.momentum(clips))
    online, first = forward_multiply_adds(model, lambda: model.predictor(model.embed(clips)))
    # Two views; backward has two products for one of forward, but no gradient for the clips themselves.
    expected = 2 * (target + 3 * online - first)
    assert step.multiply_adds(workload, workload.batch()) == expected


def test_multiply_adds_of_iboots_teacher(args):
    workload = Workload('iboot', args, videos=1)
    workload.model.data_preprocessor.blur_prob = 0.
    model = workload.model
    online, first = forward_multiply_adds(
        model, lambda: model.projectors[0](model.extract_feat(torch.rand(2, 3, 2, 32, 32)).mean(1)))
    # 12 products d x d per token and layer, attention, W.
    tokens, width, layers = 50, 64, 2
    frame = 49 * 3 * 32 * 32 * width + layers * (12 * tokens * width ** 2 + 2 * tokens ** 2 * width) + width * 48
    expected = 3 * online - first + 2 * frame
    assert step.multiply_adds(workload, workload.batch()) == expected
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize('method, own', [('iboot', {'teacher'}), ('byol', {'momentum network', 'momentum update'})])
def test_parts_are_those_of_the_step(args, in_this_process, method, own):
    parts = step.split(workload := Workload(method, args, 2), workload.batch())
    assert set(parts) == {'augmentation', 'forward', 'backward', 'optimizer', 'rest'} | own
    assert all(seconds > 0 for seconds in parts.values())
    assert workload.model.train_step(workload.batch(), workload.optim_wrapper)  # the clocks are off again
    text, figures = step.parts_of(method, 2, args)
    seconds = {name.strip(): float(value) for name, value in re.findall(r'^\| ([a-z ]+?) +\| +([\d.]+) ', text, re.M)}
    ready = sum(value for name, value in seconds.items() if name.endswith('alone'))
    assert len(seconds) == len(parts) + 3
    assert figures['ratio'] == pytest.approx(seconds['whole step'] / ready, rel=.02) and 'step / bare parts' in text
    assert (figures['target_share'] > 0) == (method == 'iboot') and 0 < figures['share'] < 2


def test_settings_change_no_result_beyond_a_tolerance(args, in_this_process):
    args.levers = ['fp32', 'channels_last', 'checkpointing', 'bf16', 'teacher_bf16']
    text, ratios = step.levers_of('iboot', 2, args)
    within = {name: float(value) for name, value in re.findall(r'^\| (\w+) .*\| +(\S+) \|$', text, re.M)}
    assert list(within) == args.levers == list(ratios) and ratios['fp32'] == (1, 1)
    assert within['fp32'] == within['checkpointing'] == 0
    assert within['channels_last'] < 1e-2 and 0 < within['bf16'] < .05 and 0 < within['teacher_bf16'] < .01


def test_settings_of_the_study_s_methods(args, in_this_process):
    args.levers = ['fp32', 'teacher_bf16', 'one_pass']
    text, ratios = step.levers_of('byol', 2, args)
    assert list(ratios) == ['fp32', 'one_pass'] and 'byol, 2 videos' in text


def test_goals_are_ratios_to_plain_fp32():
    assert step.goals(.2, dict(fp32=(1, 1), all=(.4, .45))) == (
        "Teacher 20% of the plain step (goal: at most 25 %); iBoot's clips per second 2.50 times those of plain fp32 "
        '(goal: 2); memory 0.45 of it (goal: .5)')
