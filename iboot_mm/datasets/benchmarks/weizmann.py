"""Weizmann "Actions as Space-Time Shapes" (Gorelick et al., 2007): a zip per action, `walk.zip` with `daria_walk.avi`.

The archives hold 93 files and no list: ten actions by nine people, of which Lena runs, skips and walks twice
(`lena_walk1.avi`, `lena_walk2.avi`). The authors count 90, so of hers the first one is taken. They test on one person
after the other; the three splits here, each of three people left out, are this project's. `classification_masks.mat`
and `backgrounds.zip` are not needed.
"""

from pathlib import Path

from .annotation import Annotation, Clip, Part

ACTIONS = ('bend', 'jack', 'jump', 'pjump', 'run', 'side', 'skip', 'walk', 'wave1', 'wave2')
PEOPLE = ('daria', 'denis', 'eli', 'ido', 'ira', 'lena', 'lyova', 'moshe', 'shahar')


def read_weizmann(folder: Path) -> Annotation:
    """The three splits by person: in split s the people s, s + 3 and s + 6, in the order of their names, are tested.

    Args:
        folder (Path): Not looked at: there are no annotation files, the names say all.
    """
    parts = []
    for split in range(3):
        tested = PEOPLE[split::3]
        for part in ('train', 'val'):
            clips = [_clip(person, label) for label in range(len(ACTIONS)) for person in PEOPLE
                     if (person in tested) == (part == 'val')]
            parts.append(Part(f'weizmann_{part}_split_{split + 1}_videos.txt', 'videos', clips))
    return Annotation(list(ACTIONS), parts)


def _clip(person: str, label: int) -> Clip:
    name = f'{person}_{ACTIONS[label]}'
    return Clip((name, f'{name}1'), label, f'{ACTIONS[label]}/{name}')
