"""Each batched operation against torchvision's, clip by clip on the tall image (3, T * H, W) or frame by frame."""

import colorsys

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as tvf

from iboot_mm.models.preprocessors import photometric

# float32 round-off; hue divides by small chroma, so its own reference in float64 is no closer to torchvision's float32
# result.
TOLERANCE = dict(atol=2e-6, rtol=0)


@pytest.fixture
def clips() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (5, 3, 4, 24, 18), generator=generator).float() / 255
    clips[0, :, 0] = 0.3  # gray pixels: no hue
    clips[0, :, 1] = 0.0  # black: no saturation
    clips[0, 0, 2] = clips[0, 1, 2]  # two channels that tie for the maximum or minimum
    return clips


def tall(clip: torch.Tensor) -> torch.Tensor:
    return clip.flatten(1, 2)


FACTORS = dict(
    brightness=(0.0, 0.8, 1.0, 1.2, 2.0),
    contrast=(0.0, 0.8, 1.0, 1.2, 2.0),
    saturation=(0.0, 0.8, 1.0, 1.2, 2.0),
    hue=(-0.5, -0.05, 0.0, 0.05, 0.5),
)


@pytest.mark.parametrize('name, function', photometric.JITTER_OPS)
def test_jitter_op_is_torchvisions_with_a_factor_per_clip(clips, name, function):
    got = function(clips, torch.tensor(FACTORS[name]))
    for clip, factor, result in zip(clips, FACTORS[name], got, strict=True):
        expected = getattr(tvf, f'adjust_{name}')(tall(clip), factor)
        torch.testing.assert_close(tall(result), expected, **TOLERANCE)


def test_contrast_keeps_the_frames_relative_brightness(clips):
    """Contrast 0 gives one gray for the whole clip, not one per frame."""
    flat = photometric.adjust_contrast(clips, torch.zeros(5))
    assert flat.flatten(1).std(1).max() < 1e-6
    assert clips[0].mean((0, 2, 3)).std() > 0.1  # although its frames differ


def test_gray_is_torchvisions(clips):
    got = photometric.to_gray(clips)
    for clip, result in zip(clips, got, strict=True):
        torch.testing.assert_close(tall(result), tvf.rgb_to_grayscale(tall(clip), 3), **TOLERANCE)


def test_temporal_difference_is_the_change_of_gray(clips):
    """By hand, frame by frame; it stays in [0, 1] and .5 is no change."""
    got = photometric.temporal_difference(clips)
    for clip, result in zip(clips.numpy(), got.numpy(), strict=True):
        gray = 0.2989 * clip[0] + 0.587 * clip[1] + 0.114 * clip[2]  # (T, H, W)
        for t in range(4):
            change = gray[min(t, 2) + 1] - gray[min(t, 2)]
            for channel in result:
                np.testing.assert_allclose(channel[t], 0.5 + change / 2, atol=1e-6)
    still = clips[:, :, :1].expand(-1, -1, 3, -1, -1)
    assert photometric.temporal_difference(still).eq(0.5).all()
    brightening = torch.tensor([0.0, 1.0]).view(1, 1, 2, 1, 1).expand(1, 3, 2, 2, 2)
    torch.testing.assert_close(
        photometric.temporal_difference(brightening), torch.ones(1, 3, 2, 2, 2), atol=1e-4, rtol=0
    )  # torchvision's weights of gray sum to .9999
    with pytest.raises(ValueError, match='at least 2 frames.*temporal_difference_prob'):
        photometric.temporal_difference(clips[:, :, :1])


def test_temporal_difference_and_blur_commute(clips):
    sigma = torch.linspace(0.1, 2, 5)
    first = photometric.gaussian_blur(photometric.temporal_difference(clips), sigma)
    last = photometric.temporal_difference(photometric.gaussian_blur(clips, sigma))
    torch.testing.assert_close(first, last, **TOLERANCE)


def test_hue_is_the_standard_librarys(clips):
    hue, chroma, value = photometric.rgb_to_hue(clips)
    for pixel, h, c, v in zip(clips.movedim(1, -1).reshape(-1, 3).tolist(), hue.flatten().tolist(),
                              chroma.flatten().tolist(), value.flatten().tolist(), strict=True):
        turns, saturation, brightest = colorsys.rgb_to_hsv(*pixel)
        assert v == brightest
        assert c == pytest.approx(saturation * brightest, abs=1e-6)
        assert h % 6 == pytest.approx(6 * turns, abs=1e-5)


def test_hue_round_trip(clips):
    torch.testing.assert_close(photometric.hue_to_rgb(*photometric.rgb_to_hue(clips)), clips, **TOLERANCE)


def test_operations_leave_their_input(clips):
    kept = clips.clone()
    for _, function in photometric.JITTER_OPS:
        function(clips, torch.full((5,), 0.3))
    photometric.gaussian_blur(photometric.temporal_difference(photometric.to_gray(clips)), torch.ones(5))
    photometric.temporal_difference(clips), photometric.gaussian_blur(clips, torch.ones(5))
    assert clips.equal(kept)


@pytest.mark.parametrize('size', [(24, 18), (9, 40), (112, 65)])  # within one band, across several
def test_blur_is_torchvisions_frame_by_frame(clips, size):
    clips = torch.nn.functional.interpolate(clips, size=(4, *size))
    sigmas = (0.1, 0.5, 1.0, 1.5, 2.0)
    got = photometric.gaussian_blur(clips, torch.tensor(sigmas))
    for clip, sigma, result in zip(clips, sigmas, got, strict=True):
        frames = clip.transpose(0, 1)  # (T, 3, H, W)
        expected = tvf.gaussian_blur(frames, [photometric.BLUR_KERNEL_SIZE] * 2, [sigma] * 2)
        torch.testing.assert_close(result.transpose(0, 1), expected, **TOLERANCE)


def test_blur_of_frames_smaller_than_the_kernel_keeps_their_mean_value():
    blurred = photometric.gaussian_blur(torch.full((1, 3, 2, 4, 1), 0.7), torch.tensor([2.0]))
    torch.testing.assert_close(blurred, torch.full_like(blurred, 0.7))


def test_blur_does_not_bleed_over_frames():
    clips = torch.zeros(1, 3, 3, 20, 20)
    clips[:, :, 1] = 1
    torch.testing.assert_close(photometric.gaussian_blur(clips, torch.tensor([2.0])), clips)
