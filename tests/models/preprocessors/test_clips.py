"""Views become clips with labels, normalised; the rest is ViewPreprocessor's."""

import pytest
import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.structures import ActionDataSample

from iboot_mm.models.preprocessors.clips import ClipPreprocessor
from iboot_mm.models.preprocessors.views import ViewPreprocessor


def batch(labels=((1, 0, 2), (2, 2, 1))):
    views = [torch.randint(256, (3, 3, 2, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(i))
             for i in range(2)]
    samples = [ActionDataSample(metainfo=dict(view_seeds=[i, 7, 9], filename=f'{i}.mp4'), gt_label=torch.tensor(row))
               for i, row in enumerate(labels)]
    return dict(inputs=views, data_samples=samples)


def test_every_view_is_a_sample_with_its_label():
    out = ClipPreprocessor()(batch())
    assert out['inputs'].shape == (6, 1, 3, 2, 8, 8)
    assert torch.cat([sample.gt_label for sample in out['data_samples']]).tolist() == [1, 0, 2, 2, 2, 1]
    assert [sample.filename for sample in out['data_samples']] == ['0.mp4'] * 3 + ['1.mp4'] * 3


def test_normalisation_is_mmactions():
    stock = ActionDataPreprocessor(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], format_shape='NCTHW')
    expected = stock(batch())['inputs'].flatten(0, 1).unsqueeze(1)
    torch.testing.assert_close(ClipPreprocessor()(batch())['inputs'], expected, rtol=1e-5, atol=1e-5)


def test_training_augments_as_view_preprocessor_does():
    options = dict(color_jitter=dict(brightness=.4), color_prob=1., blur_prob=0.)
    views = ViewPreprocessor(**options)(batch(), training=True)['inputs'].flatten(0, 1)
    net = ClipPreprocessor(**options)
    torch.testing.assert_close(net(batch(), training=True)['inputs'][:, 0] * net.std + net.mean, views)


def test_labels_must_be_as_many_as_views():
    with pytest.raises(ValueError, match="'0.mp4' has 3 views and 1 labels; sample with PlaybackRate"):
        ClipPreprocessor()(batch(labels=((1,), (2,))))
    unlabelled = batch()
    del unlabelled['data_samples'][0].gt_label
    with pytest.raises(ValueError, match="'0.mp4' has 3 views and 0 labels; sample with PlaybackRate"):
        ClipPreprocessor()(unlabelled)
