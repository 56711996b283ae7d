"""What writing a test's video leaves behind in the process: nothing."""

import os

import av
import pytest

from .videos import moving_frames, write_video


@pytest.mark.skipif('libsvtav1' not in av.codecs_available, reason='FFmpeg has no SVT-AV1')
@pytest.mark.skipif(not hasattr(os, 'sched_getscheduler'), reason='scheduling is Linux')
def test_an_encoder_leaves_the_priority_as_it_was(tmp_path):
    write_video(tmp_path / 'a.mp4', moving_frames(12), codec='libsvtav1', codec_options=dict(preset='12', g='12'))
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
