"""Write one self-contained HTML page on a run.

    python tools/analysis/report.py work_dirs/RUN

needs the run's log and `knn_table.json`, which tools/analysis/knn_table.py writes; makes `work_dirs/RUN/report.html`.
What `tools/analysis/dry_run.py --out work_dirs/RUN` found is shown, too.
"""

import argparse
import json
import sys
import traceback
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.config import Config
from mmengine.registry import init_default_scope

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.environment import versions
from iboot_mm.visualization import build_report, read_scalars, read_thumbnail
from iboot_mm.visualization.looks import draw_looks
from iboot_mm.visualization.scalars import scalar_files


def class_names(cfg: Config) -> dict[str, list[str]]:
    """Names of the classes, where a gallery's root has a `metadata.json` with them."""
    for dataset in cfg.get('knn_dataloader', cfg.val_dataloader).dataset.get('datasets', []):
        file = Path(dataset.get('root', '')) / 'metadata.json'
        if file.is_file():
            return json.loads(file.read_text()).get('labels', {})
    return {}


def newest_config(work_dir: Path) -> Path:
    """The config that the run left in its folder, the newest if there are several."""
    found = sorted(work_dir.glob('*.py'), key=lambda file: file.stat().st_mtime)
    if not found:
        sys.exit(f'{work_dir} holds no config: name it with --config')
    return found[-1]


def read_results(file: Path) -> dict:
    """`knn_table.json`, in which a network that lies in its folder is found wherever that has been moved to."""
    results = json.loads(file.read_text())
    also = {name: str(file.parent / checkpoint) for name, checkpoint in results.get('also', {}).items()}
    return results | dict(checkpoint=str(file.parent / results['checkpoint']), also=also)


def roots(dataset: dict) -> list[str]:
    """The folders of a data set, through wrappers such as `ConcatDataset`."""
    parts = [*dataset.get('datasets', []), *([dataset['dataset']] if 'dataset' in dataset else [])]
    found = [root for part in parts for root in roots(part)] or [str(dataset.get('root') or 'a folder not named')]
    return list(dict.fromkeys(found))


def summary(results: dict, cfg: Config) -> list[str]:
    """What was trained on what, and when this was written."""
    teacher = ' and '.join(f"{t['model']} ({t['width']}-d)" for t in results['teachers'])
    source = f'Teacher: {teacher}, frozen.' if teacher else f'Method: {list(results["table"])[-1]}, without a teacher.'
    return [f"{cfg.model.backbone.type} of {results['parameters'] / 1e6:.2f} M trained parameters: "
            f'{cfg.train_cfg.max_epochs} epochs on the videos of {" and ".join(roots(cfg.train_dataloader.dataset))} '
            f'without their labels. {source}', f'Written {datetime.now():%Y-%m-%d %H:%M}.']


def looks(results: dict, config: Path, count: int = 3) -> list[str] | str:
    """Pictures of the first queries, or the sentence that says why there are none: the page must not fail for them."""
    try:
        info = describe_checkpoint(results['checkpoint'], config)
        pictures = draw_looks(info, [entry['query']['filename'] for entry in results['neighbors'][:count]])
    except (ConnectionError, OSError, ValueError) as error:
        return f'No maps were drawn: {error}'
    except Exception as error:  # noqa: BLE001  (of whatever network and teacher it is)
        traceback.print_exc()
        return f'No maps were drawn: {type(error).__name__}: {error}'
    return pictures or 'No maps were drawn: none of the queries\' videos can be read.'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dir', type=Path)
    parser.add_argument('--config', help='default: the newest config that the run left in its folder')
    parser.add_argument('--title', help='default: what the network learned from')
    args = parser.parse_args()
    results_file = args.work_dir / 'knn_table.json'
    if not results_file.is_file():
        sys.exit(f'{results_file} is missing: write it with tools/analysis/knn_table.py')
    results = read_results(results_file)
    config = Path(args.config or newest_config(args.work_dir))
    cfg = Config.fromfile(config)
    init_default_scope('mmaction')
    title = args.title or ('iBoot-MM: what a video network learned from '
                           + ('an image model' if results['teachers'] else 'videos alone'))
    try:
        curves = read_scalars(scalar_files(args.work_dir))
        others = {name: read_scalars(files) for name, checkpoint in results['also'].items()
                  if (files := scalar_files(Path(checkpoint).parent))}  # a file from elsewhere has no log beside it
    except (OSError, ValueError) as error:
        sys.exit(f'report: {error}')
    dry_run = args.work_dir / 'dry_run.json'
    page = build_report(title, summary(results, cfg), results, curves, cfg.pretty_text, versions(),
                        cache(read_thumbnail), class_names(cfg), others, looks(results, config),
                        json.loads(dry_run.read_text()) if dry_run.is_file() else None,
                        partial(read_thumbnail, num_frames=1))
    out = args.work_dir / 'report.html'
    AtomicLocalBackend().put_text(page, out)
    print(f'{out}: {len(page) / 1e6:.1f} MB')


if __name__ == '__main__':
    main()
