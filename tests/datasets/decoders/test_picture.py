"""A picture as a video of one frame."""

import numpy as np
import pytest
from PIL import Image

from iboot_mm.datasets.decoders import UnreadableVideo, open_video


def test_pixels_are_those_of_the_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    with open_video(str(tmp_path / 'a.png'), 'picture') as reader:
        assert len(reader) == 1
        np.testing.assert_array_equal(reader.read([0]), pixels[None])


def test_gray_is_rgb_and_a_turned_camera_is_upright(tmp_path):
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees, clockwise
    Image.fromarray(gray).save(tmp_path / 'a.png', exif=exif)
    frame, = open_video(str(tmp_path / 'a.png'), 'picture').read([0])
    np.testing.assert_array_equal(frame, np.repeat(np.rot90(gray, -1)[..., None], 3, 2))


@pytest.mark.parametrize('content', [b'', b'no picture', None])
def test_what_cannot_be_read_is_one_sentence(tmp_path, content):
    path = tmp_path / 'a.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableVideo, match=r'a.jpg cannot be read: (cannot identify|\[Errno 2\])'):
        open_video(str(path), 'picture').read([0])
