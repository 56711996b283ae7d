"""VIVI's prediction of shots; the InfoNCE itself: tests/models/losses/test_shots.py."""

import pytest
import torch

from iboot_mm.models.heads import ShotPairHead, ShotSequenceHead

from ..losses.test_shots import info_nce_by_hand


def test_pair_scores_are_products_of_two_mlps():
    torch.manual_seed(0)
    head, shots = ShotPairHead(6, num_shots=2), torch.randn(5, 2, 6)
    found = head(shots)

    def mlp(phi, shot):
        first, _, last = phi
        return last.weight @ (first.weight @ shot + first.bias).relu() + last.bias

    assert head.phi1[0].weight.shape == head.phi2[0].weight.shape == (256, 6)
    predictions = torch.stack([mlp(head.phi1, first) for first, _ in shots])[:, None]
    keys = torch.stack([mlp(head.phi2, shot) for shot in shots.flatten(0, 1)]).view(5, 2, -1)
    losses, hits = info_nce_by_hand(predictions, keys, 0)
    torch.testing.assert_close(found['loss'], losses.mean())
    leaves = list(head.parameters())
    torch.testing.assert_close(*(torch.autograd.grad(loss, leaves) for loss in (found['loss'], losses.mean())))
    assert found['accuracy'] == hits.float().mean()
    assert found['chance'].item() == pytest.approx(1 / (1 + 4 * 2))


@pytest.mark.parametrize('num_shots', [2, 4])
def test_sequence_predicts_each_shot_from_those_before(num_shots):
    torch.manual_seed(0)
    head, shots = ShotSequenceHead(6, num_shots, hidden=7), torch.randn(5, num_shots, 6, requires_grad=True)
    found = head(shots)
    cell = torch.nn.LSTMCell(6, 7)
    cell.load_state_dict({key.removesuffix('_l0'): value for key, value in head.lstm.state_dict().items()})
    predictions = torch.zeros(5, num_shots - 1, 7)
    state = None
    for k in range(num_shots - 1):
        state = cell(shots[:, k], state)
        predictions[:, k] = state[0]
    losses, hits = info_nce_by_hand(predictions, shots @ head.key.weight.T, 0)
    torch.testing.assert_close(found['loss'], losses.mean())
    leaves = [head.key.weight, shots]
    torch.testing.assert_close(*(torch.autograd.grad(loss, leaves) for loss in (found['loss'], losses.mean())))
    assert found['accuracy'] == hits.float().mean()
    assert found['chance'].item() == pytest.approx(1 / (1 + 4 * num_shots))
    assert ShotSequenceHead(6, num_shots).lstm.hidden_size == 256


def test_a_prediction_knows_nothing_of_its_shot():
    shots = torch.randn(3, 4, 6, requires_grad=True)
    prediction = ShotSequenceHead(6, 4).predict(shots)[:, 1]  # of the third shot
    touched = torch.autograd.grad(prediction.sum(), shots)[0].abs().sum(dim=(0, 2)) > 0
    assert touched.tolist() == [True, True, False, False]


def test_numbers_of_shots_and_videos():
    with pytest.raises(ValueError, match=r'ShotPairHead predicts one shot from another, and num_shots=4: set num_shot'):
        ShotPairHead(6, num_shots=4)
    with pytest.raises(ValueError, match='ShotSequenceHead predicts shots from earlier ones, and num_shots=1: set num'):
        ShotSequenceHead(6, num_shots=1)
    for head in (ShotPairHead(6, 2), ShotSequenceHead(6, 2)):
        with pytest.raises(ValueError, match='Head tells shots of different videos apart, and the batch of all proces'):
            head(torch.rand(1, 2, 6))


def test_collapsed_shots_give_finite_numbers():
    for head in (ShotPairHead(6, 2), ShotSequenceHead(6, 2)):
        loss = head(torch.ones(4, 2, 6))['loss']
        loss.backward()
        assert loss.item() == pytest.approx(torch.log(torch.tensor(7.)).item(), rel=1e-5)
        assert all(parameter.grad.isfinite().all() for parameter in head.parameters())
