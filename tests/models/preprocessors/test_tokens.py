"""Stored maps become a recognizer's samples: a clip each, or a video each."""

import torch
from mmaction.structures import ActionDataSample

from iboot_mm.models.preprocessors.tokens import TokenPreprocessor


def batch(labels):
    maps = [torch.full((3, 4, 2, 1, 1), i, dtype=torch.float16) for i in range(2)]
    return dict(inputs=maps, data_samples=[ActionDataSample(gt_label=torch.tensor(row)) for row in labels])


def test_clips_with_labels_of_their_own():
    out = TokenPreprocessor(per_clip=True)(batch([[1, 0, 2], [2, 2, 1]]), training=True)
    assert out['inputs'].shape == (6, 1, 4, 2, 1, 1) and out['inputs'].dtype == torch.float32
    assert out['inputs'].flatten(1).mean(1).tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.cat([sample.gt_label for sample in out['data_samples']]).tolist() == [1, 0, 2, 2, 2, 1]


def test_videos_of_several_clips():
    out = TokenPreprocessor()(batch([[4], [5]]))
    assert out['inputs'].shape == (2, 3, 4, 2, 1, 1)
    assert [sample.gt_label.item() for sample in out['data_samples']] == [4, 5]
