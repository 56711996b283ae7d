"""The detector: its map, what it pools, its loss and its scores."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData
from torch.nn import functional as F
from torchvision.ops import roi_align

from iboot_mm.models.modules.dilation import dilate_res5
from iboot_mm.models.recognizers.action_detector import map_stride

CLASSES = 5
BOXES = ([[.1, .2, .6, .9], [0., 0., 1., 1.]], [], [[.5, .5, .9, .8]])


@pytest.fixture
def detector(slow_backbone):
    torch.manual_seed(0)
    model = MODELS.build(dict(type='ActionDetector', backbone=slow_backbone, cls_head=dict(
        type='BoxActionHead', in_channels=64, num_classes=CLASSES, dropout_ratio=0., init_std=.5)))
    model.init_weights()
    return model.eval()


def samples(boxes=BOXES, shape=(64, 96)):
    result = []
    for part in boxes:
        sample = ActionDataSample()
        sample.set_metainfo(dict(img_shape=shape))
        corners = torch.tensor(part, dtype=torch.float64).reshape(-1, 4)
        labels = torch.randint(0, 2, (len(part), CLASSES), generator=torch.Generator().manual_seed(len(part))).float()
        sample.gt_instances = InstanceData(bboxes=corners, labels=labels)
        sample.proposals = InstanceData(bboxes=corners, scores=torch.ones(len(part)))
        result.append(sample)
    return result


def clips(count=3, seed=0):
    return torch.randn(count, 1, 3, 4, 64, 96, generator=torch.Generator().manual_seed(seed))


def by_definition(model, inputs, boxes):
    """Frame-wise RoIAlign of the 3D boxes, averaged over time, then the maximum over the cells (B.3)."""
    maps = model.backbone(inputs[:, 0])  # (N, D, T, 4, 6)
    logits = []
    for n, part in enumerate(boxes):
        for box in part:
            pixels = torch.tensor([[0, *box]]) * torch.tensor([1, 96, 64, 96, 64])
            frames = [roi_align(maps[n:n + 1, :, t], pixels, 7, 1 / 16, aligned=True) for t in range(maps.shape[2])]
            logits.append(model.cls_head.fc_cls(torch.stack(frames).mean(0).amax((2, 3)))[0])
    return torch.stack(logits)


@torch.no_grad()
def test_scores_are_those_of_the_definition_and_boxes_stay(detector):
    found = detector(clips(), samples(), mode='predict')
    scores = torch.cat([sample.pred_instances.scores for sample in found])
    assert torch.allclose(scores, by_definition(detector, clips(), BOXES).sigmoid(), atol=1e-5)
    for sample, part in zip(found, BOXES):
        assert sample.pred_instances.bboxes.tolist() == part and len(sample.pred_instances.scores) == len(part)


@torch.no_grad()
def test_a_box_sees_its_own_place_and_video(detector):
    inputs, boxes = clips(2), [[[0., 0., .2, .2]], [[.75, .75, 1., 1.]]]
    before = torch.cat([sample.pred_instances.scores for sample in detector(inputs, samples(boxes), mode='predict')])
    inputs[1] = torch.randn(inputs[1].shape)
    after = torch.cat([sample.pred_instances.scores for sample in detector(inputs, samples(boxes), mode='predict')])
    assert torch.equal(before[0], after[0]) and not torch.allclose(before[1], after[1], atol=1e-3)


def test_the_loss_is_the_mean_over_boxes_and_classes(detector):
    given = samples()
    labels = torch.cat([sample.gt_instances.labels for sample in given])
    expected = F.binary_cross_entropy_with_logits(by_definition(detector, clips(), BOXES), labels)
    loss = detector(clips(), given, mode='loss')
    assert loss['loss_cls'].item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_batch_without_a_box_trains_nothing_and_breaks_nothing(detector):
    loss = detector(clips(2), samples([[], []]), mode='loss')['loss_cls']
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in detector.parameters())  # DDP wants them all
    found = detector(clips(2), samples([[], []]), mode='predict')
    assert found[0].pred_instances.scores.shape == (0, CLASSES)


@pytest.mark.parametrize('depth', [18, 50])
@torch.no_grad()
def test_res5_is_dilated_as_mmaction2_builds_it(depth):
    torch.manual_seed(0)
    plain = MODELS.build(dict(type='SlowResNet', depth=depth, base_channels=8)).eval()
    there = MODELS.build(dict(type='SlowResNet', depth=depth, base_channels=8, spatial_strides=(1, 2, 2, 1),
                              dilations=(1, 1, 1, 2))).eval()
    there.load_state_dict(plain.state_dict())
    ours = copy.deepcopy(plain)
    assert dilate_res5(ours) and list(ours.state_dict()) == list(plain.state_dict())
    inputs = torch.randn(1, 3, 2, 64, 64)
    assert plain(inputs).shape[-2:] == (2, 2) and ours(inputs).shape[-2:] == (4, 4)
    if depth == 50:  # of basic blocks MMAction2 dilates the first filter only
        assert torch.equal(ours(inputs), there(inputs))


@pytest.mark.parametrize('name, channels, stride', [
    ('r2plus1d_18', 512, 8), ('mc3_18', 512, 8), ('r3d_18', 512, 8), ('s3d', 1024, 32)])
def test_backbones_of_another_kind_serve(name, channels, stride):
    with torch.device('meta'):  # shapes alone, in no time
        model = MODELS.build(dict(
            type='ActionDetector', backbone=dict(type='TorchvisionVideoBackbone', name=name),
            cls_head=dict(type='BoxActionHead', in_channels=channels, num_classes=CLASSES))).eval()
        inputs = torch.empty(1, 1, 3, 8, 64, 96)
        maps = model(inputs)
    assert maps.shape[1] == channels and map_stride(inputs, maps) == stride


@pytest.mark.parametrize('height', [224, 256, 250, 320, 340])
@pytest.mark.parametrize('width', [224, 300, 341, 455])
def test_the_stride_is_found_for_sizes_that_it_does_not_divide(height, width):
    for stride in (8, 16, 32):
        cells = (-(-height // stride), -(-width // stride))
        assert map_stride(torch.empty(height, width), torch.empty(cells)) == stride


def test_the_stride_of_patches_is_theirs():
    assert map_stride(torch.empty(224, 280), torch.empty(16, 20)) == 14


@torch.no_grad()
def test_mixed_sizes_of_a_batch_are_filled_up_and_boxes_stay_in_place(detector):
    """A smaller picture at the upper left of a larger one: boxes count in its own size."""
    small, large = torch.randint(0, 255, (1, 3, 2, 64, 64)), torch.randint(0, 255, (1, 3, 2, 64, 96))
    given = samples([[[.5, .5, 1., 1.]]], (64, 64)) + samples([[[0., 0., .5, .5]]], (64, 96))
    batch = detector.data_preprocessor(dict(inputs=[small, large], data_samples=given))
    padded = torch.cat([small, torch.zeros(1, 3, 2, 64, 32, dtype=small.dtype)], -1)
    assert torch.equal(batch['inputs'][0], padded.float())
    found = detector(**batch, mode='predict')[0].pred_instances.scores
    expected = by_definition(detector, padded[None].float(), [[[1 / 3, .5, 2 / 3, 1.]]]).sigmoid()
    assert torch.allclose(found, expected, atol=1e-5)


def test_it_trains_under_autocast(detector):
    detector.train()
    with torch.autocast('cpu', torch.bfloat16):
        loss = detector(clips(), samples(), mode='loss')['loss_cls']
    loss.backward()
    assert loss.dtype == torch.float32 and torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in detector.parameters())


def test_several_views_are_told(detector):
    with pytest.raises(ValueError, match='one view, got 3'):
        detector(torch.zeros(1, 3, 3, 4, 64, 96))
