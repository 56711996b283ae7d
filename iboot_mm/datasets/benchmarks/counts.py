"""How many videos there should be, and what to say of those that are there."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from ...stores.atomic_files import AtomicLocalBackend


@dataclass(frozen=True)
class Official:
    """Official numbers of a benchmark.

    Attributes:
        classes (int): Classes.
        videos (dict[str, int]): Videos of each list, by file name.
        source (str): Where the numbers are from.
        copies (dict[str, tuple[int, int]]): Training and validation videos of well-known copies, where videos have
            disappeared since.
    """

    classes: int
    videos: dict[str, int]
    source: str
    copies: dict[str, tuple[int, int]] = field(default_factory=dict)


def _two_lists(name: str, train: int, val: int) -> dict[str, int]:
    return {f'{name}_train_list_videos.txt': train, f'{name}_val_list_videos.txt': val}


def _three_splits(name: str, *sizes: tuple[int, int]) -> dict[str, int]:
    return {f'{name}_{part}_split_{split}_videos.txt': count for split, pair in enumerate(sizes, 1)
            for part, count in zip(('train', 'val'), pair)}


OFFICIAL = dict(
    kinetics400=Official(
        400, _two_lists('kinetics400', 246534, 19906),
        'annotation files of 2017 (306,245 clips with the test set, arXiv:1705.06950), as the CVDF counts them',
        dict(MMAction2=(240436, 19796), CVDF=(240258, 19881))),
    kinetics600=Official(
        600, _two_lists('kinetics600', 392622, 30001),
        'annotation files of 2018 (495,547 clips with the test set of 72,924, arXiv:1808.01340)',
        dict(MMAction2=(383393, 27910), VideoMAEv2=(366006, 27935))),
    kinetics700=Official(
        700, _two_lists('kinetics700', 545317, 35000),
        'annotation files of 2019 (650,317 clips with the test set of 70,000, arXiv:1907.06987)',
        dict(MMAction2=(542357, 34824))),
    kinetics700_2020=Official(
        700, _two_lists('kinetics700_2020', 545793, 34256),
        'annotation files of 2020 (647,907 clips with the test set of 67,858, arXiv:2010.10864)',
        dict(CVDF=(534073, 33914))),
    ucf101=Official(
        101, _three_splits('ucf101', (9537, 3783), (9586, 3734), (9624, 3696)),
        'official split files (13,320 clips in each split, arXiv:1212.0402)'),
    hmdb51=Official(
        51, _three_splits('hmdb51', *[(3570, 1530)] * 3),
        'official split files (70 training and 30 test clips of each class; 6,766 clips in all)'),
    sthv2=Official(
        174, _two_lists('sthv2', 168913, 24777), 'annotation files of version 2 (220,847 clips with the test set)'),
    diving48=Official(48, _two_lists('diving48', 15027, 1970), 'annotation files of V2'),
    ava=Official(
        80, {'ava_train_v2.2.csv': 235, 'ava_val_v2.2.csv': 64},
        'annotation files of v2.2 (430 movies with the test set, arXiv:1705.08421; 897 key frames in each)'),
    charades=Official(
        157, {'Charades_v1_train.csv': 7985, 'Charades_v1_test.csv': 1863},
        'annotation files of version 1 (9,848 videos, arXiv:1604.01753)'),
    weizmann=Official(
        10, _three_splits('weizmann', *[(60, 30)] * 3),
        'nine people, ten actions each (90 sequences, Gorelick et al., 2007); the splits by person are ours'),
    ut_interaction=Official(
        6, _three_splits('ut_interaction', (85, 35), (78, 42), (77, 43)),
        'segmented clips of both sets (120, SDHA 2010); the splits by sequence are ours'),
    kth=Official(
        6, {f'kth_{part}_list_videos.txt': count for part, count in dict(train=191, val=192, test=216,
                                                                         trainval=383).items()},
        'files of the official split by person (599; 2391 sequences, Schuldt et al., 2004)'),
)


@dataclass
class ListCounts:
    """What became of the annotated videos of one list.

    Attributes:
        annotated (int): Named by the annotation files.
        found (int): Of these, files that are there.
        unreadable (int, optional): Of these, files that cannot be read; None if that was not looked into.
        truncated (int, optional): Readable files that end sooner than they say; they are listed all the same.
    """

    annotated: int
    found: int
    unreadable: int | None = None
    truncated: int | None = None

    @property
    def listed(self) -> int:
        """Videos that the list holds."""
        return self.found - (self.unreadable or 0)


def check_classes(name: str, title: str, classes: int) -> None:
    """Refuse annotation files of another data set.

    Raises:
        ValueError: If the number of classes is not the official one.
    """
    if classes != OFFICIAL[name].classes:
        raise ValueError(f'The annotation files name {classes} classes, but {title} has {OFFICIAL[name].classes}: are '
                         'they those of another data set?')


def other_edition(name: str, counts: dict[str, ListCounts]) -> str | None:
    """The data set of as many classes that has as many videos as are annotated in a list here, where this one has not.

    As many up to half a percent, since the annotation files, too, have lost lines over the years.
    """
    own = OFFICIAL[name]
    for other, official in OFFICIAL.items():
        if other != name and official.classes == own.classes:
            for count, ours, theirs in zip(counts.values(), own.videos.values(), official.videos.values()):
                if abs(count.annotated - theirs) < .005 * theirs and abs(count.annotated - ours) >= .005 * ours:
                    return other
    return None


def describe(name: str, counts: dict[str, ListCounts]) -> list[str]:
    """One line for each list, and one each on copies that differ and on files that seem to be another edition's."""
    official = OFFICIAL[name]
    lines = []
    for list_name, count in counts.items():
        expected = official.videos[list_name]
        parts = [f'{list_name}: {count.listed} videos', f'{count.annotated - count.found} missing']
        parts.append('not checked for unreadable ones' if count.unreadable is None else
                     f'{count.unreadable} unreadable, {count.truncated} cut short')
        share = f' ({count.listed / expected:.1%})' if count.listed != expected else ''
        lines.append(f'{", ".join(parts)}; official: {expected}{share}')
    differs = any(count.listed != official.videos[list_name] for list_name, count in counts.items())
    if differs and official.copies:
        copies = '; '.join(f'{who} {train} and {val}' for who, (train, val) in official.copies.items())
        lines.append(f'Copies of this data set differ, since videos disappear ({copies}): give your counts with every '
                     'result.')
    elif differs:
        lines.append('These are not the official counts: results on them are not comparable as they stand.')
    edition = other_edition(name, counts)
    if edition is not None:
        lines.append(f'The annotation files have as many lines as those of {edition}, which has the same classes: call '
                     'this with that name if that is what they are.')
    return lines


def write_counts(path: Path, name: str, counts: dict[str, ListCounts]) -> dict:
    """Write `counts.json`, whole or not at all: every list's numbers beside the official ones."""
    official = OFFICIAL[name]
    lists = {list_name: dict(listed=count.listed, annotated=count.annotated, missing=count.annotated - count.found,
                             unreadable=count.unreadable, truncated=count.truncated,
                             official=official.videos[list_name]) for list_name, count in counts.items()}
    content = dict(dataset=name, classes=official.classes, lists=lists, official_source=official.source)
    AtomicLocalBackend().put_text(json.dumps(content, indent=1) + '\n', path)
    return content
