"""A frame encoder of VIVI starts stock 2D models of MMAction2, MMPretrain and timm: by value, before and after a step.

The images are uint8, so that each library's own normalisation is part of what is compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mmaction
import mmpretrain
import pytest
import timm
import torch
from mmaction.registry import DATASETS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.utils.data import Dataset

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.evaluation.protocols.adaptation import adapt
from iboot_mm.evaluation.protocols.catalog import RECIPES
from iboot_mm.models.encoders.video import BACKBONE_MEAN, BACKBONE_STD

from .checkpoint_files import write_checkpoint
from .scripts import load_tool

publish = load_tool('convert/publish')

TSN = '.mim/configs/recognition/tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb.py'
CLASSIFIER = '.mim/configs/resnet/resnet50_8xb32_in1k.py'
ROOT = Path(__file__).parents[1]
WIDTH, CLASSES = 256, 3
WIDTHS = dict(channels=(128, 128, 128, WIDTH), stem_chs=32, output_stride=8)
STOCK = dict(bn='resnetv2_50', gn='resnetv2_50x1_bit')
CONFIG = f'''
model = dict(type='VIVI', backbone=dict(type='FrameResNetV2', norm=NORM, with_cp=True, **{WIDTHS}), num_shots=2,
             feature_dim={WIDTH}, shot_loss=dict(type='ExemplarHead', embed_dim=8),
             video_loss=dict(type='ShotPairHead', hidden=8))
train_dataloader = dict(dataset=dict(type='ShotFolder', root='.', pipeline=[
    dict(type='OpenVideo'),
    dict(type='SampleShots', num_shots=2, shot_len=4),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, area=(.4, 1.)),
    dict(type='PackViews')]))
'''
IMAGES = torch.randint(0, 256, (4, 3, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))  # RGB
LABELS = (0, 1, 2, 0)


@dataclass
class Learned:
    """A VIVI checkpoint, its two published files, and the features and the gradient step of the encoder in it."""

    norm: str
    checkpoint: str
    backbone: str
    whole: str
    features: Tensor
    after_step: Tensor

    @property
    def stock(self) -> str:
        return STOCK[self.norm]


@pytest.fixture(scope='module', params=['bn', 'gn'])
def learned(request, tmp_path_factory) -> Learned:
    folder = tmp_path_factory.mktemp(request.param)
    with DefaultScope.overwrite_default_scope('mmaction'):
        trained = write_checkpoint(folder, CONFIG.replace('NORM', repr(request.param)))
        files = map(str, publish.publish(trained['checkpoint'], folder / 'published'))
        encoder = describe_checkpoint(trained['checkpoint']).build_encoder()
    head = set_head(nn.Linear(WIDTH, CLASSES))

    def features() -> Tensor:
        return encoder.extract_feat(IMAGES[:, :, None] / 255)[:, 0]

    def loss() -> Tensor:
        return nn.functional.cross_entropy(head(features()), torch.tensor(LABELS))

    with torch.no_grad():
        before = features()
    step(nn.ModuleList([encoder, head]), loss)
    with torch.no_grad():
        return Learned(request.param, str(trained['checkpoint']), *files, before, features())


def set_head(head: nn.Module) -> nn.Module:
    """A classifier, a map or a 1 x 1 convolution, with the weights that all have here."""
    weight = torch.randn(CLASSES, WIDTH, generator=torch.Generator().manual_seed(1)) / WIDTH**.5
    head.weight.data.copy_(weight.view_as(head.weight))
    head.bias.data.zero_()
    return head


def step(model: nn.Module, loss: Callable[[], Tensor]) -> None:
    """A step of fine-tuning that lowers the loss; leaves the model in evaluation mode."""
    optimizer = torch.optim.SGD(model.parameters(), lr=.02)
    model.train()
    value = loss()
    value.backward()
    optimizer.step()
    with torch.no_grad():
        assert loss() < value
    model.eval()


def check(learned: Learned, model: nn.Module, head: nn.Module, features: Callable[[], Tensor],
          loss: Callable[[], Tensor]) -> None:
    """Features as the encoder's, before and after a step."""
    set_head(head)
    for expected in (learned.features, learned.after_step):
        with torch.no_grad():
            model.eval()
            torch.testing.assert_close(features(), expected, rtol=2e-4, atol=2e-5)
        if expected is learned.features:
            step(model, loss)


# MMAction2 ------------------------------------------------------------------------------------------------------------


@DATASETS.register_module()
class LabelledFrames(Dataset):
    """The images as a stock pipeline packs frames: inputs ``(segments, 3, H, W)`` and a label."""

    def __len__(self) -> int:
        return len(LABELS)

    def get_data_info(self, index: int) -> dict:
        return dict(label=LABELS[index])

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=IMAGES[index, None], data_samples=ActionDataSample().set_gt_label(LABELS[index]))


def tsn(work_dir: Path, backbone: dict, load_from: str | None = None) -> Runner:
    """MMAction2's TSN with another backbone, its own preprocessor and head, on the frames above."""
    cfg = Config.fromfile(Path(mmaction.__file__).parent / TSN)
    cfg.model.backbone = backbone
    cfg.model.cls_head.update(in_channels=WIDTH, num_classes=CLASSES, dropout_ratio=0.)
    loader = dict(batch_size=4, dataset=dict(type='LabelledFrames'), sampler=dict(type='DefaultSampler', shuffle=False))
    runner = Runner.from_cfg(Config(dict(
        model=cfg.model, train_dataloader=loader, train_cfg=dict(by_epoch=True, max_epochs=1), load_from=load_from,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.01)), work_dir=str(work_dir), default_scope='mmaction',
        experiment_name=f'{work_dir.name}_{load_from is None}', log_level='INFO',
        custom_hooks=[dict(type='ClassCountHook'), dict(type='StartingWeightsHook')])))
    return runner


def check_tsn(learned: Learned, model: nn.Module) -> None:
    samples = [ActionDataSample().set_gt_label(label) for label in LABELS]
    inputs = model.data_preprocessor(dict(inputs=[image[None] for image in IMAGES], data_samples=samples))['inputs']
    check(learned, model, model.cls_head.fc_cls, lambda: model.extract_feat(inputs)[0].mean(dim=(2, 3)),
          lambda: model.loss(inputs, samples)['loss_cls'])


@pytest.mark.parametrize('file, backbone', [('checkpoint', 'timm'), ('whole', 'timm'), ('whole', 'ours')])
def test_tsn_loads_from_a_checkpoint_or_a_published_file(learned, tmp_path, file, backbone):
    config = dict(type=f'timm.{learned.stock}', pretrained=False) if backbone == 'timm' else dict(
        type='FrameResNetV2', norm=learned.norm)
    runner = tsn(tmp_path, dict(config, **WIDTHS), getattr(learned, file))
    runner.load_or_resume()
    check_tsn(learned, runner.model)


@pytest.mark.parametrize('way', ['checkpoint_path', 'pretrained', 'init_cfg'])
def test_tsn_names_the_file_in_its_backbone(learned, tmp_path, way):
    config = dict(
        checkpoint_path=dict(type=f'timm.{learned.stock}', pretrained=False, checkpoint_path=learned.backbone),
        pretrained=dict(type='FrameResNetV2', norm=learned.norm, pretrained=learned.backbone),
        init_cfg=dict(type='FrameResNetV2', norm=learned.norm,
                      init_cfg=dict(type='Pretrained', checkpoint=learned.checkpoint, prefix='backbone.')))[way]
    runner = tsn(tmp_path, dict(config, **WIDTHS))
    runner._init_model_weights()
    check_tsn(learned, runner.model)


def test_a_run_of_tsn_says_what_it_starts_from(learned, tmp_path):
    runner = tsn(tmp_path, dict(type=f'timm.{learned.stock}', pretrained=False, **WIDTHS), learned.whole)
    runner.train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    count = len(runner.model.backbone.state_dict())
    assert f'{learned.whole}, {count} of {count} tensors of the backbone; new: cls_head.fc_cls.weight' in log


def test_tsn_of_another_width_is_refused(learned, tmp_path):
    backbone = dict(type=f'timm.{learned.stock}', pretrained=False, **dict(WIDTHS, channels=(128, 128, 256, WIDTH)))
    with pytest.raises(ValueError, match='does not fit the backbone of the config'):
        tsn(tmp_path, backbone, learned.whole).load_or_resume()


# MMPretrain and timm --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('way', ['timm', 'ours'])
def test_a_classifier_of_mmpretrain(learned, way):
    backbone = dict(type='TIMMBackbone', model_name=learned.stock, num_classes=0, checkpoint_path=learned.backbone)
    if way == 'ours':
        backbone = dict(type='mmaction.FrameResNetV2', norm=learned.norm, as_tuple=True,
                        init_cfg=dict(type='Pretrained', checkpoint=learned.whole, prefix='backbone.'))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        cfg = Config.fromfile(Path(mmpretrain.__file__).parent / CLASSIFIER)
        cfg.model.backbone = dict(backbone, **WIDTHS)
        cfg.model.head.update(in_channels=WIDTH, num_classes=CLASSES, topk=(1, ))
        cfg.model.data_preprocessor = dict(cfg.data_preprocessor, num_classes=CLASSES)
        model = MMPRETRAIN_MODELS.build(cfg.model)
        model.init_weights()
    samples = [DataSample().set_gt_label(label) for label in LABELS]
    inputs = model.data_preprocessor(dict(inputs=list(IMAGES.flip(1)), data_samples=samples))['inputs']  # it reads BGR
    check(learned, model, model.head.fc, lambda: model.extract_feat(inputs)[0],
          lambda: model.loss(inputs, samples)['loss'])


def test_a_model_of_timm(learned):
    model = timm.create_model(learned.stock, num_classes=0, checkpoint_path=learned.backbone, **WIDTHS)
    config = timm.data.resolve_model_data_config(model)
    assert config['mean'] == config['std'] == (.5, .5, .5)  # not what it was trained on
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (BACKBONE_MEAN, BACKBONE_STD))
    torch.testing.assert_close(mean.flatten(), torch.tensor(timm.data.IMAGENET_DEFAULT_MEAN), rtol=0, atol=1e-6)
    inputs = (IMAGES / 255 - mean) / std
    model.reset_classifier(CLASSES)
    check(learned, model, model.head.fc, lambda: model.forward_head(model.forward_features(inputs), pre_logits=True),
          lambda: nn.functional.cross_entropy(model(inputs), torch.tensor(LABELS)))


# This project's own ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('file', ['checkpoint', 'whole', 'backbone'])
def test_the_encoder_of_every_file(learned, file):
    info = describe_checkpoint(getattr(learned, file))
    assert info.clip == dict(clip_len=4, frame_interval=1, target_fps=None, sampling='dense', size=48, short_side=48)
    with torch.no_grad():
        features = info.build_encoder().extract_feat(IMAGES[:, :, None] / 255)[:, 0]
    assert features.equal(learned.features)


@pytest.mark.parametrize('protocol', ['knn', 'linear', 'finetune'])
def test_evaluations_take_it(learned, protocol):
    """The model of each protocol with this backbone in it gives its features, a frame of a clip each."""
    recipe = next(entry for entry in RECIPES['mini'] if entry.name == protocol)
    cfg = Config.fromfile(ROOT / 'configs' / recipe.configs[0])
    adapt(cfg, describe_checkpoint(learned.whole))
    model = MODELS.build(cfg.model).eval()
    state = torch.load(learned.whole, weights_only=True)['state_dict']
    model.load_state_dict(state, strict=False)
    clip = IMAGES.transpose(0, 1)[None, None]  # (1, 1, 3, T, H, W), the images as frames
    with torch.no_grad():
        if protocol == 'knn':
            features = model(clip / 255)[0, 0]  # (T, D)
        else:
            inputs = model.data_preprocessor(dict(inputs=list(clip), data_samples=[ActionDataSample()]))['inputs']
            features = model.extract_feat(inputs)[0].mean(dim=(3, 4))[0].T
    torch.testing.assert_close(features, learned.features, rtol=1e-4, atol=1e-5)
