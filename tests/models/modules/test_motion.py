"""Dynamic images and correspondences against closed forms and a second, slow way of computing them."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from iboot_mm.models.modules.motion import correspondences, displacements, dynamic_image, rank_pooling_weights


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_weights_of_approximate_rank_pooling():
    assert rank_pooling_weights(4).tolist() == [-3, -1, 1, 3]
    assert rank_pooling_weights(5).tolist() == [-4, -2, 0, 2, 4]
    # Bilen et al., section 3.2: the sum over all pairs of later minus earlier frames.
    frames = noise(7, 5)
    pairs = sum(frames[i] - frames[j] for i in range(7) for j in range(i))
    torch.testing.assert_close(rank_pooling_weights(7) @ frames, pairs)


def test_a_dynamic_image_of_noise_is_the_scaled_sum():
    clips = noise(2, 3, 4, 9, 8)
    change = clips[:, :, 3] * 3 + clips[:, :, 2] - clips[:, :, 1] - 3 * clips[:, :, 0]
    for picture, sums in zip(dynamic_image(clips), change, strict=True):
        torch.testing.assert_close(picture, (.5 + .25 * sums / sums.std()).clamp(0, 1))


def test_a_still_clip_is_gray_a_reversed_one_the_negative_and_brightness_is_no_motion():
    clips = noise(2, 3, 6, 9, 8)
    still = clips[:, :, :1].expand(-1, -1, 6, -1, -1)
    torch.testing.assert_close(dynamic_image(still), torch.full((2, 3, 9, 8), .5), atol=1e-3, rtol=0)
    torch.testing.assert_close(dynamic_image(clips.flip(2)), 1 - dynamic_image(clips))
    torch.testing.assert_close(dynamic_image(.6 * clips), dynamic_image(clips))
    backdrop = noise(2, 3, 1, 9, 8, seed=1)
    torch.testing.assert_close(dynamic_image(clips + backdrop), dynamic_image(clips), atol=1e-5, rtol=0)


def moving(step, frames=5, side=12):
    """A map of random directions that moves by ``step`` (down, right) places a frame: ``(1, T, 16, side, side)``."""
    field = torch.randn(16, 40, 40, generator=torch.Generator().manual_seed(3))
    rows, columns = ([14 - t * s for t in range(frames)] for s in step)
    return torch.stack([field[:, r:r + side, c:c + side] for r, c in zip(rows, columns)])[None]


@pytest.mark.parametrize('step', [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (2, -1)])
def test_a_pattern_that_moves_is_found_at_its_displacement(step):
    found = correspondences(moving(step), reach=2, gap=1, temperature=.05)
    assert found.shape == (1, 25)
    assert displacements(2)[found.argmax()].tolist() == list(step) and found.max() > .7  # the border sees less
    back = correspondences(moving(step).flip(1), reach=2, gap=1, temperature=.05)
    assert displacements(2)[back.argmax()].tolist() == [-s for s in step]


def test_two_frames_apart_a_pattern_has_gone_twice_as_far():
    found = correspondences(moving((0, 1)), reach=2, gap=2, temperature=.05)
    assert displacements(2)[found.argmax()].tolist() == [0, 2]


def test_a_still_clip_goes_nowhere():
    found = correspondences(moving((0, 0)), reach=2, gap=2, temperature=.05)
    assert displacements(2)[found.argmax()].tolist() == [0, 0] and found.max() > .99


def slowly(maps, reach, gap, temperature):
    """The definition, place by place."""
    length, _, height, width = maps.shape
    total, pairs = torch.zeros((2 * reach + 1) ** 2), 0
    for t in range(0, length - gap, gap):
        change = (maps[t + gap] - maps[t]).norm(dim=0)
        for y in range(height):
            for x in range(width):
                scores = torch.full((2 * reach + 1, 2 * reach + 1), -torch.inf)
                for dy in range(-reach, reach + 1):
                    for dx in range(-reach, reach + 1):
                        if 0 <= y + dy < height and 0 <= x + dx < width:
                            scores[dy + reach, dx + reach] = F.cosine_similarity(
                                maps[t, :, y, x], maps[t + gap, :, y + dy, x + dx], dim=0) / temperature
                total += change[y, x] / change.sum() * scores.flatten().softmax(0)
        pairs += 1
    return total / pairs


@settings(max_examples=12, deadline=None)
@given(frames=st.integers(2, 6), side=st.integers(1, 5), reach=st.integers(1, 2), gap=st.integers(1, 3),
       temperature=st.floats(.05, 1), seed=st.integers(0, 99))
def test_it_is_its_definition_and_a_distribution(frames, side, reach, gap, temperature, seed):
    gap = min(gap, frames - 1)
    maps = noise(2, frames, 3, side, side + 1, seed=seed) + .1
    found = correspondences(maps, reach, gap, temperature)
    assert (found >= 0).all()
    torch.testing.assert_close(found.sum(1), torch.ones(2))
    torch.testing.assert_close(found[1], slowly(maps[1], reach, gap, temperature), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(correspondences(3 * maps, reach, gap, temperature), found)


def test_impossible_options():
    with pytest.raises(ValueError, match='rank_pooling_weights: length must be at least 2, got 1'):
        dynamic_image(noise(1, 3, 1, 4, 4))
    with pytest.raises(ValueError, match='a clip of 2 frames has none that are gap=2 apart: set gap to less'):
        correspondences(noise(1, 2, 3, 4, 4))
    for option, value in (('reach', 0), ('gap', 0), ('temperature', 0)):
        with pytest.raises(ValueError, match=f'correspondences: {option} must be'):
            correspondences(noise(1, 4, 3, 4, 4), **{option: value})
