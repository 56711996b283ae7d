"""UT-Interaction (Ryoo and Aggarwal, SDHA 2010): the segmented clips `NUMBER_SEQUENCE_CLASS.avi` of both sets.

`ut-interaction_segmented_set1.zip` holds sequences 1 to 10 and `..._set2.zip` 11 to 20, 60 clips each: `0_1_4.avi` is
the first clip, of sequence 1, a punch. The authors test on one sequence after the other within a set; the three splits
here, each of every third sequence of both sets left out, are this project's.
"""

import re
from pathlib import Path

from ..listing import VIDEO_EXTENSIONS, scan_folder
from .annotation import Annotation, Clip, Part

INTERACTIONS = ('shake_hands', 'hug', 'kick', 'point', 'punch', 'push')  # in the order of the names' last number
_NAME = re.compile(r'(\d+)_(\d+)_(\d)')
_SEQUENCES = 20


def read_ut_interaction(folder: Path) -> Annotation:
    """The three splits by sequence, from the files' names: in split s the sequences with rest s - 1 by 3 are tested.

    Raises:
        FileNotFoundError: If no file below `folder` is named so.
        ValueError: For a sequence or a class that there is not.
    """
    clips = sorted({match[0]: tuple(map(int, match.groups())) for path in scan_folder(str(folder), VIDEO_EXTENSIONS)
                    if (match := _NAME.fullmatch(Path(path).stem))}.items(), key=lambda item: (item[1][1], item[1][0]))
    if not clips:
        raise FileNotFoundError(f"No video below '{folder}' is named like 0_1_4.avi (number, sequence, class): name "
                                'the folder that both ut-interaction_segmented_set*.zip were unpacked in.')
    for name, (_, sequence, label) in clips:
        if not 1 <= sequence <= _SEQUENCES or label >= len(INTERACTIONS):
            raise ValueError(f"'{folder}' holds {name}, of sequence {sequence} and class {label}; UT-Interaction has "
                             f'the sequences 1 to {_SEQUENCES} and the classes 0 to {len(INTERACTIONS) - 1}.')
    return Annotation(list(INTERACTIONS), [
        Part(f'ut_interaction_{part}_split_{split + 1}_videos.txt', 'videos',
             [Clip((name,), label, f'{INTERACTIONS[label]}/{name}') for name, (_, sequence, label) in clips
              if (sequence % 3 == split) == (part == 'val')])
        for split in range(3) for part in ('train', 'val')])
