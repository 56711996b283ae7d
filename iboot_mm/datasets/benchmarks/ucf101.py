"""UCF101: `UCF-101/CLASS/v_CLASS_g01_c01.avi` and, in `ucfTrainTestlist`, the class index and three splits."""

from pathlib import Path

from .annotation import Annotation, Clip, Part, find_file, from_columns, look_up, read_lines

_SUBFOLDERS = ('ucfTrainTestlist', 'annotations')
_HINT = 'unpack UCF101TrainTestSplits-RecognitionTask.zip there'


def read_ucf101(folder: Path) -> Annotation:
    """Read `classInd.txt` (`1 ApplyEyeMakeup` a line), `trainlist01.txt` (`CLASS/FILE.avi 1`) and `testlist01.txt`
    (`CLASS/FILE.avi`) to 03.

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: For a file of another form.
    """
    path = find_file(folder, ['classInd.txt'], _SUBFOLDERS, _HINT)
    classes = [from_columns(line, 2, path)[1] for line in read_lines(path)]
    index = {name: i for i, name in enumerate(classes)}
    parts = []
    for split in (1, 2, 3):
        for part, kind in (('train', 'trainlist'), ('val', 'testlist')):
            path = find_file(folder, [f'{kind}0{split}.txt'], _SUBFOLDERS, _HINT)
            clips = [_clip(from_columns(line, 1, path)[0], index, path) for line in read_lines(path)]
            parts.append(Part(f'ucf101_{part}_split_{split}_videos.txt', 'videos', clips))
    return Annotation(classes, parts)


def ucf101_key(path: Path) -> str:
    """File names are unique; copies differ in `HandstandPushups` and `HandStandPushups`."""
    return path.stem.lower()


def _clip(name: str, index: dict[str, int], path: Path) -> Clip:
    file = Path(name)
    return Clip((ucf101_key(file),), look_up(index, file.parent.name, path), file.with_suffix('').as_posix())
