"""VIVI as a whole: its two losses, what it refuses, and its checkpoints; several processes: test_vivi_distributed."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner, load_checkpoint

from iboot_mm.models.losses.views import spread

from ...engine.toy import toy_config
from . import toy_shots


@pytest.mark.parametrize('form', toy_shots.FORMS)
def test_losses_are_those_of_the_heads_on_frames_and_shots(form):
    model = toy_shots.build(form)
    views = toy_shots.views(model)
    found = model(views, mode='loss')
    # One frame at a time, shot after shot.
    turns = 4 if form == 'rot_4' else 1
    features = torch.stack([torch.stack([torch.stack([torch.stack([
        model.extract_feat(video[3 * k + frame, None].rot90(quarters, (-2, -1)))[0, 0]
        for frame in range(3)]) for k in range(model.num_shots)]) for video in views]) for quarters in range(turns)])
    shot = model.shot_loss(features)
    torch.testing.assert_close(found['loss_shot'], shot['loss'])
    torch.testing.assert_close(found['shot_accuracy'], shot['accuracy'])
    shots = model.pool(features[0])
    torch.testing.assert_close(found['spread_student'], spread(shots))
    assert ('loss_video' in found) == ('video_loss' in toy_shots.FORMS[form])
    if 'loss_video' in found:
        video = model.video_loss(shots)
        torch.testing.assert_close(found['loss_video'], (.5 if form == 'ex_4' else .1) * video['loss'])
        assert found['video_chance'] == video['chance']
    total, log = model.parse_losses(found)
    torch.testing.assert_close(total, found['loss_shot'] + found.get('loss_video', 0))
    total.backward()
    assert all(parameter.grad is not None for parameter in model.parameters()), 'DDP would wait for a gradient'


def test_frames_standardised_by_themselves_in_training():
    """As numpy has it; a frame of one colour becomes black, and an evaluation normalises as ever."""
    model = toy_shots.build('ex_4')
    model.standardize = True
    frames = torch.rand(3, 3, 1, 8, 8) * torch.tensor([1., .1, 0.]).view(3, 1, 1, 1, 1) + .3
    found = model.train().normalize(frames)
    for frame, result in zip(frames.numpy(), found.numpy()):
        np.testing.assert_allclose(result, (frame - frame.mean()) / max(frame.std(), 192 ** -.5), rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(model.eval().normalize(frames), (frames - model.backbone_mean) / model.backbone_std)


@pytest.mark.parametrize('form', toy_shots.FORMS)
def test_training_lowers_both_losses(form):
    model = toy_shots.build(form, norm='bn')
    optim_wrapper = OptimWrapper(torch.optim.Adam(model.parameters(), lr=.02))
    data = toy_shots.batch(num_shots=model.num_shots, videos=6)
    logs = [model.train_step(data, optim_wrapper) for _ in range(60)]
    for key in ('loss_shot', 'loss_video'):
        if key in logs[0]:
            assert logs[-1][key] < .8 * logs[0][key], key
    assert logs[-1]['shot_accuracy'] > logs[-1]['shot_chance'] + .2


def test_float32_in_the_losses_under_autocast():
    for form in toy_shots.FORMS:
        model = toy_shots.build(form)
        views = toy_shots.views(model)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            found = model(views, mode='loss')
            assert model.encode(views).dtype == torch.bfloat16
        assert all(value.dtype == torch.float32 and value.isfinite() for value in found.values())
        found['loss_shot'].backward()


@pytest.mark.parametrize('shape, text', [
    ((2, 5, 3, 1, 6, 6), 'got 5 views of 1 frames'), ((2, 6, 3, 2, 6, 6), 'got 6 views of 2 frames')])
def test_views_that_are_no_shots(shape, text):
    with pytest.raises(ValueError, match=f'VIVI wants num_shots=2 shots of views that are single frames, {text}: samp'):
        toy_shots.build('ex_2')(torch.rand(shape), mode='loss')


@pytest.mark.parametrize('options, text', [
    (dict(shot_pool='max'), "shot_pool='max' is unknown to VIVI: choose 'average' or 'attention'"),
    (dict(shot_pool='attention'), "shot_pool='attention' is trained by the video loss: set video_loss, or"),
    (dict(video_weight=-.1), 'VIVI: video_weight must be above 0, got -0.1: for shots alone set video_loss=None'),
    (dict(video_loss=dict(type='ShotPairHead'), num_shots=4), 'ShotPairHead predicts one shot from another, and'),
    (dict(feature_dim=9), 'the backbone gives features of width 8, but the config says feature_dim=9')])
def test_configs_that_do_not_fit(options, text):
    with pytest.raises(ValueError, match=text):
        toy_shots.build('shots', **options)(torch.rand(2, 6, 3, 1, 6, 6), mode='loss')


def train(folder, form, **changes):
    """Three epochs of three steps."""
    num_shots = toy_shots.FORMS[form]['num_shots']
    config = toy_config(folder, model=toy_shots.form_config(form, 'bn'), randomness=dict(seed=1), **{**dict(
        train_dataloader=dict(dataset=dict(type='ToyShots', num_shots=num_shots)),
        custom_imports=dict(imports=['iboot_mm', 'tests.models.pretrainers.toy_shots']),
        custom_hooks=[dict(type='CollapseAlarmHook', window=1)],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1, momentum=.9))), **changes})
    runner = Runner.from_cfg(Config(config))
    runner.train()
    return runner


@pytest.fixture(scope='module', params=['ex_2', 'rot_4'])
def whole(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, train(folder, request.param), folder


def test_a_resumed_run_is_bit_for_bit_the_run_never_stopped(whole, tmp_path):
    form, runner, folder = whole
    resumed = train(tmp_path, form, load_from=str(folder / 'epoch_2.pth'), resume=True)
    before = torch.load(folder / 'epoch_2.pth')['state_dict']
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key
        assert not key.endswith('weight') or not torch.equal(value, before[key]), f'{key} did not move'


def test_checkpoint_loads_into_an_encoder(whole):
    form, runner, folder = whole
    parts = {key.split('.')[0] for key in torch.load(folder / 'epoch_3.pth')['state_dict']}
    assert parts == {'backbone', 'shot_loss', 'video_loss', *(['pool'] if form == 'ex_2' else [])}
    encoder = MODELS.build(dict(type='VideoEncoder', backbone=dict(type='ToyBackbone', norm='bn')))
    load_checkpoint(encoder, str(folder / 'epoch_3.pth'), map_location='cpu')
    clips = torch.rand(2, 1, 3, 1, 6, 6)
    samples = runner.model.eval()(clips, [ActionDataSample(), ActionDataSample()], mode='predict')
    torch.testing.assert_close(samples[1].feature, encoder.eval()(clips)[1, 0, 0])


def test_checkpoint_of_another_head(whole):
    form, _, folder = whole
    other = dict(toy_shots.FORMS[form]['video_loss'], hidden=5)
    with pytest.raises(ValueError, match=r'does not fit the losses of the config \(video_loss\.\S+ is .*: set mod'):
        load_checkpoint(toy_shots.build(form, 'bn', video_loss=other), str(folder / 'epoch_3.pth'), map_location='cpu')


def test_the_collapse_alarm_watches(whole):
    _, runner, _ = whole
    assert 0 < runner.message_hub.get_scalar('train/spread_student').current() < 1
    model = toy_shots.build('ex_4')
    views = toy_shots.views(model)
    assert model(views[:1].expand_as(views)[:, :1].expand_as(views), mode='loss')['spread_student'] < 1e-3
