"""Networks as classifiers of frames: 3D, 2D and stock ones, written and read back."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from PIL import Image
from torch import nn

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.evaluation.images.frame_classifier import FrameClassifier, FrameEncoder, LoadedClassifier, save_classifier
from iboot_mm.models.encoders.video import VideoEncoder

from ...checkpoint_files import CONFIG, STOCK_CONFIG, write_checkpoint
from .test_few_label_training import toy_encoder

IMAGES = torch.randint(0, 256, (3, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
RECOGNIZER_2D = '''
model = dict(
    type='Recognizer2D',
    backbone=dict(type='ResNet', depth=18, pretrained=None),
    cls_head=dict(type='TSNHead', in_channels=512, num_classes=4),
    data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[51, 51, 51]))
''' + STOCK_CONFIG[STOCK_CONFIG.index('test_dataloader'):]
CO_TRAINED = '''
model = dict(
    type='CoTrainedVIVI',
    backbone=dict(type='FrameResNetV2', layers=(1, 1), channels=(128, 128), stem_chs=32, norm='gn'),
    feature_dim=128, num_shots=2, shot_loss=dict(type='ExemplarHead'), num_classes=7)
''' + CONFIG[CONFIG.index('val_dataloader'):]


def test_a_3d_networks_feature_is_that_of_a_clip_of_one_frame(slow_backbone):
    torch.manual_seed(0)
    encoder = VideoEncoder(slow_backbone).eval()
    features = FrameEncoder(encoder, 32)
    assert features.width == 64 and not features.flat
    with torch.no_grad():
        expected = encoder.extract_feat(IMAGES[:, :, None].float() / 255)[:, 0]
        torch.testing.assert_close(features(IMAGES), expected)


def test_a_2d_networks_feature_is_its_map_averaged():
    encoder = toy_encoder().eval()
    features = FrameEncoder(encoder, 32)
    assert features.width == 5 and features.flat
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    inputs = (IMAGES - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        torch.testing.assert_close(features(IMAGES), encoder.backbone(inputs).mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)


def test_a_network_that_needs_more_frames_or_pixels_is_refused():
    for backbone in (dict(type='C3D'), dict(type='ToyFrameNet')):
        with pytest.raises(ValueError, match='takes no single frame of 2 x 2 pixels .*: only encoders of frames'):
            FrameEncoder(VideoEncoder(backbone), 2)


def test_the_identity_is_that_of_weights_architecture_and_input(slow_backbone):
    one, same, other = (FrameEncoder(toy_encoder(seed), 8).identity for seed in (0, 0, 1))
    assert one == same != other
    encoder = toy_encoder()
    encoder.backbone_std *= 2
    assert FrameEncoder(encoder, 8).identity != one
    assert FrameEncoder(toy_encoder(dropout=.5), 8).identity != one


@pytest.fixture
def fine_tuned(tmp_path):
    info = describe_checkpoint(write_checkpoint(tmp_path / 'run', CONFIG)['checkpoint'])
    torch.manual_seed(1)
    net = FrameClassifier(FrameEncoder(info.build_encoder(), 32), nn.Linear(64, 3)).eval()
    save_classifier(net, info, 32, tmp_path / 'classifiers' / 'a.pth')
    return net, tmp_path / 'classifiers' / 'a.pth'


def test_a_saved_classifier_is_read_back_and_is_a_recognizer_of_mmaction2(fine_tuned):
    net, path = fine_tuned
    loaded = LoadedClassifier(path)
    assert (loaded.size, loaded.num_classes) == (32, 3)
    cfg = Config.fromstring(STOCK_CONFIG, '.py').model
    cfg.backbone.pretrained = None
    recognizer = MODELS.build(cfg).eval()
    recognizer.load_state_dict(torch.load(path, weights_only=True)['state_dict'])
    data = recognizer.data_preprocessor(dict(inputs=[image[None, :, None] for image in IMAGES], data_samples=[]))
    with torch.no_grad():
        logits = net(IMAGES)
        assert torch.equal(loaded.net(IMAGES), logits)
        theirs, _ = recognizer.extract_feat(data['inputs'])
        torch.testing.assert_close(recognizer.cls_head(theirs), logits, rtol=1e-4, atol=1e-4)
    frame = np.arange(20 * 40 * 3, dtype=np.uint8).reshape(20, 40, 3)
    squashed = np.asarray(Image.fromarray(frame).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(loaded.prepare(frame).permute(1, 2, 0), squashed)


@pytest.mark.parametrize('text, classes', [(STOCK_CONFIG, 3), (RECOGNIZER_2D, 4)])
def test_stock_recognizers(tmp_path, text, classes):
    trained = write_checkpoint(tmp_path / 'run', text.replace("pretrained='somewhere.pth'", 'pretrained=None'))
    recognizer = MODELS.build(Config.fromfile(trained['config']).model).eval()
    recognizer.load_state_dict(trained['state'])
    loaded = LoadedClassifier(trained['checkpoint'], trained['config'])
    assert loaded.num_classes == classes
    frame = np.zeros((60, 90, 3), np.uint8)
    frame[:, 30:60] = 255
    image = loaded.prepare(frame)  # to a short side of 48, and its middle
    assert image.shape == (3, 48, 48)
    assert image[0, 24, [0, 9, 15, 24, 33, 39, 47]].tolist() == [0, 0, 255, 255, 255, 0, 0]
    flat = text is RECOGNIZER_2D
    data = recognizer.data_preprocessor(dict(inputs=[image[None] if flat else image[None, :, None]], data_samples=[]))
    with torch.no_grad():
        theirs, kwargs = recognizer.extract_feat(data['inputs'])
        logits = recognizer.cls_head(theirs, **(dict(num_segs=1) if flat else {}))
        torch.testing.assert_close(loaded.net(image[None]), logits, rtol=1e-4, atol=1e-4)


def test_the_classifier_of_co_trained_vivi(tmp_path):
    trained = write_checkpoint(tmp_path / 'run', CO_TRAINED)
    model = MODELS.build(Config.fromfile(trained['config']).model).eval()
    model.load_state_dict(trained['state'])
    loaded = LoadedClassifier(tmp_path / 'run')
    assert (loaded.num_classes, loaded.size, loaded.short_side, loaded.square) == (7, 32, 40, False)
    with torch.no_grad():
        expected = model.classifier(model.extract_feat(IMAGES[:, :, None] / 255).mean(1))
        torch.testing.assert_close(loaded.net(IMAGES), expected)


def test_files_without_a_fitting_classifier(tmp_path, fine_tuned):
    with pytest.raises(ValueError, match=r'epoch_3.pth has no linear classifier .*tools/transfer.py --save'):
        LoadedClassifier(tmp_path / 'run')
    content = torch.load(fine_tuned[1], weights_only=True)
    content['state_dict']['cls_head.fc_cls.weight'] = torch.zeros(3, 128)
    torch.save(content, fine_tuned[1])
    with pytest.raises(ValueError, match=r'fc_cls.weight of .* is \(3, 128\), but the backbone gives .* width 64'):
        LoadedClassifier(fine_tuned[1])
