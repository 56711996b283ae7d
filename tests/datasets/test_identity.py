"""Which videos a data set is of."""

from mmaction.registry import DATASETS

from iboot_mm.datasets.identity import data_identity
from iboot_mm.stores.identity import folder_name


def test_data_are_their_names_labels_and_views(tmp_path):
    def identity(folder, lines='a.mp4 0\nsub/b.mp4 1\n', content='x', **changes):
        for name in ('a.mp4', 'sub/b.mp4', 'c.mp4'):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text(content)
        (tmp_path / folder / 'list.txt').write_text(lines)
        config = dict(type='VideoFolder', root=str(tmp_path / folder), ann_file=str(tmp_path / folder / 'list.txt'),
                      pipeline=[dict(type='SampleViews', num_views=1)], **changes)
        return data_identity(DATASETS.build(config), config)

    here = identity('here')
    assert here['videos'] == 2 and identity('elsewhere') == here
    others = [identity('here', 'a.mp4 0\nsub/b.mp4 2\n'), identity('here', 'a.mp4 0\nc.mp4 1\n'),
              identity('here', role='query'), identity('other_videos_of_the_same_names', content='xy')]
    assert len({folder_name(about) for about in [here, *others]}) == 5
