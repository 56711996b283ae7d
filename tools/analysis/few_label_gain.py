"""What VIVI's pre-training wins: frames of unseen videos, with few labels and with none.

    python tools/analysis/few_label_gain.py CONFIG CHECKPOINT --out DIR
    python tools/analysis/few_label_gain.py CONFIG frames=CKPT 'VIVI(4)=CKPT' 'VIVI(4)=CKPT2' --out DIR --untrained 3

The videos are those of CONFIG's `val_dataloader`, two lists such as those of configs/mini/vivi_ex4_digits.py; VIVI (or
NAME) is the row of a checkpoint, several of one name give their mean and deviation, and as many networks as --untrained
says start from nothing. Three columns, all in %:

- fine-tuned: the whole network on the middle frames of --examples videos of the gallery with their labels, tested on
  the middle frames of all queries, mean of --runs draws of the labels (tools/transfer.py is the same in full);
- k-NN: frozen features of clips, each query told by its neighbours in the gallery;
- shots: frozen features of shots, with --shots FOLDER, which tools/data/compose_shots.py wrote of unseen clips, two
  shots a video: how many find the other shot of their video nearest, among those of ten videos of ten labels in turn.

Prints the table and writes `few_label_gain.txt` and `.json`.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import mean

import iboot_mm  # noqa: F401  (before any config is read)

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from iboot_mm.datasets import open_video
from iboot_mm.datasets.images.image_files import ImageFiles
from iboot_mm.datasets.images.tasks import draw_task, to_square
from iboot_mm.datasets.parallel import show_progress
from iboot_mm.datasets.shots.shots import read_shots
from iboot_mm.evaluation.images.few_label_training import Setting, apply
from iboot_mm.evaluation.images.frame_classifier import FrameEncoder
from iboot_mm.evaluation.images.transfer import Transfer, TransferProtocol
from iboot_mm.evaluation.metrics.base import label_names
from iboot_mm.evaluation.metrics.knn import cap_k
from iboot_mm.evaluation.protocols.comparison import encode_dataset, knn_table, pooled
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.visualization.results import spread_of

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))
from transfer import load_networks  # noqa: E402

TOGETHER = 10  # videos that a shot's other one is looked for in: compose_shots.py deals the labels in turn


def name_of(text: str) -> str:
    """A checkpoint as tools/transfer.py wants it, with the name of its row."""
    return text if '=' in text else f'VIVI={text}'


def few_labels(samples: list[dict], label: str, args: argparse.Namespace, size: int) -> list[Transfer]:
    """Fine-tuning on the middle frames of a few videos of the gallery, once for each draw of them."""
    parts = [ImageFiles([(s['filename'], s['labels'][label]) for s in samples if s['role'] == role])
             for role in ('gallery', 'query')]
    protocol = TransferProtocol((Setting(args.rate, args.steps),), runs=1, batch_size=min(64, args.examples), size=size)
    return [Transfer([draw_task(label, '', parts, args.examples, seed)], protocol, say=lambda line: None)
            for seed in range(args.runs)]


def read_pairs(folder: Path, size: int) -> Tensor:
    """Middle frames of both shots of each video, uint8 ``(M, 2, 3, size, size)``.

    Raises:
        FileNotFoundError: the folder has no shot list.
        ValueError: a video has other than two shots, or they are no whole groups of ten.
    """
    entries = list(read_shots(folder / 'true_shots.jsonl')[1].values())
    if any(len(entry['starts']) != 2 for entry in entries) or not entries or len(entries) % TOGETHER:
        raise ValueError(f'{folder} is to hold videos of two shots, ten or a multiple: compose it with --shots 2')
    pairs = []
    for entry in entries:
        ends = [*entry['starts'][1:], entry['frames']]
        with open_video(str(folder / entry['file'])) as video:
            frames = video.read([(start + end) // 2 for start, end in zip(entry['starts'], ends, strict=True)])
        pairs.append(torch.stack([to_square(torch.from_numpy(frame).permute(2, 0, 1), size) for frame in frames]))
    return torch.stack(pairs)


def found_shots(features: Tensor) -> float:
    """How many shots are nearest to the other one of their video, by cosine, in [0, 1].

    Args:
        features: ``(M, 2, D)`` of M videos, each ten in a row a group that is searched by itself.
    """
    shots = torch.nn.functional.normalize(features, dim=-1).unflatten(0, (-1, TOGETHER)).flatten(1, 2)  # (G, 20, D)
    cosines = shots @ shots.transpose(1, 2)
    cosines.diagonal(dim1=1, dim2=2).fill_(-torch.inf)
    return (cosines.argmax(-1) == torch.arange(shots.shape[1], device=shots.device) ^ 1).float().mean().item()


def chances(samples: list[dict], label: str, shots: bool) -> dict[str, float]:
    """Chance of each column, in [0, 1]."""
    chance = knn_table({}, samples)['chance'][label]
    return {'fine-tuned': chance, 'k-NN': chance} | ({'shots': 1 / (2 * TOGETHER - 1)} if shots else {})


def format_result(result: dict) -> str:
    """The table and what its columns are."""
    chance = result['table']['chance']
    width = max(map(len, result['table']))
    lines = [f"What is won, in %: {result['label']} of {result['test']} unseen videos, and shots of unseen videos",
             ' ' * width + ''.join(f'{name:>16}' for name in chance)]
    lines += [f'{row:<{width}}' + ''.join(f'{spread_of(values[name]):>16}' for name in chance)
              for row, values in result['table'].items()]
    lines += ['', f"fine-tuned: on {result['examples']} labelled frames; k-NN: frozen features of clips, "
              f"{result['gallery']} labelled videos"
              + (f';\nshots: frozen features, finds the other shot of its video among {2 * TOGETHER - 1} of {TOGETHER} '
                 'videos' if 'shots' in chance else '')]
    return '\n'.join(lines)


def measure(args: argparse.Namespace, cfg: Config) -> dict:
    """All columns of all networks; what `few_label_gain.json` holds.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: there are no labels, too few videos, or a checkpoint does not fit.
    """
    pairs = None if args.shots is None else read_pairs(args.shots, args.size)
    names = ['untrained=random'] * args.untrained + [name_of(text) for text in args.networks]
    networks = [(column, info.build_encoder().to(get_device()).eval())
                for column, _, info in load_networks(names, args.config, args.out / 'networks')]
    loader = Runner.build_dataloader(cfg.val_dataloader, seed=0)
    features, samples = encode_dataset(
        show_progress(loader, len(loader), 'batches encoded'), MODELS.build(cfg.model.data_preprocessor),
        {str(place): pooled(network) for place, (_, network) in enumerate(networks)})
    known = label_names(samples)
    label = args.label or (known[0] if known else None)
    if label not in known:
        raise ValueError(f'the videos of {args.config} have no label {label}, but {", ".join(known) or "none"}')
    counts = {role: sum(s['role'] == role for s in samples) for role in ('gallery', 'query')}
    told = knn_table(features, samples, cap_k(cfg.val_evaluator.k, counts['gallery']), cfg.val_evaluator.temperature)
    transfers = few_labels(samples, label, args, args.size)
    table = {'chance': {name: [value] for name, value in chances(samples, label, pairs is not None).items()}}
    for place, (column, network) in enumerate(networks):
        row = table.setdefault(column, {name: [] for name in table['chance']})
        row['fine-tuned'].append(mean(transfer(network)['mean'] for transfer in transfers))
        row['k-NN'].append(told[str(place)][label])
        if pairs is not None:
            encoded = apply(FrameEncoder(network, args.size), pairs.flatten(0, 1), torch.device(get_device()))
            row['shots'].append(found_shots(encoded.unflatten(0, (-1, 2))))
        print(f'{column}: ' + ', '.join(f'{name} {100 * values[-1]:.1f}' for name, values in row.items()), flush=True)
    return dict(label=label, examples=args.examples, gallery=counts['gallery'], test=counts['query'],
                rate=args.rate, steps=args.steps, runs=args.runs, networks=names, table=table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', type=Path)
    parser.add_argument('networks', nargs='+', help='[NAME=]CHECKPOINT')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--shots', type=Path, help='videos of two shots, of compose_shots.py')
    parser.add_argument('--label', help='which label; default: the first of the lists')
    parser.add_argument('--untrained', type=int, default=1, help='untrained networks')
    parser.add_argument('--examples', type=int, default=100, help='labelled frames')
    parser.add_argument('--rate', type=float, default=.03, help='learning rate (default: %(default)s)')
    parser.add_argument('--steps', type=int, default=60, help='of 64 frames at most')
    parser.add_argument('--runs', type=int, default=3, help='draws of the labelled frames')
    parser.add_argument('--size', type=int, default=48, help='side of the frames, pixels')
    args = parser.parse_args()
    init_default_scope('mmaction')
    try:
        result = measure(args, Config.fromfile(args.config))
    except (OSError, ValueError) as error:
        sys.exit(f'few_label_gain: {error}')
    text = format_result(result)
    backend = AtomicLocalBackend()
    backend.put_text(json.dumps(result, indent=1), args.out / 'few_label_gain.json')
    backend.put_text(text + '\n', args.out / 'few_label_gain.txt')
    print(text)


if __name__ == '__main__':
    main()
