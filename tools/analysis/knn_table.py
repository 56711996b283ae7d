"""k-NN of raw pixels, the untrained network, the teacher if there is one and the trained network on a config's videos.

    python tools/analysis/knn_table.py CONFIG CHECKPOINT --out work_dirs/RUN
    python tools/analysis/knn_table.py CONFIG CHECKPOINT --out work_dirs/RUN --also rho-BYOL CONFIG2 CHECKPOINT2

Videos and clips are those of the first config's val_dataloader (AdViSe's: knn_dataloader) for all rows. Prints the
table and writes it to `knn_table.txt`; `knn_table.json`, which tools/analysis/report.py reads, holds the table, for a
dozen queries the nearest neighbours by the trained network's features, and the places of all videos on a map of them
(two principal components; 5000 points at most). The trained network is the last row, whatever its method.
`--tsne motion` also draws the queries' features in the plane, a panel for each row and a colour for each class of that
label (`tsne_motion.png`).
"""

import argparse
import io
import json
import os
import sys
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, load_checkpoint

from iboot_mm.datasets.parallel import show_progress
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.evaluation.protocols.comparison import (
    Encoder,
    comparison_encoders,
    encode_dataset,
    find_neighbors,
    knn_table,
    teachers_of,
)
from iboot_mm.evaluation.metrics.knn import cap_k
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.models.losses.views import spread
from iboot_mm.models.encoders.video import VideoEncoder
from iboot_mm.visualization.plane import map_points
from iboot_mm.visualization.tsne import draw_tsne


def format_table(table: dict[str, dict[str, float]], k: int) -> str:
    """The table as text, in percent."""
    names = list(table['chance'])
    if not names:
        return 'No labels, hence no k-NN accuracy: see the neighbours in the report.'
    width = max(map(len, table))
    head = [name if name != 'label' else 'accuracy' for name in names]
    lines = [f'Weighted k-NN (k = {k}), top-1 in %', ' ' * width + ''.join(f'{name:>12}' for name in head)]
    lines += [f'{row:<{width}}' + ''.join(f'{100 * scores[name]:12.1f}' for name in names)
              for row, scores in table.items()]
    return '\n'.join(lines)


def load_networks(args: argparse.Namespace, cfg: Config) -> tuple[VideoEncoder, dict[str, Encoder]]:
    """The config's model with its weights, and what the table compares.

    Raises:
        FileNotFoundError: another network's checkpoint or config is missing.
        ValueError: they do not agree, or two rows would have one name.
    """
    backbone = cfg.model.backbone
    if 'knn_dataloader' in cfg:  # AdViSe's: a recognizer of playback rates, of which only the backbone counts
        info = describe_checkpoint(args.checkpoint, args.config)
        model, backbone = info.build_encoder(), info.backbone
    else:
        model = MODELS.build(cfg.model)
        load_checkpoint(model, args.checkpoint, map_location='cpu', strict=True)
    model.to(get_device()).eval()
    also = {name: describe_checkpoint(checkpoint, config).build_encoder().to(get_device())
            for name, config, checkpoint in args.also}
    return model, comparison_encoders(model, backbone, also=also)


def place_of(file: str | Path, folder: Path) -> str:
    """A file's path from a folder that it lies in, which may be moved with it; elsewhere its absolute path."""
    file, folder = Path(os.path.abspath(file)), Path(os.path.abspath(folder))
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--out', type=Path, required=True, help='folder for knn_table.json')
    parser.add_argument('--also', nargs=3, action='append', default=[], metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
                        help='another trained network and the name of its row')
    parser.add_argument('--queries', type=int, default=12, help='queries whose neighbours are looked up')
    parser.add_argument('--tsne', metavar='LABEL', help='draw the features, coloured by this label')
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    init_default_scope('mmaction')
    try:
        model, encoders = load_networks(args, cfg)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f'knn_table: {error}')
    dataloader, knn = (cfg.get(f'knn_{part}', cfg[f'val_{part}']) for part in ('dataloader', 'evaluator'))
    loader = Runner.build_dataloader(dataloader, seed=0)
    features, samples = encode_dataset(show_progress(loader, len(loader), 'batches encoded'), model.data_preprocessor,
                                       encoders)
    counts = {role: sum(s['role'] == role for s in samples) for role in ('gallery', 'query')}
    k = cap_k(knn.k, counts['gallery'])
    try:
        table = knn_table(features, samples, k, knn.temperature)
    except ValueError as error:
        sys.exit(f'knn_table: {error}')
    result = dict(
        table=table, k=k, counts=counts, checkpoint=place_of(args.checkpoint, args.out),
        teachers=[teacher.identity() for teacher in teachers_of(model)],
        also={name: place_of(checkpoint, args.out) for name, _, checkpoint in args.also},
        parameters=sum(p.numel() for p in model.backbone.parameters()),
        spread={name: spread(encoded).item() for name, encoded in features.items()},
        neighbors=find_neighbors(features[list(encoders)[-1]], samples, args.queries),
        map=map_points(features[list(encoders)[-1]], samples))
    AtomicLocalBackend().put_text(json.dumps(result, indent=1), args.out / 'knn_table.json')
    text = (f"{counts['query']} queries in a gallery of {counts['gallery']} videos\n"
            + format_table(table, k))
    AtomicLocalBackend().put_text(text + '\n', args.out / 'knn_table.txt')
    print(text)
    if args.tsne:
        queries = [place for place, sample in enumerate(samples) if sample['role'] == 'query']
        if any(args.tsne not in samples[place]['labels'] for place in queries):
            sys.exit(f'knn_table: the videos have no label {args.tsne!r}, but {list(samples[queries[0]]["labels"])}')
        try:
            figure = draw_tsne({name: encoded[queries] for name, encoded in features.items()},
                               [samples[place]['labels'][args.tsne] for place in queries])
        except (ModuleNotFoundError, ValueError) as error:
            sys.exit(f'knn_table: {error}')
        figure.savefig(buffer := io.BytesIO(), format='png', dpi=150)
        AtomicLocalBackend().put(buffer.getvalue(), args.out / f'tsne_{args.tsne}.png')
        print(args.out / f'tsne_{args.tsne}.png')


if __name__ == '__main__':
    torch.set_grad_enabled(False)
    main()
