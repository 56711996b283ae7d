"""VIVI with labelled images: the sum of two losses, on one process and on two, in runs of MMAction2's loop."""

import copy
import shutil

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from PIL import Image

from ...distributed import run_in_processes
from ...engine.toy import toy_config
from . import toy_shots

CLASSES, GAMMA = 5, .7


def config(**options):
    return toy_shots.form_config('ex_2', **{**dict(type='CoTrainedVIVI', num_classes=CLASSES, image_weight=GAMMA),
                                            **options})


def build(**options):
    torch.manual_seed(0)
    return MODELS.build(config(**options)).train()


class Picture:
    """As much of a data sample as training reads."""

    def __init__(self, label=None, seed=0):
        self.fields = dict(view_seeds=[seed], filename=f'{label}.png')
        if label is not None:
            self.fields['gt_label'] = self.gt_label = torch.tensor([label])

    def get(self, name, default=None):
        return self.fields.get(name, default)

    def __contains__(self, name):
        return name in self.fields


def pair(step=0, images=6):
    """What the loop gives: videos, and images whose label has its own colour."""
    labels = torch.arange(images).add(step) % CLASSES
    pixels = torch.randint(0, 40, (images, 1, 3, 1, 6, 6), generator=torch.Generator().manual_seed(step))
    pixels[:, :, 0] += 40 * labels.view(-1, 1, 1, 1, 1)
    return toy_shots.batch(step), dict(inputs=pixels.to(torch.uint8), data_samples=[Picture(int(n)) for n in labels])


def test_loss_is_that_of_videos_and_gamma_times_the_cross_entropy():
    model = build()
    videos, images = pair()
    found = model(**model.data_preprocessor((videos, images), True), mode='loss')
    alone = toy_shots.build('ex_2')
    alone.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith('classifier')})
    of_videos = alone(alone.data_preprocessor(videos, True)['inputs'], mode='loss')
    for key, value in of_videos.items():
        torch.testing.assert_close(found[key], value)
    losses, right = [], 0
    for picture, sample in zip(images['inputs'], images['data_samples']):  # one at a time
        feature = model.backbone(model.normalize(picture / 255)).mean(dim=(0, 2, 3, 4))
        logits, label = model.classifier.weight @ feature + model.classifier.bias, int(sample.gt_label)
        losses.append(torch.logsumexp(logits, 0) - logits[label])
        right += int(logits.argmax()) == label
    torch.testing.assert_close(found['loss_image'], GAMMA * torch.stack(losses).mean())
    assert found['image_accuracy'] == right / 6 and set(found) == {*of_videos, 'loss_image', 'image_accuracy'}
    total, _ = model.parse_losses(found)
    torch.testing.assert_close(total, found['loss_shot'] + found['loss_video'] + found['loss_image'])
    total.backward()
    assert all(parameter.grad is not None for parameter in model.parameters()), 'DDP would wait for a gradient'


def test_training_learns_both():
    model = build()
    optim_wrapper = OptimWrapper(torch.optim.Adam(model.parameters(), lr=.02))
    logs = [model.train_step(pair(images=10), optim_wrapper) for _ in range(60)]
    assert logs[-1]['image_accuracy'] == 1 > logs[0]['image_accuracy']
    assert logs[-1]['loss_shot'] < .8 * logs[0]['loss_shot']


def test_each_batch_has_its_own_colours():
    colours = dict(color_jitter=None, gray_prob=1., blur_prob=0.)
    videos, images = pair()
    plain = build().data_preprocessor(copy.deepcopy((videos, images)), True)
    gray = build(image_preprocessor=colours).data_preprocessor(copy.deepcopy((videos, images)), True)
    assert torch.equal(plain['inputs'], gray['inputs']) and not torch.equal(plain['images'], gray['images'])
    assert torch.equal(gray['images'][:, 0], gray['images'][:, 2])
    assert torch.equal(plain['images'], images['inputs'][:, 0] / 255)
    assert plain['labels'].tolist() == [0, 1, 2, 3, 4, 0]
    evaluated = build(image_preprocessor=colours).data_preprocessor(images, False)
    assert torch.equal(evaluated['inputs'], images['inputs'] / 255)


def test_classifies_frames():
    model = build().eval()
    frames = torch.rand(4, 3, 6, 6)
    logits = model.classify(frames)
    features = model(frames[:, None, :, None], mode='tensor')[:, 0, 0]
    torch.testing.assert_close(logits, features @ model.classifier.weight.T + model.classifier.bias)
    assert torch.equal(logits, model.classify(frames.unsqueeze(2)))


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """Three of each of 2 classes, dark and bright."""
    folder = tmp_path_factory.mktemp('pictures')
    for label in range(2):
        (folder / str(label)).mkdir()
        for number in range(3):
            pixels = np.full((12, 12, 3), 40 + 150 * label + number, np.uint8)
            Image.fromarray(pixels).save(folder / str(label) / f'{number}.png')
    return folder


def images_of(pictures, test_mode=False, **options):
    pipeline = [dict(type='OpenVideo', decoder='picture'),
                dict(type='SampleViews', num_views=1, clip_len=1, test_mode=test_mode), dict(type='DecodeViews'),
                dict(type='CropViews', size=6, short_side=(6, 12), test_mode=test_mode), dict(type='PackViews')]
    return dict(type='LabelledImages', root=str(pictures), num_classes=2, pipeline=pipeline, test_mode=test_mode,
                **options)


def run_config(pictures, work_dir, sampler='EndlessSampler', workers=0, **options):
    """3 epochs of 2 steps, each of 4 videos and 4 images; the 6 images are three quarters of what an epoch takes."""
    other = dict(batch_size=4, num_workers=workers, persistent_workers=workers > 0, sampler=dict(type=sampler),
                 dataset=images_of(pictures))
    cfg = toy_config(
        work_dir, model=config(num_classes=2, image_preprocessor=dict(gray_prob=0.), **options),
        train_dataloader=dict(dataset=dict(type='ToyShots', num_shots=2, length=8),
                              sampler=dict(type='EpochSampler', multiple_of=4)),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.05, momentum=.9)), randomness=dict(seed=3), log_level='INFO',
        custom_hooks=[dict(type='TrainingPlanHook'), dict(type='NaNStopHook'), dict(type='CollapseAlarmHook'),
                      dict(type='UnreadableVideosHook', max_share=.2)])
    cfg['custom_imports']['imports'].append('tests.models.pretrainers.toy_shots')
    cfg['train_cfg'] = dict(type='MultiLoaderEpochBasedTrainLoop', max_epochs=3, other_loaders=[other])
    return Config(cfg)


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def log_of(folder):
    return next(folder.glob('*/*.log')).read_text()


@pytest.fixture(scope='module')
def whole(pictures, tmp_path_factory):
    """A run of one process, never stopped."""
    folder = tmp_path_factory.mktemp('whole')
    assert train(run_config(pictures, folder, workers=1)).iter == 6
    return folder


def test_plan_and_figures_are_logged(whole):
    log = log_of(whole)
    assert 'batch          1 x 4 x 1 = 4 videos per step' in log and '3 epochs of 2 steps over 8 videos' in log
    assert 'beside them    4 of 6 samples per step (LabelledImages)' in log
    assert 'share 1): 3 of each of 2 classes' in log and 'image_accuracy: ' in log


def test_resumed_run_is_bit_for_bit_the_one_never_stopped(whole, pictures, tmp_path):
    shutil.copy(whole / 'epoch_2.pth', tmp_path)
    cfg = run_config(pictures, tmp_path)
    cfg.randomness = dict(seed=None)  # the checkpoint's counts
    cfg.load_from, cfg.resume = str(tmp_path / 'epoch_2.pth'), True
    train(cfg)
    contents = [torch.load(folder / 'epoch_3.pth') for folder in (whole, tmp_path)]
    losses = [c['message_hub']['log_scalars']['train/loss_image'].data[0].tolist() for c in contents]
    assert losses[0] == losses[1] and len(set(losses[0])) == 6
    assert all(torch.equal(value, contents[1]['state_dict'][name]) for name, value in contents[0]['state_dict'].items())


def train_in_process(rank, world_size, pictures, folder):
    cfg = run_config(pictures, folder)
    cfg.launcher = 'pytorch'
    cfg.train_dataloader.batch_size = cfg.train_cfg.other_loaders[0].batch_size = 2
    train(cfg)


def test_two_processes_equal_one_with_the_whole_batch(whole, pictures, tmp_path):
    run_in_processes(train_in_process, 2, str(pictures), str(tmp_path))
    before, one, two = (torch.load(file)['state_dict'] for file in (
        whole / 'epoch_2.pth', whole / 'epoch_3.pth', tmp_path / 'epoch_3.pth'))
    for name, value in one.items():
        assert not torch.equal(value, before[name]), f'{name} did not move: nothing would be compared'
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-6)


def test_accumulates_and_counts_damaged_pictures(pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / 'pictures')
    (tmp_path / 'pictures' / '0' / '1.png').write_text('no picture')
    cfg = run_config(tmp_path / 'pictures', tmp_path / 'run')
    cfg.train_dataloader.batch_size = cfg.train_cfg.other_loaders[0].batch_size = 2
    cfg.optim_wrapper.accumulative_counts = 2
    assert train(cfg).iter == 12
    log = log_of(tmp_path / 'run')
    assert '1 x 2 x 2 = 4 videos per step' in log and 'beside them    4 of 6 samples per step' in log
    assert log.count('0/1.png: cannot identify image file') == 1
    assert '1 of 14 videos (train) could not be read so far' in log


def test_validated_by_accuracy_on_images(whole, pictures, tmp_path):
    cfg = run_config(pictures, tmp_path)
    cfg.test_dataloader = dict(batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                               dataset=images_of(pictures, test_mode=True))
    cfg.test_evaluator, cfg.load_from = dict(type='ReadableAccMetric'), str(whole / 'epoch_3.pth')
    runner = Runner.from_cfg(cfg)
    found = runner.test()
    model = build(num_classes=2).eval()
    model.load_state_dict(torch.load(whole / 'epoch_3.pth')['state_dict'])
    right = [int(model.classify(sample['inputs'][:, :, 0] / 255).argmax()) == int(sample['data_samples'].gt_label)
             for sample in runner.test_loop.dataloader.dataset]
    assert found['acc/top1'] == pytest.approx(np.mean(right)) and found['acc/top5'] == 1


@pytest.mark.parametrize('weight', [0, -1.])
def test_gamma_that_is_not_above_0(weight):
    with pytest.raises(ValueError, match=f"image_weight must be above 0, got {weight}: without labelled images there "):
        build(image_weight=weight)


def test_batches_that_are_no_pair_of_videos_and_images():
    model, (videos, images) = build(), pair()
    prepare = model.data_preprocessor
    with pytest.raises(ValueError, match='learns from videos and labelled images at once, and got one of them: set'):
        prepare(videos, True)
    labelled = dict(inputs=videos['inputs'], data_samples=[Picture(1)] * 4)
    with pytest.raises(ValueError, match='wants single labelled images .*, got 6 views of 1 frames: use .*Labelled'):
        prepare((videos, labelled), True)
    for samples, name in (([Picture(0), Picture()] * 2, "'None.png'"), (None, "'a batch'")):
        with pytest.raises(ValueError, match=f'wants labelled images .*, but {name} has no label: use .*, and put'):
            prepare((videos, dict(images, data_samples=samples)), True)
    with pytest.raises(ValueError, match="'5.png' has the label 5, but model.num_classes=5 allows 0 to 4"):
        prepare((videos, dict(images, data_samples=[Picture(n) for n in range(6)])), True)
