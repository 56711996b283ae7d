import base64
import io

import pytest
from PIL import Image

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.visualization.looks import draw_looks

from ..checkpoint_files import CONFIG, STOCK_CONFIG, write_checkpoint
from ..videos import moving_frames, write_video


@pytest.mark.parametrize('text', [CONFIG, STOCK_CONFIG], ids=['with a teacher', 'without'])
def test_a_strip_for_each_video_that_can_be_read(tmp_path, text):
    write_video(tmp_path / 'a.mp4', moving_frames(20))
    (tmp_path / 'b.mp4').write_text('no video')
    info = describe_checkpoint(write_checkpoint(tmp_path / 'run', text)['checkpoint'])
    pictures = draw_looks(info, [str(tmp_path / 'a.mp4'), str(tmp_path / 'b.mp4')])
    assert len(pictures) == 1
    width, height = Image.open(io.BytesIO(base64.b64decode(pictures[0].split(',')[1]))).size
    assert width > 1.5 * height  # 4 columns with their names, 2 rows
