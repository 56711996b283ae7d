"""Containers x codecs x structure: whatever the kind of file, each decoder gives what decoding it in order gives."""

import pytest

from iboot_mm.datasets.listing import VIDEO_EXTENSIONS
from tests.datasets.decoders.differential import DECODERS, decoded_in_order, verdict
from tests.datasets.decoders.kinds import kinds


@pytest.mark.parametrize('kind', kinds(), ids=str)
def test_each_decoder_gives_the_frames_of_decoding_in_order(kind, tmp_path):
    path = tmp_path / str(kind)
    kind.write(path)
    truth = decoded_in_order(str(path))
    assert truth
    verdicts = {decoder: verdict(str(path), decoder, truth) for decoder in DECODERS}
    verdicts['frame_cache'] = verdict(str(path), 'frame_cache', truth, folder=str(tmp_path / 'cache'))
    assert verdicts['pyav'] == 'equal'
    assert not [found for found in verdicts.items() if found[1].startswith(('WRONG', 'refused'))]


def test_a_folder_is_searched_for_every_kind():
    assert {f'.{kind.ending}' for kind in kinds()} <= set(VIDEO_EXTENSIONS)
