import hashlib

import pytest
from mmengine.config import Config

from iboot_mm.evaluation.protocols.lists import digest_lists


def config(root, ann_file):
    return Config(dict(test_dataloader=dict(dataset=dict(type='VideoFolder', root=str(root), ann_file=str(ann_file)))))


def test_a_list_is_known_by_its_content_wherever_its_path_starts(tmp_path):
    (tmp_path / 'test.txt').write_text('a.mp4 0\n')
    digest = hashlib.sha256(b'a.mp4 0\n').hexdigest()[:16]
    assert digest_lists(config('elsewhere', tmp_path / 'test.txt')) == {str(tmp_path / 'test.txt'): digest}
    assert digest_lists(config(tmp_path, 'test.txt')) == {'test.txt': digest}  # from the root, as VideoFolder reads it


def test_a_missing_list_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'there is no list absent\.txt: tools/data/prepare\.py writes'):
        digest_lists(config(tmp_path, 'absent.txt'))
