"""What the log says a training started from, and what stops it."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner, save_checkpoint

from iboot_mm.engine.hooks import StartingWeightsHook

from ...videos import moving_frames, write_video

HEAD = ['cls_head.fc_cls.weight', 'cls_head.fc_cls.bias']


def recognizer(slow_backbone: dict, classes: int = 3, **backbone) -> dict:
    return dict(type='Recognizer3D', backbone={**slow_backbone, **backbone},
                cls_head=dict(type='I3DHead', in_channels=64, num_classes=classes))


@pytest.fixture
def start(slow_backbone, tmp_path):
    """Loads a state dict as a training does and returns the runner and the hook's line."""
    def load(state: dict | None, model: dict | None = None) -> tuple[Runner, StartingWeightsHook, str]:
        cfg = dict(model=model or recognizer(slow_backbone), work_dir=str(tmp_path / 'run'),
                   default_scope='mmaction', custom_hooks=[dict(type='StartingWeightsHook')], log_level='INFO',
                   experiment_name=tmp_path.name)
        if state is not None:
            save_checkpoint(dict(state_dict=state), str(tmp_path / 'given.pth'))
            cfg['load_from'] = str(tmp_path / 'given.pth')
        runner = Runner.from_cfg(Config(cfg))
        runner._init_model_weights()
        runner.load_or_resume()
        hook = next(hook for hook in runner.hooks if isinstance(hook, StartingWeightsHook))
        lines = []
        copy.copy(hook).before_train(
            SimpleNamespace(model=runner.model, iter=0, logger=SimpleNamespace(info=lines.append)))
        return runner, hook, lines[0]
    return load


def weights_of(model: dict) -> dict:
    torch.manual_seed(5)
    return MODELS.build(model).state_dict()


def test_from_pre_training(start, slow_backbone):
    state = {key: value for key, value in weights_of(recognizer(slow_backbone)).items() if key not in HEAD}
    runner, _, line = start({**state, 'projectors.0.weight': torch.ones(2, 64)})
    count = len(state)
    assert line.startswith('Starting weights: from ') and 'given.pth, ' in line
    assert line.endswith(f'{count} of {count} tensors of the backbone; new: {", ".join(HEAD)}')
    for key, value in state.items():
        assert torch.equal(runner.model.state_dict()[key], value)


def test_from_another_recognizer_s_checkpoint(start, slow_backbone):
    """Its head is kept where it has as many classes, and new where it has not."""
    _, _, line = start(weights_of(recognizer(slow_backbone)))
    assert line.endswith('tensors of the backbone')
    _, _, line = start(weights_of(recognizer(slow_backbone, classes=7)))
    assert line.endswith(f'; new: {", ".join(HEAD)}')


def test_a_head_that_learned_another_label_is_new(slow_backbone, tmp_path):
    for number in range(2):
        write_video(tmp_path / f'{number}.mp4', moving_frames(4, 32, 32, seed=number))
    (tmp_path / 'list.txt').write_text('0.mp4 0 2\n1.mp4 2 1\n')

    def train(label: str, load_from: str | None = None) -> dict:
        pipeline = [dict(type='OpenVideo'), dict(type='SampleViews', num_views=1, clip_len=2, frame_interval=1),
                    dict(type='DecodeViews'), dict(type='CropViews', size=32), dict(type='PackViews', label=label)]
        folder = tmp_path / f'{label}_{load_from is None}'
        model = recognizer(slow_backbone)
        model['data_preprocessor'] = dict(type='ActionDataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
                                          format_shape='NCTHW')
        runner = Runner.from_cfg(Config(dict(
            model=model, work_dir=str(folder), default_scope='mmaction', experiment_name=folder.name,
            custom_hooks=[dict(type='StartingWeightsHook')], load_from=load_from, log_level='WARNING',
            train_dataloader=dict(batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dict(
                type='VideoFolder', root=str(tmp_path), ann_file='list.txt', label_names=['a', 'b'],
                pipeline=pipeline)),
            train_cfg=dict(by_epoch=True, max_epochs=1), optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.)))))
        runner.train()
        return runner.model.state_dict()

    first, saved = train('a'), str(tmp_path / 'a_True' / 'epoch_1.pth')
    again, other = train('a', saved), train('b', saved)
    assert all(torch.equal(first[key], again[key]) for key in HEAD)
    assert not torch.equal(first[HEAD[0]], other[HEAD[0]])
    assert torch.equal(first['backbone.conv1.conv.weight'], other['backbone.conv1.conv.weight'])


def test_a_head_of_which_only_a_part_fits_is_new_as_a_whole(start, slow_backbone):
    model = recognizer(slow_backbone, classes=7)
    model['cls_head'].update(type='MLPHead', hidden=16)
    saved = weights_of(model)
    model['cls_head'].update(num_classes=5)
    for prefix in ('', 'module.'):
        runner, _, line = start({prefix + key: value for key, value in saved.items()}, model)
        assert line.endswith('; new: ' + ', '.join(f'cls_head.fc_cls.{i}.{kind}' for i in (0, 2)
                                                   for kind in ('weight', 'bias')))
        assert not torch.equal(runner.model.cls_head.fc_cls[0].weight, saved['cls_head.fc_cls.0.weight'])
        assert torch.equal(runner.model.backbone.conv1.conv.weight, saved['backbone.conv1.conv.weight'])


def test_a_backbone_without_weights_goes_on_and_is_tested(start):
    """Average pooling of an image model's tokens: the head is all that a checkpoint holds."""
    backbone = dict(type='ImageTMM', teacher=dict(type='PatchMeanTeacher'), temporal=None, stored_width=4)
    model = dict(type='Recognizer3D', backbone=backbone,
                 cls_head=dict(type='MLPHead', in_channels=4, num_classes=3, hidden=8))
    saved = weights_of(model)
    runner, hook, line = start(saved, model)
    assert line.endswith('0 of 0 tensors of the backbone') and hook.new == []
    assert all(torch.equal(runner.model.state_dict()[key], value) for key, value in saved.items())


def test_from_scratch_and_from_the_backbone_s_own_file(start, slow_backbone, tmp_path):
    assert start(None)[2] == 'Starting weights: random (from scratch)'
    state = {key[len('backbone.'):]: value for key, value in weights_of(recognizer(slow_backbone)).items()
             if key.startswith('backbone.')}
    save_checkpoint(dict(state_dict=state), str(tmp_path / 'bare.pth'))
    model = recognizer(slow_backbone, pretrained=str(tmp_path / 'bare.pth'), pretrained2d=False)
    runner, _, line = start(None, model)
    assert line == f'Starting weights: from {tmp_path / "bare.pth"}, named by model.backbone'
    assert torch.equal(runner.model.backbone.conv1.conv.weight, state['conv1.conv.weight'])


def test_a_file_of_ddp_and_one_without_counters(start, slow_backbone):
    state = weights_of(recognizer(slow_backbone))
    _, _, line = start({f'module.{key}': value for key, value in state.items()
                        if not key.endswith('num_batches_tracked')})
    counters = sum(key.endswith('num_batches_tracked') for key in state)
    assert f'{len(state) - 2 - counters} of {len(state) - 2} tensors' in line


@pytest.mark.parametrize('depth, other, message', [
    (34, 18, 'it has no backbone.layer1.2.conv1.conv.weight'),
    (18, 34, 'it has backbone.layer1.2.conv1.conv.weight besides'),  # whose other weights all fit
])
def test_a_checkpoint_of_another_depth(start, slow_backbone, depth, other, message):
    state = weights_of(recognizer(slow_backbone, depth=other))
    with pytest.raises(ValueError, match=fr'given.pth does not fit the backbone of the config \({message}\)'):
        start(state, recognizer(slow_backbone, depth=depth))


def test_a_checkpoint_of_another_width(start, slow_backbone):
    model = recognizer(slow_backbone, base_channels=16)
    model['cls_head']['in_channels'] = 128
    with pytest.raises(ValueError, match=r'conv1.conv.weight is \(16, .*\) there and \(8, .*\) here'):
        start(weights_of(model))


def test_a_part_of_a_network(start, slow_backbone):
    state = weights_of(recognizer(slow_backbone))
    del state['backbone.layer3.0.conv1.conv.weight']
    with pytest.raises(ValueError, match='it has no backbone.layer3.0.conv1.conv.weight'):
        start(state)


def test_the_published_backbone_alone_is_told_where_it_goes(start, slow_backbone):
    state = {key.removeprefix('backbone.'): value for key, value in weights_of(recognizer(slow_backbone)).items()}
    with pytest.raises(ValueError, match='given.pth holds no weights named backbone.* model.backbone.pretrained'):
        start(state)


def test_an_untrained_head_is_not_tested(start, slow_backbone):
    state = weights_of(recognizer(slow_backbone))
    runner, hook, _ = start(state)
    hook.before_test(runner)
    runner, hook, _ = start({key: value for key, value in state.items() if key not in HEAD})
    with pytest.raises(ValueError, match='given.pth has no cls_head.fc_cls.weight .* train with this config first'):
        hook.before_test(runner)
    hook.before_train(SimpleNamespace(model=runner.model, iter=0, logger=runner.logger))  # trained in this process
    hook.before_test(runner)


def test_an_interrupted_run_goes_on(slow_backbone):
    hook, lines = StartingWeightsHook(), []
    runner = SimpleNamespace(model=MODELS.build(recognizer(slow_backbone)), iter=12, epoch=3,
                             logger=SimpleNamespace(info=lines.append))
    hook.before_train(runner)
    assert lines == ['Starting weights: of the interrupted run, after epoch 3']
