"""From a file to the 10 x 3 views of a test: MMAction2's own pipeline and ours."""

import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from iboot_mm.datasets import VideoFolder
from tests.videos import moving_frames, write_video


def stock_views(path: str, side: int) -> torch.Tensor:
    with DefaultScope.overwrite_default_scope('mmaction'):
        pipeline = Compose([
            dict(type='PyAVInit'),
            dict(type='SampleFrames', clip_len=8, frame_interval=8, num_clips=10, test_mode=True),
            dict(type='PyAVDecode'),
            dict(type='Resize', scale=(-1, side)),
            dict(type='ThreeCrop', crop_size=side),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs')])
        return pipeline(dict(filename=path, start_index=0, modality='RGB', label=0))['inputs']


def our_views(path: str, side: int) -> torch.Tensor:
    folder, name = path.rsplit('/', 1)
    return VideoFolder(folder, test_mode=True, extensions=name, pipeline=[
        dict(type='OpenVideo', decoder='pyav'),
        dict(type='SampleViews', num_views=10, clip_len=8, frame_interval=8, test_mode=True),
        dict(type='DecodeViews'),
        dict(type='CropViews', size=side, short_side=side, test_mode=True, crops=3),
        dict(type='PackViews')])[0]['inputs']


@pytest.mark.parametrize('height, width, frames', [(32, 46, 120), (46, 32, 57)])
def test_the_30_views_of_a_video(tmp_path, height, width, frames):
    path = write_video(tmp_path / 'a.mp4', moving_frames(frames, height, width), fps=25)
    stock, ours = stock_views(path, 32), our_views(path, 32)
    assert ours.shape == (30, 3, 8, 32, 32) and ours.dtype == torch.uint8
    assert torch.equal(ours, stock)


def test_the_30_views_after_resizing(tmp_path):
    """MMAction2 resizes without antialiasing, so pixels differ a little, but each view shows the same part."""
    path = write_video(tmp_path / 'a.mp4', moving_frames(150, 48, 70))
    stock, ours = stock_views(path, 32).float(), our_views(path, 32).float()
    distance = (ours[:, None] - stock[None]).abs().flatten(2).mean(2)  # (30, 30)
    assert distance.diagonal().max() < 3
    assert torch.equal(distance.argmin(1), torch.arange(30))
