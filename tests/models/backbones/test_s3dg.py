"""The study's S3D-G against torchvision's S3D with gates added by hooks, and its counts."""

import pytest
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from iboot_mm.models.backbones import S3DG

from .test_slow import randomise

# Branches of the nine inception blocks, and where those lie among torchvision's ``features``.
BRANCHES = {5: (64, 128, 32, 32), 6: (128, 192, 96, 64), 8: (192, 208, 48, 64), 9: (160, 224, 64, 64),
            10: (128, 256, 64, 64), 11: (112, 288, 64, 64), 12: (256, 320, 128, 128), 14: (256, 320, 128, 128),
            15: (384, 384, 128, 128)}
GATES = {'features.3': 192, **{f'features.{block}.branch{n}': width for block, widths in BRANCHES.items()
                               for n, width in enumerate(widths)}}


def gate_names(state: dict) -> dict[str, str]:
    """What is gated, to the name of its gate's weight."""
    return {key.removesuffix('.mix.weight').rpartition('.')[0]: key for key in state if key.endswith('.mix.weight')}


def test_weights_are_torchvisions_and_a_square_for_each_branch():
    """9.1 M and 36.0 G at 32 x 224 x 224, which is all that the study says (Table 5)."""
    with torch.device('meta'), torch.no_grad():
        network, stock = S3DG().eval(), torchvision.models.video.s3d()
        with FlopCounterMode(display=False) as counter:
            assert network(torch.zeros(1, 3, 32, 224, 224)).shape == (1, 1024, 4, 7, 7)
    state = network.state_dict()
    gates = gate_names(state)
    assert {name: tuple(state[key].shape) for name, key in gates.items()} == {
        name: (width, width, 1, 1, 1) for name, width in GATES.items()}
    kept = {key: value.shape for key, value in stock.state_dict().items() if not key.startswith('classifier')}
    assert {key: value.shape for key, value in state.items() if key not in gates.values()} == kept
    weights = sum(parameter.numel() for parameter in network.parameters())
    assert weights == sum(parameter.numel() for parameter in stock.features.parameters()) + sum(
        width**2 for width in GATES.values())
    assert (weights / 1e6, counter.get_total_flops() / 2e9) == pytest.approx((9.1, 36.0), abs=.05)


@torch.no_grad()
def test_the_map_is_torchvisions_with_each_branch_gated():
    network = randomise(S3DG()).eval()
    state = network.state_dict()
    stock = torchvision.models.video.s3d().eval()
    found = stock.load_state_dict({key: value for key, value in state.items() if '.mix.' not in key}, strict=False)
    assert {key.split('.')[0] for key in found.missing_keys} == {'classifier'} and not found.unexpected_keys
    for name, key in gate_names(state).items():
        def gated(module, inputs, output, weight=state[key].flatten(1)):
            gate = torch.sigmoid(torch.einsum('oc,ncthw->no', weight, output) / output[0, 0].numel())
            return output * gate[:, :, None, None, None]

        stock.get_submodule(name).register_forward_hook(gated)
    clips = torch.rand(2, 3, 10, 40, 56)
    torch.testing.assert_close(network(clips), stock.features(clips), rtol=1e-4, atol=1e-5)


def test_gates_begin_near_a_half_and_convolutions_by_the_number_of_their_outputs():
    torch.manual_seed(0)
    network = S3DG()
    gate = network.features[15].branch1[-1]
    maps = torch.rand(2, 384, 2, 3, 3)
    torch.testing.assert_close(gate(maps), maps / 2, rtol=.2, atol=0)
    assert float(gate.mix.weight.detach().abs().max()) <= .02
    spatial = network.features[3][0][0].weight  # 1x3x3, 64 to 192
    assert float(spatial.detach().std()) == pytest.approx((2 / (192 * 9))**.5, rel=.02)
