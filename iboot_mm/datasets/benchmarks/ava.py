"""AVA v2.2: a movie per id in any folders, as a file or as frames, and the csv files of `ava_v2.2.zip`."""

from pathlib import Path

from ..ava_files import read_class_names
from .annotation import Annotation, Clip, Part, find_file, read_lines

_SUBFOLDERS = ('annotations', 'ava_v2.2', 'person_box_67091280_iou90')
_HINT = 'unpack ava_v2.2.zip there'
_CLASSES = 'ava_action_list_v2.2.pbtxt'
# What evaluation and test need beside the annotations; the last two are from elsewhere.
_EVALUATED = 'ava_action_list_v2.2_for_activitynet_2019.pbtxt'
_EXCLUDED = 'ava_{}_excluded_timestamps_v2.2.csv'
PERSONS = ('ava_detection_val_boxes_and_labels.csv', 'ava_dense_proposals_val.FAIR.recall_93.9.pkl')


def read_ava(folder: Path) -> Annotation:
    """Read `ava_{train,val}_v2.2.csv`, lines `video,second,x1,y1,x2,y2,action,person`, and the list of 80 actions.

    A list holds the official lines of the movies that are there. Copied are the 60 actions that are evaluated, the
    excluded key frames, and detected persons (PySlowFast's csv file or MMAction2's pickle), if they are there.

    Raises:
        FileNotFoundError: If one of the files but the last is missing.
        ValueError: For a file of another form.
    """
    names = read_class_names(_find(folder, _CLASSES))
    if sorted(names) != list(range(1, len(names) + 1)):
        raise ValueError(f"'{_find(folder, _CLASSES)}' does not number its actions from 1 without gaps.")
    parts, files = [], [_find(folder, _EVALUATED)]
    for part in ('train', 'val'):
        path = _find(folder, f'ava_{part}_v2.2.csv')
        lines: dict[str, list[str]] = {}
        for line in read_lines(path):
            if line.count(',') < 6:
                raise ValueError(f"'{path}' has the line {line!r}, which should be 'video,second,x1,y1,x2,y2,action,"
                                 "person'.")
            lines.setdefault(line.partition(',')[0], []).append(line)
        clips = [Clip((video,), -1, video, tuple(of_video)) for video, of_video in lines.items()]
        parts.append(Part(path.name, 'videos', clips))
        files.append(_find(folder, _EXCLUDED.format(part)))
    persons = [place / name for place in (folder, *(folder / sub for sub in _SUBFOLDERS)) for name in PERSONS
               if (place / name).is_file()]
    return Annotation([names[number] for number in sorted(names)], parts, files + persons)


def _find(folder: Path, name: str) -> Path:
    return find_file(folder, [name, f'{name}.txt'], _SUBFOLDERS, _HINT)
