"""MMAction2's inferencer and `inference_recognizer` on our downstream configs: what the test itself says of a video."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.apis import MMAction2Inferencer, inference_recognizer, init_recognizer
from mmaction.apis.inferencers import ActionRecogInferencer
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from PIL import Image

from iboot_mm.datasets.decoders import open_video

from .videos import moving_frames, write_video

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='module')
def config(tmp_path_factory) -> Path:
    """A downstream config with a small network, its checkpoint and two videos, one of them as pictures, too."""
    folder = tmp_path_factory.mktemp('inferencer')
    for name, seed in (('a', 1), ('b', 2)):
        write_video(folder / f'{name}.mp4', moving_frames(30, 48, 64, seed=seed))
    (folder / 'list.txt').write_text('a.mp4 0\nb.mp4 1\n')
    with open_video(str(folder / 'a.mp4')) as video:
        np.save(folder / 'a.npy', video.read(range(30)))
    (folder / 'pictures').mkdir()
    for number, frame in enumerate(np.load(folder / 'a.npy')):
        Image.fromarray(frame).save(folder / 'pictures' / f'img_{number + 1:05}.png')
    (folder / 'config.py').write_text(f"""
_base_ = {str(ROOT / 'configs/downstream/finetune_ucf101_split1.py')!r}
model = dict(backbone=dict(depth=18, base_channels=4), cls_head=dict(in_channels=32, num_classes=3))
_base_.test_pipeline[1].num_views = 2
_base_.test_pipeline[3].update(size=32, short_side=32)
split = dict(root={str(folder)!r}, ann_file={str(folder / 'list.txt')!r}, pipeline=_base_.test_pipeline)
test_dataloader = dict(dataset=split)
""")
    torch.manual_seed(0)
    model = init_recognizer(str(folder / 'config.py'), device='cpu')
    model.cls_head.fc_cls.weight.data.mul_(30)  # so that the videos differ
    torch.save(dict(state_dict=model.state_dict()), folder / 'small.pth')
    return folder


def scores(folder: Path) -> torch.Tensor:
    """(2, 3): of each video of the list, read through its data set."""
    cfg = Config.fromfile(folder / 'config.py')
    model = init_recognizer(cfg, str(folder / 'small.pth'), device='cpu')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    with torch.no_grad():
        return torch.stack([model.test_step(pseudo_collate([dataset[i]]))[0].pred_score for i in range(2)])


@pytest.mark.parametrize('batch_size', [1, 2])
def test_videos(batch_size, config):
    inferencer = MMAction2Inferencer(str(config / 'config.py'), str(config / 'small.pth'), device='cpu')
    said = inferencer([str(config / 'a.mp4'), str(config / 'b.mp4')], batch_size=batch_size)['predictions']
    expected = scores(config)
    assert not torch.equal(expected[0], expected[1])
    torch.testing.assert_close(torch.tensor([video['rec_scores'][0] for video in said]), expected)
    assert [video['rec_labels'][0] for video in said] == [[label] for label in expected.argmax(1).tolist()]
    model = init_recognizer(str(config / 'config.py'), str(config / 'small.pth'), device='cpu')
    torch.testing.assert_close(inference_recognizer(model, str(config / 'b.mp4')).pred_score, expected[1])


@pytest.mark.parametrize('kind', ['array', 'rawframes'])
def test_frames(kind, config):
    inferencer = MMAction2Inferencer(str(config / 'config.py'), str(config / 'small.pth'), device='cpu',
                                     input_format=kind)
    frames = np.load(config / 'a.npy') if kind == 'array' else str(config / 'pictures')
    said = inferencer(frames)['predictions'][0]['rec_scores'][0]
    torch.testing.assert_close(torch.tensor(said), scores(config)[0])


def test_arrays_of_another_form(config):
    inferencer = ActionRecogInferencer(str(config / 'config.py'), str(config / 'small.pth'), device='cpu',
                                       input_format='array')
    for shape, dtype in (((8, 32, 32, 3), np.float32), ((8, 32, 32, 1), np.uint8), ((0, 4, 4, 3), np.uint8)):
        frames = np.zeros(shape, dtype)
        with pytest.raises(ValueError, match=r'an array uint8 \(T, H, W, 3\), RGB, .* not (float32|uint8) \('):
            inferencer(frames)


def test_configs_without_a_classifier():
    cfg = Config.fromfile(ROOT / 'configs/downstream/knn_k400.py')
    with pytest.raises(ValueError, match=r"wants a classifier's config, but .* by features: iboot_mm.load\(CKPT\)"):
        ActionRecogInferencer.__new__(ActionRecogInferencer)._init_pipeline(cfg)


def test_pipelines_of_mmaction2_are_left_to_it(config):
    cfg = Config(dict(model=dict(type='Recognizer3D'), test_dataloader=dict(dataset=dict(pipeline=[
        dict(type='PyAVInit'), dict(type='SampleFrames', clip_len=8, num_clips=10), dict(type='PyAVDecode')]))))
    inferencer = ActionRecogInferencer.__new__(ActionRecogInferencer)
    inferencer.input_format, inferencer.pack_cfg = 'array', {}
    steps = inferencer._init_pipeline(cfg).transforms
    assert [type(step).__name__ for step in steps] == ['InferencerPackInput', 'SampleFrames', 'ArrayDecode']
