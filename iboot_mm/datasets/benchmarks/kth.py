"""KTH actions (Schuldt et al., 2004): a zip per action, `boxing.zip` with `person01_boxing_d1_uncomp.avi`.

25 people do six actions in four settings: 600 files less `person13_handclapping_d3`, which was never published. The
official split is by person and stands in `00sequences.txt`, beside the frames (from 1, both ends included) at which
the 2391 sequences of the files begin and end.
"""

import re
from pathlib import Path

from .annotation import Annotation, Clip, Part, read_lines

ACTIONS = ('boxing', 'handclapping', 'handwaving', 'jogging', 'running', 'walking')
PEOPLE = dict(train=(11, 12, 13, 14, 15, 16, 17, 18), val=(1, 4, 19, 20, 21, 23, 24, 25),
              test=(2, 3, 5, 6, 7, 8, 9, 10, 22))
PEOPLE['trainval'] = PEOPLE['train'] + PEOPLE['val']  # what most trained on that report a figure of the test set
MISSING = 'person13_handclapping_d3'
SEQUENCES = '00sequences.txt'
_LINE = re.compile(r'(person\d{2}_[a-z]+_d\d)\s+frames\s+(\d.*)')


def read_kth(folder: Path) -> Annotation:
    """The official split by person; `00sequences.txt` is copied beside the lists if it is there.

    A list names whole files. Those of jogging, running and walking hold frames without a person, between one sequence
    and the next: :func:`read_sequences` says which.

    Raises:
        ValueError: For an `00sequences.txt` of another form.
    """
    files = [place / SEQUENCES for place in (folder, folder / 'annotations') if (place / SEQUENCES).is_file()][:1]
    for file in files:
        read_sequences(file)
    return Annotation(list(ACTIONS), [
        Part(f'kth_{part}_list_videos.txt', 'videos', [
            Clip((name,), label, f'{action}/{name}') for label, action in enumerate(ACTIONS) for person in people
            for setting in range(1, 5) if (name := f'person{person:02d}_{action}_d{setting}') != MISSING])
        for part, people in PEOPLE.items()], files)


def read_sequences(file: Path) -> dict[str, list[tuple[int, int]]]:
    """First and last frame, from 1, of each sequence of a file, from lines `person01_boxing_d1 frames 1-95, 96-185`.

    Raises:
        ValueError: If no line has this form, or a sequence ends before it begins.
    """
    sequences = {match[1]: [(int(first), int(last)) for first, last in re.findall(r'(\d+)\s*-\s*(\d+)', match[2])]
                 for line in read_lines(file) if (match := _LINE.match(line.strip()))}
    if not sequences:
        raise ValueError(f"'{file}' has no line such as 'person01_boxing_d1  frames  1-95, 96-185': download it again.")
    for name, frames in sequences.items():
        if any(first > last for first, last in frames):
            raise ValueError(f"'{file}' lets a sequence of {name} end before it begins: download it again.")
    return sequences


def kth_key(path: Path) -> str:
    """The name without the ending `_uncomp`, which some copies have lost."""
    return path.stem.removesuffix('_uncomp')
