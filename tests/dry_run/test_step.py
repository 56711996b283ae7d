"""A step of every kind of config on a GPU that is not there: devices, waits, exchanges, memory and work."""

import functools
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from iboot_mm.dry_run.fake_gpu import fake_gpu
from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.recipe import Settings
from iboot_mm.dry_run.step import Step, dry_step
from iboot_mm.dry_run.waits import WaitTrace
from iboot_mm.dry_run.watch import Watch
from iboot_mm.engine.batch_plan import BatchPlan

from ..config_files import load_config

MINI = Path(__file__).parents[2] / 'configs' / 'mini'
# One of each kind; the big ones differ from them in size.
KINDS = ('iboot_r18_digits', 'iboot_r18_digits_cached', 'iboot_motion_r18_digits', 'iboot_motion_r18_digits_cached',
         'byol_r18_digits', 'moco_r18_digits', 'simclr_r18_digits',
         'swav_r18_digits', 'advise_tmm_digits', 'advise_tmm_digits_cached', 'vivi_ex2_digits', 'vivi_rot4_digits',
         'vivi_cotrained_digits', 'vivi_order_digits', 'downstream/ava_digits', 'downstream/charades_digits',
         'downstream/linear_digits', 'downstream/finetune_digits', 'downstream/advise_finetune_digits')


@functools.cache
def step_of(name: str, ranks: int = 8, precision: str = 'config', sync_bn: bool = False, accumulation: int = 1) -> Step:
    cfg = load_config(MINI / f'{name}.py')
    if sync_bn:
        cfg.sync_bn = 'torch'
    return dry_step(cfg, gpu_named('a100-80'), BatchPlan(ranks, 2, accumulation), Settings(precision))


@pytest.mark.parametrize('name', KINDS)
def test_a_step_waits_for_nothing_that_is_not_known(name: str) -> None:
    step = step_of(name)  # a mismatch of devices is an error in it
    unknown = [str(wait) for wait in step.waits if wait.reason is None]
    assert not unknown, '\n'.join(unknown)
    assert step.peak.kinds['weights'] > 0
    assert step.work.total().flops > 0
    assert any(backward and work.flops for (_, backward), work in step.work.parts.items())


def test_every_training_of_the_mini_configs_is_of_a_kind() -> None:
    kinds = {kind_of(load_config(MINI / f'{name}.py')) for name in KINDS}
    for file in sorted(MINI.rglob('*.py')):
        if '_base_' not in file.parts and 'targets' not in file.parts:
            cfg = Config.fromfile(file)
            assert not cfg.get('train_dataloader') or kind_of(cfg) in kinds, file


def kind_of(cfg: Config) -> tuple[str, str | None]:
    return cfg.model.type, (cfg.model.get('backbone') or {}).get('type')


BN = 20  # of Slow R18: the stem, two of each of its 8 blocks, 3 of shortcuts
OWN = dict(iboot_r18_digits={'target_norm.py'}, simclr_r18_digits={'distributed.py'})  # what else exchanges


@pytest.mark.parametrize('name, ranks', [('iboot_r18_digits', 8), ('iboot_r18_digits', 64), ('simclr_r18_digits', 32)])
def test_exchanges_of_a_step(name: str, ranks: int) -> None:
    step = step_of(name, ranks, sync_bn=True)
    found = count(step.collectives)
    clips = 1 if name.startswith('iboot') else 2  # passes of the network
    assert found.pop(('SyncBN', 'all-gather'))[0] == found.pop(('SyncBN', 'all-reduce'))[0] >= clips * BN
    times, exchanged = found.pop(('gradients', 'all-reduce'))
    trained = sum(count for part, count in step.parameters.items() if part not in ('teacher', 'momentum copy'))
    assert exchanged == 4 * trained and times <= 2 + exchanged // 2**20  # each weight once, in buckets
    assert {cause.split('/')[-1].split(':')[0] for cause, _ in found} == OWN[name]


# SyncBN's gathers and reductions, and what the method itself exchanges.
METHODS = dict(
    byol_r18_digits=(65, 44, {}),  # 20 + 2 layers for each of 2 clips; the momentum copy has 21 for both at once
    moco_r18_digits=(60, 40, {('moco.py', 'broadcast'): 1,  # the order of the shuffle; there and back; the queue's keys
                              ('distributed.py', 'all-to-all'): 2, ('key_queue.py', 'all-gather'): 1}),
    swav_r18_digits=(44, 44, {('views.py', 'all-reduce'): 6}),  # 3 iterations of Sinkhorn for each clip
    vivi_ex2_digits=(13, 13, {('distributed.py', 'all-gather'): 2, ('distributed.py', 'all-reduce'): 2}))  # two losses


@pytest.mark.parametrize('name', METHODS)
def test_exchanges_of_the_methods(name: str) -> None:
    gathers, reductions, own = METHODS[name]
    step = step_of(name, 8, sync_bn=True)
    found = {key: times for key, (times, _) in count(step.collectives).items()}
    assert (found.pop(('SyncBN', 'all-gather')), found.pop(('SyncBN', 'all-reduce'))) == (gathers, reductions)
    trained = sum(number for part, number in step.parameters.items() if part != 'momentum copy')
    assert count(step.collectives)['gradients', 'all-reduce'] == (found.pop(('gradients', 'all-reduce')), 4 * trained)
    assert {(cause.split('/')[-1].split(':')[0], kind): times for (cause, kind), times in found.items()} == own


def test_one_gpu_exchanges_nothing_and_more_gpus_need_no_more_memory() -> None:
    alone, together = (step_of('iboot_r18_digits', ranks, sync_bn=True) for ranks in (1, 8))
    assert not alone.collectives
    assert together.peak.bytes == pytest.approx(alone.peak.bytes, rel=.02)


def test_accumulation_exchanges_gradients_once_and_works_as_often() -> None:
    once, often = (step_of('simclr_r18_digits', 8, accumulation=times) for times in (1, 4))
    assert count(once.collectives)['gradients', 'all-reduce'] == count(often.collectives)['gradients', 'all-reduce']
    assert often.work.total().flops == 4 * once.work.total().flops
    assert often.peak.bytes > once.peak.bytes  # gradients stay from one part of the batch to the next


def test_bfloat16_halves_what_the_network_keeps() -> None:
    half, single = (step_of('downstream/finetune_digits', 1, precision) for precision in ('bf16', 'fp32'))
    assert half.peak.kinds['activations'] < .7 * single.peak.kinds['activations']
    assert half.work.total().flops == single.work.total().flops
    assert not [str(wait) for step in (half, single) for wait in step.waits if wait.reason is None]


def count(collectives: dict) -> dict[tuple[str, str], tuple[int, int]]:
    """How often and how many bytes, by cause and kind."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one, times in collectives.items():
        before = found.get((one.cause, one.kind), (0, 0))
        found[one.cause, one.kind] = before[0] + times, before[1] + times * one.bytes
    return found


@pytest.mark.parametrize('draw', ['trunc_normal_', 'normal_'])
def test_a_network_that_draws_until_values_are_right_is_built(draw: str) -> None:
    with fake_gpu(gpu_named('t4')), Watch([WaitTrace()]):
        weight = torch.empty(8, 8, device='cuda')
        assert getattr(torch.nn.init, draw)(weight, std=.01) is weight


def test_a_loop_that_ends_at_a_value_is_told_in_a_sentence() -> None:
    with fake_gpu(gpu_named('t4')), Watch([WaitTrace()]):
        weight = torch.empty(1, device='cuda')
        with pytest.raises(RuntimeError, match='more than 10000 times: a loop that ends at some value never does'):
            while (weight < 0).any():
                pass
