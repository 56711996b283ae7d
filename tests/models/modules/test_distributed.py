"""Two processes equal one with the whole batch: the exchanges, the queue, and steps of all four methods."""

import warnings
from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from mmengine.dist import all_gather, get_world_size
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook

from iboot_mm.engine.model_wrapper import DistributedPretrainer
from iboot_mm.engine.optimizers import LARS
from iboot_mm.models.losses.views import sinkhorn
from iboot_mm.models.modules.distributed import exchange_rows, gather_with_gradient
from iboot_mm.models.modules.key_queue import KeyQueue
from iboot_mm.models.pretrainers.persistence import unit

from ...distributed import run_in_processes
from ..pretrainers import toy

CASES = {  # method, rho, iterations per step, options
    'byol_2': ('byol', 2, 1, {}), 'byol_3_sum': ('byol', 3, 2, dict(reduction='sum')),
    'moco_2': ('moco', 2, 1, {}), 'moco_3_separate': ('moco', 3, 2, dict(positives='separate')),
    'simclr_2': ('simclr', 2, 1, {}), 'simclr_3_adjacent': ('simclr', 3, 1, dict(positives='adjacent')),
    'byol_3_one_pass': ('byol', 3, 1, dict(one_pass=True)), 'byol_3_stock': ('byol', 3, 1, {}),
     'moco_2_stock': ('moco', 2, 2, {}),  # mmengine's wrapper
    'simclr_3': ('simclr', 3, 1, {}), 'swav_2': ('swav', 2, 1, {}), 'swav_3_frozen': ('swav', 3, 1, {})}
STEPS, VIDEOS = 3, 4


def part(tensor, rank, world_size, dim=0):
    return tensor.chunk(world_size, dim)[rank]


def train(case, rank=0):
    """A few optimizer steps; what they leave, and how many exchanges of gradients they took."""
    method, rho, accumulation, options = CASES[case]
    world_size = get_world_size()
    model = toy.build(method, **options)
    if case.endswith('frozen'):
        model.prototypes.frozen = True
    optimizer = LARS(model.parameters(), lr=.05, trust=1., weight_decay=1e-4)
    optim_wrapper = OptimWrapper(optimizer, accumulative_counts=accumulation)
    network, exchanges = None, []
    if world_size > 1:
        network = (MMDistributedDataParallel if case.endswith('stock') else DistributedPretrainer)(model)

        def count(state, bucket):
            exchanges.append(bucket.index())
            return allreduce_hook(state, bucket)

        network.register_comm_hook(None, count)
    losses = []
    for iteration in range(STEPS * accumulation):
        data = toy.batch(iteration, VIDEOS, rho)
        data['inputs'] = part(data['inputs'], rank, world_size)
        torch.manual_seed(100 * iteration + rank)  # processes need not draw alike
        losses.append(toy.step(model, data, optim_wrapper, (iteration + 1) / STEPS / accumulation, network)['loss'])
    return dict(losses=torch.stack(losses), state=model.state_dict(), exchanges=len(exchanges))


def exchanges(rank, world_size):
    """Gathering with gradients, Sinkhorn-Knopp and the queue on a part of the batch each; results to compare."""
    generator = torch.Generator().manual_seed(0)
    whole = torch.randn(2, 4, 3, generator=generator)
    mine = part(whole, rank, world_size, dim=1).clone().requires_grad_()
    everyone = gather_with_gradient(mine, dim=1)
    weights = torch.randn(3, 4, 2, generator=generator).permute(2, 1, 0)  # gradients that lie as no tensor of ours
    ((rank + 1) * weights * everyone.square()).sum().backward()  # each rank has a loss of its own
    queue = KeyQueue(10, 3)
    queue.keys.zero_()
    for keys in (whole.detach(), -whole.detach()):
        queue.enqueue(part(keys, rank, world_size, dim=1))
    scores = F.normalize(torch.randn(8, 5, generator=generator))
    return dict(everyone=everyone.detach(), gradient=mine.grad, whole=whole, weights=weights, queue=queue.state_dict(),
                codes=sinkhorn(part(scores, rank, world_size)), all_codes=scores)


def shuffled_keys(rank, world_size):
    """Keys of this rank's clips, with the batch shuffled over two ranks and by hand, view by view."""
    found, order = {}, torch.tensor([2, 0, 1, 3])
    for norm in ('gn', 'bn'):
        model = toy.build('moco', norm)
        views = toy.views(model, videos=4)
        by_hand = torch.empty(2, 4, toy.DIM)
        for shard in order.chunk(2):
            for view in range(2):
                by_hand[view, shard] = unit(toy.build('moco', norm).momentum(views[shard, view]))
        with patch('torch.randperm', lambda n, device: order if rank == 0 else torch.arange(n)):  # rank 0's counts
            keys = model.keys(part(views, rank, world_size))
        alone = unit(toy.build('moco', norm).momentum.of_views(part(views, rank, world_size)))
        found[norm] = dict(keys=keys, by_hand=part(by_hand, rank, world_size, dim=1), alone=alone)
    return found


def gathered_rows(tensor, order):
    """What each rank computed before: from all ranks' rows."""
    return torch.cat(all_gather(tensor.contiguous()))[order].chunk(get_world_size())[dist.get_rank()]


def compare_exchanges(rank, world_size, folder):
    """Rows exchanged and rows gathered, the numbers that came from other ranks, and MoCo's keys by both ways."""
    found, arrived, exchange = [], [], dist.all_to_all_single

    def count(output, tensor, received, sent):
        arrived.append(output[0].numel() * (sum(received) - received[rank]))
        return exchange(output, tensor, received, sent)

    with patch('torch.distributed.all_to_all_single', count):
        for number in range(8):
            generator = torch.Generator().manual_seed(number)
            rows = torch.randn(world_size, 4, 3, 2, generator=generator).transpose(2, 3)
            order = torch.arange(4 * world_size) if number == 0 else torch.randperm(4 * world_size, generator=generator)
            rows = (1000 * rows).to([torch.float32, torch.uint8, torch.bfloat16][number % 3])[rank]
            found.append(dict(exchanged=exchange_rows(rows, order), gathered=gathered_rows(rows, order), order=order,
                              arrived=arrived.pop()))
        keys, model = [], toy.build('moco', 'bn')
        views = part(toy.views(model, videos=4 * world_size), rank, world_size)
        for way in (exchange_rows, gathered_rows):
            with patch('iboot_mm.models.pretrainers.moco.exchange_rows', way):
                copy = toy.build('moco', 'bn')
                torch.manual_seed(rank + 1)  # rank 0's order counts
                keys.append(copy.keys(views))
    video, key = views[0].numel(), keys[0][:, 0].numel()
    torch.save(dict(rows=found, keys=keys, most=[4 * video, 4 * key], arrived=arrived), f'{folder}/exchange_{rank}.pt')


def run(rank, world_size, folder):
    compare_exchanges(rank, world_size, folder)
    with warnings.catch_warnings():
        warnings.filterwarnings('error', message='.*never used|.*unused')
        found = {case: train(case, rank) for case in CASES}
    torch.save(dict(found, exchanges=exchanges(rank, world_size), shuffled=shuffled_keys(rank, world_size)),
               f'{folder}/{rank}.pt')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ranks')
    run_in_processes(run, 2, str(folder))
    return folder


@pytest.fixture(scope='module')
def ranks(folder):
    return [torch.load(folder / f'{rank}.pt') for rank in range(2)]


@pytest.mark.parametrize('case', CASES)
def test_steps_equal_those_of_the_whole_batch(ranks, case):
    whole = train(case)
    start = toy.build(CASES[case][0]).state_dict()
    torch.testing.assert_close(sum(rank[case]['losses'] for rank in ranks) / 2, whole['losses'], rtol=1e-5, atol=1e-6)
    for key, value in whole['state'].items():
        frozen = case.endswith('frozen') and key.startswith('prototypes')
        assert frozen or not torch.equal(value, start[key]), f'{key} did not move: nothing would be compared'
        for rank in ranks:
            torch.testing.assert_close(rank[case]['state'][key], value, rtol=1e-5, atol=1e-5)
            assert torch.equal(rank[case]['state'][key], ranks[0][case]['state'][key]), f'ranks differ in {key}'


@pytest.mark.parametrize('case', CASES)
def test_gradients_are_exchanged_once_per_step(ranks, case):
    assert [rank[case]['exchanges'] for rank in ranks] == [STEPS, STEPS]


def test_gathering_has_the_gradients_of_all_ranks(ranks):
    for rank, found in enumerate(rank['exchanges'] for rank in ranks):
        assert torch.equal(found['everyone'], found['whole'])
        expected = 2 * (1 + 2) * found['weights'] * found['whole']  # of the sum of both ranks' losses
        torch.testing.assert_close(found['gradient'], part(expected, rank, 2, dim=1))
    alone = torch.ones(2, requires_grad=True)
    assert gather_with_gradient(alone) is alone


def test_sinkhorn_gives_the_rows_of_the_whole_batch(ranks):
    whole = sinkhorn(ranks[0]['exchanges']['all_codes'])
    torch.testing.assert_close(torch.cat([rank['exchanges']['codes'] for rank in ranks]), whole)


def test_the_queue_takes_the_keys_of_all_ranks_in_order(ranks):
    whole = ranks[0]['exchanges']['whole']
    expected = torch.cat([whole.flatten(0, 1), -whole.flatten(0, 1)])  # 16 keys for 10 places
    expected = torch.cat([expected[10:], expected[6:10]])
    for rank in ranks:
        assert torch.equal(rank['exchanges']['queue']['keys'], expected)
        assert rank['exchanges']['queue']['pointer'] == 6


def test_keys_come_back_from_the_shuffle_in_order(ranks):
    for found in (rank['shuffled'] for rank in ranks):
        torch.testing.assert_close(found['gn']['keys'], found['gn']['alone'])
        torch.testing.assert_close(found['bn']['keys'], found['bn']['by_hand'])
        assert (found['bn']['keys'] - found['bn']['alone']).abs().max() > 1e-2, 'BN would know the clips of a rank'


@pytest.fixture(scope='module')
def exchanged(folder, tmp_path_factory):
    """What each of two and of three ranks found."""
    of_three = tmp_path_factory.mktemp('three')
    run_in_processes(compare_exchanges, 3, str(of_three))
    return {count: [torch.load(place / f'exchange_{rank}.pt') for rank in range(count)]
            for count, place in ((2, folder), (3, of_three))}


@pytest.mark.parametrize('world_size', [2, 3])
def test_exchanged_rows_are_those_of_all_ranks_gathered(exchanged, world_size):
    """Bit for bit; of the rows that a rank had already none comes over the network."""
    for rank, found in enumerate(exchanged[world_size]):
        for case in found['rows']:
            assert torch.equal(case['exchanged'], case['gathered']) and case['exchanged'].is_contiguous()
            from_others = [place for place in case['order'].chunk(world_size)[rank].tolist() if place // 4 != rank]
            assert case['arrived'] == 6 * len(from_others)
        assert found['rows'][0]['arrived'] == 0 and any(case['arrived'] for case in found['rows'])


@pytest.mark.parametrize('world_size', [2, 3])
def test_keys_are_those_of_gathered_clips_and_a_rank_receives_its_own_part(exchanged, world_size):
    for found in exchanged[world_size]:
        assert torch.equal(*found['keys'])
        assert len(found['arrived']) == 2  # all views, then their keys
        assert all(count <= most for count, most in zip(found['arrived'], found['most'])) and sum(found['arrived'])
