import numpy as np
import pytest
import torch
import torchvision.transforms.functional as tvf
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

import iboot_mm  # noqa: F401  registers the components
from iboot_mm.models.preprocessors import photometric
from iboot_mm.models.preprocessors.views import CLIPS_TOGETHER, PHOTOMETRIC_TAG, PhotometricDraws, ViewPreprocessor

OFF = dict(color_jitter=None, gray_prob=0, blur_prob=0)


def make_batch(num_samples: int = 6, num_views: int = 3, size: int = 20) -> dict:
    generator = torch.Generator().manual_seed(1)
    views = torch.randint(0, 256, (num_samples, num_views, 3, 4, size, size), dtype=torch.uint8, generator=generator)
    samples = [
        ActionDataSample(metainfo=dict(view_seeds=[1000 * i + v for v in range(num_views)])) for i in range(num_samples)
    ]
    return dict(inputs=list(views), data_samples=samples)


def by_hand(clip: torch.Tensor, seed: int) -> torch.Tensor:
    """The default chain for one clip ``(3, T, H, W)`` by torchvision, from the seed on: also pins what is drawn, and in
    which order.
    """
    rng = np.random.default_rng([seed, PHOTOMETRIC_TAG])
    uniform, order = rng.random(8), rng.permutation(4)
    image = clip.flatten(1, 2)
    factors = [0.8 + 0.4 * uniform[1], 0.8 + 0.4 * uniform[2], 0.8 + 0.4 * uniform[3], -0.05 + 0.1 * uniform[4]]
    if uniform[0] < 0.8:
        for op in order:
            name = photometric.JITTER_OPS[op][0]
            image = getattr(tvf, f'adjust_{name}')(image, factors[op])
    if uniform[5] < 0.2:
        image = tvf.rgb_to_grayscale(image, 3)
    clip = image.view_as(clip)
    if uniform[6] < 0.5:
        sigma = 0.1 + 1.9 * uniform[7]
        frames = tvf.gaussian_blur(clip.transpose(0, 1), [photometric.BLUR_KERNEL_SIZE] * 2, [sigma] * 2)
        clip = frames.transpose(0, 1)
    return clip


def test_chain_is_torchvisions_clip_by_clip():
    batch = make_batch()
    views = MODELS.build(dict(type='ViewPreprocessor'))(batch, training=True)['inputs']
    assert views.shape == (6, 3, 3, 4, 20, 20) and views.dtype == torch.float32
    assert 0 <= views.min() and views.max() <= 1
    for raw, sample, augmented in zip(batch['inputs'], batch['data_samples'], views, strict=True):
        for clip, seed, result in zip(raw, sample.view_seeds, augmented, strict=True):
            # A chain of five float32 operations; hue amplifies round-off where the chroma is small.
            torch.testing.assert_close(result, by_hand(clip / 255.0, seed), atol=2e-5, rtol=0)


def test_a_batch_gives_what_its_halves_give():
    batch = make_batch()
    preprocessor = ViewPreprocessor()
    whole = preprocessor(batch, training=True)['inputs']
    halves = [
        preprocessor({key: value[part] for key, value in batch.items()}, training=True)['inputs']
        for part in (slice(3), slice(3, None))
    ]
    torch.testing.assert_close(whole, torch.cat(halves), atol=1e-6, rtol=0)


def one_after_another(clip: torch.Tensor, draws: PhotometricDraws, i: int) -> torch.Tensor:
    """The plain functions on one clip ``(3, T, H, W)`` of uint8."""
    clip = clip[None] / 255
    for op in draws.order[i] if draws.jitter[i] else ():
        clip = photometric.JITTER_OPS[op][1](clip, torch.tensor([draws.factors[i, op]]))
    clip = photometric.to_gray(clip) if draws.gray[i] else clip
    clip = photometric.temporal_difference(clip) if draws.difference[i] else clip
    return (photometric.gaussian_blur(clip, torch.tensor([draws.sigma[i]])) if draws.blur[i] else clip)[0]


@pytest.mark.parametrize('together', [1, 4, 60])
def test_clips_in_pieces_are_the_plain_functions_one_after_another(monkeypatch, together):
    """As on a CPU, in pieces that leave a rest, and all at once."""
    monkeypatch.setitem(CLIPS_TOGETHER, 'cpu', together)
    clips = torch.cat(make_batch(num_samples=18)['inputs'])
    preprocessor = ViewPreprocessor(temporal_difference_prob=0.2)
    draws = preprocessor.draw(range(len(clips)))
    expected = torch.stack([one_after_another(clip, draws, i) for i, clip in enumerate(clips)])
    kept = clips.clone()
    torch.testing.assert_close(preprocessor.augment(clips, draws), expected, atol=2e-6, rtol=0)
    assert clips.equal(kept)


@pytest.mark.parametrize('together', [1, 18])
def test_all_clips_gray_and_some_blurred(monkeypatch, together):
    monkeypatch.setitem(CLIPS_TOGETHER, 'cpu', together)
    batch = make_batch()
    views = ViewPreprocessor(color_jitter=None, gray_prob=1)(batch, training=True)['inputs'].flatten(0, 1)
    draws = ViewPreprocessor().draw([seed for sample in batch['data_samples'] for seed in sample.view_seeds])
    gray = photometric.to_gray(torch.cat(batch['inputs']) / 255)
    blurred = photometric.gaussian_blur(gray, torch.from_numpy(draws.sigma))
    expected = torch.where(torch.from_numpy(draws.blur).view(-1, 1, 1, 1, 1), blurred, gray)
    torch.testing.assert_close(views, expected, atol=1e-6, rtol=0)


def test_list_and_tensor_are_the_same_and_inputs_stay_as_they_were():
    batch = make_batch()
    kept = torch.stack(batch['inputs'])
    stacked = dict(batch, inputs=kept.clone())
    preprocessor = ViewPreprocessor()
    assert preprocessor(batch, training=True)['inputs'].equal(preprocessor(stacked, training=True)['inputs'])
    assert torch.stack(batch['inputs']).equal(kept) and stacked['inputs'].equal(kept)


def test_no_augmentation_outside_training():
    batch = make_batch()
    out = ViewPreprocessor()(batch, training=False)
    assert out['inputs'].equal(torch.stack(batch['inputs']).float() / 255)
    assert [sample.view_seeds for sample in out['data_samples']] == [
        sample.view_seeds for sample in batch['data_samples']
    ]
    assert ViewPreprocessor(**OFF)(batch, training=True)['inputs'].equal(out['inputs'])


def test_temporal_difference_comes_after_gray_and_before_blur():
    """The default chain with its clips differentiated, the rest as :func:`by_hand` draws it."""
    batch = make_batch()
    views = ViewPreprocessor(temporal_difference_prob=0.5)(batch, training=True)['inputs']
    plain = ViewPreprocessor(blur_prob=0)(batch, training=True)['inputs']
    differentiated = 0
    for sample, jittered, raw, result in zip(batch['data_samples'], plain, batch['inputs'], views, strict=True):
        for clip, original, seed, got in zip(jittered, raw, sample.view_seeds, result, strict=True):
            rng = np.random.default_rng([seed, PHOTOMETRIC_TAG])
            uniform, _, chosen = rng.random(8), rng.permutation(4), rng.random() < 0.5
            if not chosen:
                torch.testing.assert_close(got, by_hand(original / 255.0, seed), atol=2e-5, rtol=0)
                continue
            gray = tvf.rgb_to_grayscale(clip.transpose(0, 1), 3)  # (T, 3, H, W)
            frames = (1 + gray[[1, 2, 3, 3]] - gray[[0, 1, 2, 2]]) / 2
            if uniform[6] < 0.5:
                sigma = 0.1 + 1.9 * uniform[7]
                frames = tvf.gaussian_blur(frames, [photometric.BLUR_KERNEL_SIZE] * 2, [sigma] * 2)
            torch.testing.assert_close(got, frames.transpose(0, 1), atol=2e-5, rtol=0)
            differentiated += 1
    assert 0 < differentiated < 18


def test_draws_have_the_stated_frequencies_and_ranges():
    draws = ViewPreprocessor(temporal_difference_prob=0.2).draw(range(4000))
    masks = (draws.jitter, draws.gray, draws.blur, draws.difference)
    for mask, probability in zip(masks, (0.8, 0.2, 0.5, 0.2), strict=True):
        assert abs(mask.mean() - probability) < 4 * np.sqrt(probability * (1 - probability) / 4000)
    for column, (low, high) in zip(draws.factors.T, [(0.8, 1.2)] * 3 + [(-0.05, 0.05)], strict=True):
        assert low <= column.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < column.max() <= high
    assert 0.1 <= draws.sigma.min() < 0.12 and 1.98 < draws.sigma.max() <= 2
    orders, counts = np.unique(draws.order, axis=0, return_counts=True)
    assert len(orders) == 24 and counts.min() > 4000 / 24 * 0.6


def test_switching_one_operation_off_leaves_the_other_draws():
    full = ViewPreprocessor(temporal_difference_prob=0.2).draw(range(50))
    without_gray = ViewPreprocessor(gray_prob=0).draw(range(50))
    assert not without_gray.gray.any() and full.gray.any()
    assert not without_gray.difference.any() and full.difference.any()
    for name in ('jitter', 'order', 'factors', 'blur', 'sigma'):
        np.testing.assert_array_equal(getattr(full, name), getattr(without_gray, name))


@pytest.mark.parametrize(
    'options, expected',
    [
        (
            dict(color_jitter=dict(brightness=0.5), color_prob=1.0),
            lambda clips, draws: photometric.adjust_brightness(clips, torch.from_numpy(draws.factors[:, 0])),
        ),
        (dict(gray_prob=1.0), lambda clips, draws: photometric.to_gray(clips)),
        (dict(temporal_difference_prob=1.0), lambda clips, draws: photometric.temporal_difference(clips)),
        (dict(blur_prob=1.0), lambda clips, draws: photometric.gaussian_blur(clips, torch.from_numpy(draws.sigma))),
    ],
)
def test_each_operation_alone(options, expected):
    batch = make_batch()
    preprocessor = ViewPreprocessor(**{**OFF, **options})
    draws = preprocessor.draw([seed for sample in batch['data_samples'] for seed in sample.view_seeds])
    got = preprocessor(batch, training=True)['inputs'].flatten(0, 1)
    torch.testing.assert_close(got, expected(torch.cat(batch['inputs']) / 255, draws), atol=1e-6, rtol=0)


def test_it_moves_like_any_module():
    assert ViewPreprocessor().to('cpu').device == torch.device('cpu')


def test_autocast_does_not_reach_the_colours():
    batch = make_batch()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = ViewPreprocessor()(batch, training=True)['inputs']
    assert mixed.equal(ViewPreprocessor()(batch, training=True)['inputs'])


def test_missing_view_seeds_say_what_to_do():
    batch = make_batch()
    for samples in (None, [ActionDataSample() for _ in range(6)]):
        with pytest.raises(ValueError, match='view_seeds.*SampleViews'):
            ViewPreprocessor()(dict(batch, data_samples=samples), training=True)
    assert ViewPreprocessor()(dict(inputs=batch['inputs']))['data_samples'] is None


@pytest.mark.parametrize(
    'inputs',
    [
        [torch.zeros(3, 3, 4, 8, 8)],
        [torch.zeros(3, 3, 4, 8, 8, dtype=torch.uint8), torch.zeros(2, 3, 4, 8, 8, dtype=torch.uint8)],
        [torch.zeros(3, 4, 3, 8, 8, dtype=torch.uint8)],
        torch.zeros(3, 3, 4, 8, 8, dtype=torch.uint8),
    ],
)
def test_wrong_inputs_say_what_came(inputs):
    with pytest.raises(ValueError, match='uint8 RGB views'):
        ViewPreprocessor()(dict(inputs=inputs))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(color_jitter=dict(bright=1)), 'bright'),
        (dict(color_jitter=dict(hue=0.6)), 'hue'),
        (dict(gray_prob=2), 'gray_prob'),
        (dict(temporal_difference_prob=-0.1), 'temporal_difference_prob'),
        (dict(blur_sigma=(0, 2)), 'blur_sigma'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        ViewPreprocessor(**options)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_a_gpu_gives_what_the_cpu_gives():
    batch = make_batch()
    on_gpu = ViewPreprocessor().cuda()(batch, training=True)['inputs']
    assert on_gpu.is_cuda
    torch.testing.assert_close(on_gpu.cpu(), ViewPreprocessor()(batch, training=True)['inputs'], atol=2e-5, rtol=0)
