"""From whatever a backbone returns to features per time step."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d


def frame_features(output: Tensor | Sequence) -> Tensor:
    """Reduces a backbone's output to one feature per time step, space averaged.

    MMAction2's backbones agree on no form: at T = 8 the Slow networks give a map with 8 time steps, R(2+1)D one with 1,
    Swin and VideoMAE's ViT (``return_feat_map=True``) one with 4, MViT a list of stages whose last is
    ``[map, class token]``; image-like backbones give vectors. Of several stages the last counts, of a stage its map.

    Args:
        output: A map ``(N, D, T', H', W')``, tokens ``(N, L, D)``, vectors ``(N, D)``, or nested sequences of them.

    Returns:
        Features ``(N, T', D)``; tokens and vectors have lost their time axis, so T' is 1.

    Raises:
        TypeError: the output holds no such tensor.
    """
    if isinstance(output, Sequence) and output:
        stage = output[-1] if isinstance(output[-1], Sequence) or _is_map(output[-1]) else output[0]
        if isinstance(stage, Sequence):
            stage = next((part for part in stage if _is_map(part)), stage[-1])
        return frame_features(stage)
    if isinstance(output, Tensor):
        if output.ndim == 5:
            return output.mean(dim=(3, 4)).transpose(1, 2)  # (N, T', D)
        if output.ndim == 3:
            return output.mean(dim=1, keepdim=True)  # (N, 1, D)
        if output.ndim == 2:
            return output.unsqueeze(1)  # (N, 1, D)
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    raise TypeError(f'the backbone returned {shape}: '
                    'expected a map (N, D, T, H, W), tokens (N, L, D) or vectors (N, D)')


def check_width(features: Tensor, expected: int) -> None:
    """Features ``(..., D)`` of a backbone against the width that a config promises.

    Raises:
        ValueError: they differ; says what to set.
    """
    if features.shape[-1] != expected:
        raise ValueError(f'the backbone gives features of width {features.shape[-1]}, but the config says '
                         f'feature_dim={expected}: set feature_dim={features.shape[-1]}')


def match_time(features: Tensor, steps: int) -> Tensor:
    """Averages features over time into ``steps`` bins, as even as integers allow.

    Args:
        features: Features ``(N, T, D)``.
        steps: Number of bins T'; above T, neighbouring bins repeat a frame.

    Returns:
        Features ``(N, T', D)``.
    """
    if features.shape[1] == steps:
        return features
    return adaptive_avg_pool1d(features.transpose(1, 2), steps).transpose(1, 2)


def _is_map(output: object) -> bool:
    return isinstance(output, Tensor) and output.ndim == 5
