import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.runner import load_checkpoint

from iboot_mm.models.losses.views import cosine_distance, spread
from tests.models.modules.test_features import BACKBONES

PAPER_SLOW = {
    f'slow_r{depth}': (dict(type='SlowResNet', depth=depth, base_channels=8), 8, 64 if depth == 18 else 256)
    for depth in (18, 50, 101)
}


def build(backbone: dict, feature_dim: int = 64, **options):
    options.setdefault('teacher', dict(type='PatchMeanTeacher'))
    torch.manual_seed(0)
    model = MODELS.build(dict(type='IBoot', backbone=backbone, feature_dim=feature_dim, **options))
    model.init_weights()
    return model.train()


def views(n: int = 4, v: int = 3, size: int = 32, frames: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, v, 3, frames, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def model(slow_backbone):
    return build(slow_backbone)


def by_hand(model, inputs):
    """Equation 1, video by video and view by view, for a network that does not mix samples."""
    total, count = 0., 0
    for video in inputs:
        online = video[1:] if len(video) > 1 else video
        for view in online:
            feature = model.backbone(model.normalize(view[None]))[0].mean(dim=(2, 3))  # (D, T)
            target = model.teachers[0](video[:1])[0]  # (T, D_q)
            if model.temporal_pool:
                k, q = model.projectors[0](feature.mean(1)), target.mean(0)
                total, count = total + 2 - 2 * (k @ q) / k.norm() / q.norm(), count + 1
            else:
                for t in range(feature.shape[1]):
                    k, q = model.projectors[0](feature[:, t]), target[t]
                    total, count = total + 2 - 2 * (k @ q) / k.norm() / q.norm(), count + 1
    return total / count


@pytest.mark.parametrize('temporal_pool', [True, False])
@pytest.mark.parametrize('num_views', [1, 2, 3, 4])
def test_loss_is_equation_1(slow_backbone, num_views, temporal_pool):
    model = build(slow_backbone, temporal_pool=temporal_pool).eval()  # eval: BN does not mix samples
    inputs = views(v=num_views)
    losses = model(inputs, mode='loss')
    expected = by_hand(model, inputs)
    torch.testing.assert_close(losses['loss_patch_mean'], expected)
    torch.testing.assert_close(losses['cosine_patch_mean'], 1 - expected.detach() / 2)


def test_contrast_is_info_nce_with_the_batch_s_targets(slow_backbone):
    model = build(slow_backbone, contrast=.2).eval()
    inputs = views()
    losses = model(inputs, mode='loss')
    targets = torch.stack([model.teachers[0](video[:1])[0].mean(0) for video in inputs])  # (N, D_q)
    total = 0.
    for n, video in enumerate(inputs):
        for view in video[1:]:
            k = model.projectors[0](model.backbone(model.normalize(view[None]))[0].mean(dim=(1, 2, 3)))
            cosines = torch.nn.functional.cosine_similarity(k[None], targets)
            total = total - (cosines / .2).log_softmax(0)[n]
    torch.testing.assert_close(losses['loss_patch_mean'], total / 8)
    plain = build(slow_backbone).eval()
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(losses['cosine_patch_mean'], plain(inputs, mode='loss')['cosine_patch_mean'])


def test_contrast_over_two_ranks_is_that_of_the_whole_batch(slow_backbone, monkeypatch):
    model = build(slow_backbone, contrast=.1).eval()
    inputs = views()
    whole = model(inputs, mode='loss')['loss_patch_mean']
    targets = model.teachers[0](inputs[:, 0]).mean(1)
    monkeypatch.setattr('iboot_mm.models.pretrainers.iboot.all_gather', lambda mine: list(targets.split(2)))
    parts = []
    for rank in range(2):
        monkeypatch.setattr('iboot_mm.models.pretrainers.iboot.get_rank', lambda rank=rank: rank)
        parts.append(model(inputs[2 * rank:2 * rank + 2], mode='loss')['loss_patch_mean'])
    torch.testing.assert_close(sum(parts) / 2, whole)


@pytest.mark.parametrize('contrast', [None, .1])
def test_a_head_takes_the_backbone_s_gradient_and_w_reads_along(slow_backbone, contrast):
    model = build(slow_backbone, head=dict(hidden_dim=32), contrast=contrast)
    losses = model(views(), mode='loss')
    backbone = [p for p in model.backbone.parameters() if p.requires_grad]
    of_w = torch.autograd.grad(losses['loss_patch_mean'], [*backbone, model.projectors[0].weight], allow_unused=True,
                               retain_graph=True)
    assert all(gradient is None for gradient in of_w[:-1]) and of_w[-1].ne(0).any()
    of_head = torch.autograd.grad(losses['loss_patch_mean_head'], [*backbone, model.heads[0][0].weight])
    assert all(gradient.isfinite().all() for gradient in of_head) and of_head[-1].ne(0).any()


def test_contrast_and_head_are_of_whole_clips(slow_backbone):
    for options in (dict(contrast=.1), dict(head=dict(hidden_dim=8))):
        with pytest.raises(ValueError, match='contrast and head are of whole clips: set temporal_pool=True'):
            build(slow_backbone, temporal_pool=False, **options)
    with pytest.raises(ValueError, match='IBoot: contrast must be above 0'):
        build(slow_backbone, contrast=0.)


def test_gradient_reaches_backbone_and_projector_alone(model):
    inputs = views().requires_grad_()
    model(inputs, mode='loss')['loss_patch_mean'].backward()
    assert inputs.grad[:, 0].eq(0).all(), 'the teacher view must get no gradient'
    assert inputs.grad[:, 1:].ne(0).any(dim=-1).all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_teacher_is_in_no_state_and_no_conversion(model):
    names = set(model.state_dict())
    assert {name.split('.')[0] for name in names} == {'backbone', 'projectors'}
    assert all(not isinstance(teacher, torch.nn.Module) for teacher in model.teachers)
    modules = list(model.modules())
    assert not any(module is teacher for module in modules for teacher in model.teachers)


def test_two_teachers_have_a_map_and_a_term_each(slow_backbone):
    teachers = [dict(type='PatchMeanTeacher', name='wide', width=16),
                dict(type='PatchMeanTeacher', name='narrow', width=4)]
    both = build(slow_backbone, teacher=teachers).eval()
    inputs = views()
    losses = both(inputs, mode='loss')
    total, log = both.parse_losses(losses)
    torch.testing.assert_close(total, losses['loss_wide'] + losses['loss_narrow'])
    for i, name in enumerate(['wide', 'narrow']):
        alone = build(slow_backbone, teacher=teachers[i]).eval()
        alone.backbone.load_state_dict(both.backbone.state_dict())
        alone.projectors[0].load_state_dict(both.projectors[i].state_dict())
        torch.testing.assert_close(alone(inputs, mode='loss')[f'loss_{name}'], losses[f'loss_{name}'])
    assert {'cosine_wide', 'cosine_narrow', 'spread_wide', 'spread_narrow', 'spread_student'} <= set(log)


def test_teachers_of_one_name_are_told_apart(slow_backbone):
    model = build(slow_backbone, teacher=[dict(type='PatchMeanTeacher', seed=s, name='same/v1') for s in (0, 1)])
    assert model.target_names == ['same_v1_0', 'same_v1_1']


def test_momentum_branch_is_one_more_target(slow_backbone):
    model = build(slow_backbone, momentum=dict(base=.9))
    model.momentum.copy_from(model.backbone)
    model.momentum.attached = True
    model.eval()
    inputs = views()
    losses = model(inputs, mode='loss')
    online = model.extract_feat(inputs[:, 1:].transpose(0, 1).flatten(0, 1)).mean(1)
    target = model.extract_feat(inputs[:, 0]).mean(1).detach()
    k = model.projectors[1](online).unflatten(0, (2, -1))
    torch.testing.assert_close(losses['loss_momentum'], cosine_distance(k, target).mean())
    model.zero_grad()
    losses['loss_momentum'].backward()
    assert all(p.grad is None for p in model.momentum.parameters())


def test_logged_spread_is_that_of_both_sides(model):
    model.eval()
    inputs = views()
    losses = model(inputs, mode='loss')
    features = model.extract_feat(inputs[:, 1:].transpose(0, 1).flatten(0, 1)).mean(1)
    torch.testing.assert_close(losses['spread_student'], spread(model.projectors[0](features)))
    torch.testing.assert_close(losses['spread_patch_mean'], spread(model.teachers[0](inputs[:, 0]).mean(1)))


def test_standardised_targets_replace_the_teachers(slow_backbone):
    model = build(slow_backbone, target_norm='standardize')
    inputs = views()
    raw = model.teachers[0](inputs[:, 0])
    target = next(model.targets(inputs[:, 0]))
    flat = raw.flatten(0, 1)
    variance = flat.var(0, unbiased=False)
    torch.testing.assert_close(target, (raw - flat.mean(0)) / (variance + 1e-3 * variance.mean()).sqrt(),
                               rtol=1e-4, atol=1e-4)
    assert {'target_norms.0.mean', 'target_norms.0.var', 'target_norms.0.count'} <= set(model.state_dict())


@pytest.mark.parametrize('name', [*BACKBONES, *PAPER_SLOW])
@pytest.mark.parametrize('temporal_pool', [True, False])
def test_one_step_lowers_the_loss(name, temporal_pool):
    config, _, width = {**BACKBONES, **PAPER_SLOW}[name]
    model = build(config, width, temporal_pool=temporal_pool)
    inputs = views(n=6)  # enough samples for BN at the last, 1 x 1 x 1 stage
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def loss():
        torch.manual_seed(0)  # drop path
        return model.parse_losses(model(inputs, mode='loss'))[0]

    before = loss()
    before.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
    optimizer.step()
    assert loss().item() < before.item() - 1e-5


def test_learns_a_teacher_in_a_few_steps(slow_backbone):
    model = build(slow_backbone, target_norm='center')
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    inputs = torch.rand(8, 1, 3, 1, 1, 1, generator=torch.Generator().manual_seed(0)).expand(8, 3, 3, 4, 32, 32)
    history = []
    for _ in range(30):
        loss, _ = model.parse_losses(model(inputs, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < .3 * history[0], history


def test_predict_writes_pooled_features(model):
    model.eval()
    inputs = views(n=2, v=2)
    samples = model(inputs, [ActionDataSample() for _ in range(2)], mode='predict')
    features = model(inputs, mode='tensor')
    assert features.shape == (2, 2, 8, 64)
    for i, sample in enumerate(samples):
        expected = model.backbone(model.normalize(inputs[i])).mean(dim=(0, 2, 3, 4))
        torch.testing.assert_close(sample.feature, expected)
        torch.testing.assert_close(features[i].mean(dim=(0, 1)), expected)


def test_a_wrong_width_is_named(slow_backbone):
    model = build(slow_backbone, feature_dim=512)
    with pytest.raises(ValueError, match='width 64.*feature_dim=512'):
        model(views(), mode='loss')


@pytest.mark.parametrize('load', ['torch', 'mmengine'])
def test_a_checkpoint_of_another_teachers_width_is_refused(slow_backbone, model, tmp_path, load):
    wide = build(slow_backbone, teacher=dict(type='PatchMeanTeacher', width=16, name='wide'))
    torch.save(dict(state_dict=wide.state_dict()), tmp_path / 'wide.pth')
    with pytest.raises(ValueError, match="projectors.0 .* width 64 to 16, but target 'patch_mean' needs 64 to 8"):
        if load == 'torch':
            model.load_state_dict(wide.state_dict())
        else:
            load_checkpoint(model, str(tmp_path / 'wide.pth'), strict=False)
    before = model.projectors[0].weight.clone()
    same = build(slow_backbone, teacher=dict(type='PatchMeanTeacher'))
    torch.nn.init.ones_(same.projectors[0].weight)
    model.load_state_dict(same.state_dict())
    assert model.projectors[0].weight.eq(1).all() and not before.eq(1).all()


def test_an_unknown_mode_is_named(model):
    with pytest.raises(ValueError, match="mode='train'"):
        model(views(), mode='train')


def test_loss_is_float32_under_autocast(model):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(views(), mode='loss')
    assert {value.dtype for value in losses.values()} == {torch.float32}


def test_a_copy_of_the_model_is_independent(model):
    twin = copy.deepcopy(model)
    with torch.no_grad():
        next(twin.backbone.parameters()).add_(1)
    assert not next(twin.backbone.parameters()).equal(next(model.backbone.parameters()))
