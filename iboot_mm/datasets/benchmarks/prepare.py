"""From unpacked archives to the folders and lists that the configs name."""

from pathlib import Path

from ...stores.atomic_files import AtomicLocalBackend
from ..decoders.frames import IMAGE_EXTENSIONS
from ..listing import VIDEO_EXTENSIONS
from ..parallel import show_progress
from .annotation import Annotation, Benchmark, Clip, Part
from .ava import read_ava
from .charades import read_charades
from .counts import ListCounts, check_classes, describe, write_counts
from .diving48 import read_diving48
from .files import check_videos, index_videos, link
from .hmdb51 import hmdb51_key, read_hmdb51
from .kinetics import read_kinetics
from .kth import kth_key, read_kth
from .ssv2 import read_ssv2
from .ucf101 import read_ucf101, ucf101_key
from .ut_interaction import read_ut_interaction
from .weizmann import read_weizmann

FILES_AND_FRAMES = (*VIDEO_EXTENSIONS, *IMAGE_EXTENSIONS)
BENCHMARKS = dict(
    kinetics400=Benchmark('Kinetics-400', lambda folder: read_kinetics(folder, 'kinetics400'), 'its videos'),
    kinetics600=Benchmark('Kinetics-600', lambda folder: read_kinetics(folder, 'kinetics600'), 'its videos'),
    kinetics700=Benchmark('Kinetics-700', lambda folder: read_kinetics(folder, 'kinetics700'), 'its videos'),
    kinetics700_2020=Benchmark(
        'Kinetics-700-2020', lambda folder: read_kinetics(folder, 'kinetics700_2020'), 'its videos'),
    ucf101=Benchmark('UCF101', read_ucf101, 'UCF101.rar (a folder UCF-101)', ucf101_key),
    hmdb51=Benchmark('HMDB51', read_hmdb51, 'hmdb51_org.rar and the archives in it (a folder per class)', hmdb51_key),
    sthv2=Benchmark('Something-Something v2', read_ssv2, 'its archives (a folder 20bn-something-something-v2)'),
    diving48=Benchmark('Diving48', read_diving48, 'Diving48_rgb.tar.gz (a folder rgb)'),
    ava=Benchmark('AVA', read_ava, 'its movies, files or folders of frames', extensions=FILES_AND_FRAMES),
    charades=Benchmark('Charades', read_charades, 'Charades_v1_480.zip (a folder of that name)',
                       extensions=FILES_AND_FRAMES),
    weizmann=Benchmark('Weizmann', read_weizmann, 'its zips, one an action (daria_walk.avi)'),
    ut_interaction=Benchmark('UT-Interaction', read_ut_interaction, 'both ut-interaction_segmented_set*.zip'),
    kth=Benchmark('KTH', read_kth, 'its zips, one an action (person01_boxing_d1_uncomp.avi)', kth_key),
)


def prepare(name: str, root: str | Path, out: str | Path, annotations: str | Path | None = None, check: bool = False,
            workers: int | None = None) -> dict:
    """Lay a benchmark out as MMAction2's `tools/data` do.

    In `out` come: `videos*/`, links to the files (to be given as `root` of a data set); lists of lines `path label`;
    `label_map.txt`, the class names in the order of their index; `counts.json`; and `left_out.txt`, the annotated
    videos that no list holds. Of AVA and Charades the lists hold the lines of the official files, since these say more
    than a label, and what else they need lies beside them. Files are known by their names, in whatever folders below
    `root` they are, with whatever ending. A second call brings everything up to date.

    Args:
        name (str): A key of `BENCHMARKS`.
        root (str | Path): The folder that the archives were unpacked in.
        out (str | Path): The folder to write.
        annotations (str | Path, optional): Folder of the annotation files; `root` by default.
        check (bool): Open every video; those that cannot be read are left out of the lists.
        workers (int, optional): Processes that check; as many as there are cores by default.

    Returns:
        dict: The content of `counts.json`.

    Raises:
        FileNotFoundError: If `root`, the annotation files or all videos are missing.
        FileExistsError: If other videos lie where the links should.
        ValueError: For annotation files of another form or data set.
    """
    benchmark, root, out = BENCHMARKS[name], Path(root).expanduser(), Path(out).expanduser()
    backend = AtomicLocalBackend()
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder '{root}': name the one that holds {benchmark.archives}.")
    annotation = benchmark.read(Path(annotations or root).expanduser())
    check_classes(name, benchmark.title, len(annotation.classes))
    print(f'Looking for the videos of {benchmark.title} below {root} ...', flush=True)
    linked, missing, others = _link_all(benchmark, annotation, root, out)
    results = check_videos(sorted(set(linked.values())), out / 'checked.jsonl', workers) if check else {}
    counts, left_out = {}, [f'missing: {target}' for target in missing]
    left_out += [f'unreadable: {path}: {result["reason"]}' for path, result in results.items() if result['reason']]
    for part in annotation.parts:
        counts[part.list_name] = _write_list(part, linked, results if check else None, out)
    for file in annotation.files:
        copied = file.name.removesuffix('.txt') if Path(file.stem).suffix else file.name  # AVA's may be x.csv.txt
        backend.put(file.read_bytes(), out / copied)
    backend.put_text(''.join(f'{class_name}\n' for class_name in annotation.classes), out / 'label_map.txt')
    backend.put_text(''.join(f'{line}\n' for line in sorted(left_out)), out / 'left_out.txt')
    print('\n'.join(describe(name, counts)), flush=True)
    if others:
        print(f'{others} more videos below {root} are in none of these lists: a test set, copies, or videos that these '
              'annotation files do not know.', flush=True)
    return write_counts(out / 'counts.json', name, counts)


def _write_list(part: Part, linked: dict[tuple[str, str], Path], results: dict[Path, dict] | None,
                out: Path) -> ListCounts:
    """Write the list of what is there and, if that was checked (`results`), readable."""
    found = [(linked[part.folder, clip.target], clip) for clip in part.clips if (part.folder, clip.target) in linked]
    good = [(path, clip) for path, clip in found if results is None or not results[path]['reason']]
    lines = [line for path, clip in good
             for line in clip.lines or [f'{path.relative_to(out / part.folder).as_posix()} {clip.label}']]
    AtomicLocalBackend().put_text(part.header + ''.join(f'{line}\n' for line in lines), out / part.list_name)
    if results is None:
        return ListCounts(len(part.clips), len(found))
    return ListCounts(len(part.clips), len(found), len(found) - len(good),
                      sum(results[path]['truncated'] for path, _ in good))


def _link_all(benchmark: Benchmark, annotation: Annotation, root: Path,
              out: Path) -> tuple[dict[tuple[str, str], Path], list[str], int]:
    """Link every clip that is there: `{(folder, target): link}`, what is missing, and how many files are no clip's."""
    index = index_videos(root, benchmark.key, benchmark.extensions)
    clips = {(part.folder, clip.target): clip for part in annotation.parts for clip in part.clips}
    linked, missing, used = {}, [], set()
    for (folder, target), clip in show_progress(clips.items(), len(clips), 'videos linked'):
        source = _find(clip, index)
        if source is None:
            missing.append(f'{folder}/{target}')
            continue
        path = out / folder / f'{target.replace(" ", "_")}{"" if source.is_dir() else source.suffix}'
        link(source, path)
        linked[folder, target] = path
        used.add(source)
    if not linked:
        raise FileNotFoundError(f"None of the {len(clips)} annotated videos is below '{root}', for example "
                                f'{missing[0]}: name the folder that holds {benchmark.archives}.')
    return linked, missing, len(index) - len(used)


def _find(clip: Clip, index: dict[str, Path]) -> Path | None:
    return next((index[key] for key in clip.keys if key in index), None)
