"""What AdViSe's pre-training wins: fine-tuning on labels with and without it, beside the image model's own average.

    python tools/analysis/finetuning_gain.py CONFIG CHECKPOINT --out DIR [--label NAME --shares 1 .1 --steps 300]

CONFIG is one of stored tokens whose `knn_dataloader` names two lists, such as configs/mini/advise_tmm_digits_cached.py:
the gallery is trained on, the queries are tested. Each fine-tuning is that of configs/mini/downstream/
advise_finetune_digits.py, with more passes over short lists: --steps at least. Prints the table, and below it how many
rates of unseen clips the checkpoint tells and, from DIR/knn_table.json if that is there, k-NN of its frozen features;
writes `finetuning_gain.txt` and `.json`.
"""

import argparse
import copy
import json
import sys
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from iboot_mm.datasets.listing import locate, parse_list
from iboot_mm.stores.atomic_files import AtomicLocalBackend

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS / 'data'))
from make_subset import make as make_subset  # noqa: E402

RECIPE = TOOLS.parent / 'configs/mini/downstream/advise_finetune_digits.py'
ROWS = ("tokens' average", 'from scratch', 'after pre-training')


def lists_of(pretraining: Config) -> dict[str, dict]:
    """Role to root, list and label names of the config's two lists.

    Raises:
        ValueError: it has no lists.
    """
    parts = {part.role: {key: part[key] for key in ('root', 'ann_file', 'label_names') if part.get(key)}
             for part in pretraining.knn_dataloader.dataset.datasets}
    if not all('ann_file' in part for part in parts.values()):
        raise ValueError('fine-tuning needs labels: a config whose knn_dataloader names lists')
    return parts


def find_list(part: dict) -> Path:
    """The file of a list, which may lie below its root."""
    return Path(locate(part['ann_file'], part['root']))


def read_labels(part: dict, label: str | None) -> tuple[str, list[int]]:
    """The label's name (the last column by default) and its classes, of each line.

    Raises:
        ValueError: the list has none of that name.
    """
    entries = parse_list(str(find_list(part)), part.get('label_names'))
    names = list(entries[0][1])
    label = label or (names[-1] if names else None)
    if label not in names:
        raise ValueError(f'{find_list(part)} has no label {label}, but {", ".join(names) or "none"}')
    return label, [values[label] for _, values in entries]


def finetuning(pretraining: Config, row: str, label: str, num_classes: int, train: dict, test: dict,
               steps: int) -> Config:
    """Config of one fine-tuning; of the pre-training it takes image model, tokens and temporal module."""
    cfg = Config.fromfile(RECIPE)
    tokens = pretraining.train_dataloader.dataset.pipeline[0]
    interval = pretraining.knn_pipeline[1].frame_interval
    for loader, part in (('train_dataloader', train), ('val_dataloader', test)):
        dataset = cfg[loader].dataset
        dataset.pop('label_names', None)
        dataset.update(part)
        dataset.pipeline[0] = copy.deepcopy(tokens)
        dataset.pipeline[1].frame_interval = interval
        dataset.pipeline[3].label = label
    cfg.model.backbone = copy.deepcopy(pretraining.model.backbone)
    cfg.model.cls_head.num_classes = num_classes
    if row == ROWS[0]:
        cfg.model.backbone.temporal = None
        cfg.model.cls_head.in_channels = cfg.model.backbone.get('channels') or cfg.model.backbone.stored_width
    videos = len(parse_list(str(find_list(train)), train.get('label_names')))
    batch = min(cfg.train_cfg.global_batch, 1 << max((videos // 4).bit_length() - 1, 0))  # 4 steps an epoch at least
    epochs = max(cfg.train_cfg.max_epochs, -(-steps // (videos // batch)))
    cfg.train_cfg.update(global_batch=batch, max_epochs=epochs, val_interval=epochs)
    cfg.param_scheduler[-1].end = epochs
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.logger.interval = 10000
    return cfg


def run(cfg: Config, name: str, out: Path, seed: int, weights: Path | None) -> float:
    """Trains and returns top-1 in [0, 1]."""
    cfg.update(work_dir=str(out / 'finetuning'), experiment_name=name.replace(' ', '_').replace("'", ''),
               load_from=str(weights) if weights else None, randomness=dict(seed=seed), log_level='WARNING')
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner.message_hub.get_scalar('val/acc/top1').current()


def told_rates(pretraining: Config, checkpoint: Path, out: Path) -> dict[str, float]:
    """Accuracy and chance on the clips of the pre-training's own test."""
    cfg = copy.deepcopy(pretraining)
    cfg.update(work_dir=str(out / 'finetuning'), experiment_name='rates', load_from=str(checkpoint),
               log_level='WARNING')
    figures = Runner.from_cfg(cfg).test()
    return {name: figures[f'rate/{name}'] for name in ('top1', 'chance')}


def format_result(result: dict) -> str:
    """The table and the lines below it, in percent."""
    heads = [f'{"all" if share == 1 else f"{share:.0%}:"} {count}' for share, count in result['train'].items()]
    width = max(map(len, result['table']))
    lines = [f"Fine-tuned to tell {result['label']}, top-1 in % of {result['test']} unseen videos",
             ' ' * width + ''.join(f'{head:>12}' for head in heads)]
    lines += [f'{row:<{width}}' + ''.join(f'{100 * value:12.1f}' for value in values)
              for row, values in result['table'].items()]
    rates = result['rates']
    lines += ['', f"Rates of unseen clips, from pre-training alone: {100 * rates['top1']:.1f} (chance "
              f"{100 * rates['chance']:.1f})"]
    if result['knn']:
        told = '; '.join(f'{row} ' + ', '.join(f'{name} {100 * value:.1f}' for name, value in scores.items())
                         for row, scores in result['knn'].items())
        lines.append(f'k-NN of frozen features: {told}')
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--label', help="which of the lists' labels; default: the last")
    parser.add_argument('--shares', type=float, nargs='+', default=[1., .1], help='of the labels of each class')
    parser.add_argument('--steps', type=int, default=300, help='fewest of a fine-tuning')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    init_default_scope('mmaction')
    pretraining = Config.fromfile(args.config)
    try:
        parts = lists_of(pretraining)
        label, train_classes = read_labels(parts['gallery'], args.label)
        _, test_classes = read_labels(parts['query'], label)
        lists = {}
        for share in args.shares:
            part = dict(parts['gallery'])
            if share != 1:
                file = args.out / f'finetuning_{share:g}.txt'
                make_subset(find_list(part), file, share, args.seed, part.get('label_names'), label)
                part['ann_file'] = str(file.resolve())
            lists[share] = part
    except (OSError, ValueError) as error:
        sys.exit(f'finetuning_gain: {error}')
    num_classes = max(train_classes + test_classes) + 1
    commonest = max(set(train_classes), key=train_classes.count)
    table = {'chance': [test_classes.count(commonest) / len(test_classes)] * len(lists), **{row: [] for row in ROWS}}
    counts = {share: len(read_labels(part, label)[1]) for share, part in lists.items()}
    for share, part in lists.items():
        for row in ROWS:
            cfg = finetuning(pretraining, row, label, num_classes, part, parts['query'], args.steps)
            weights = args.checkpoint if row == ROWS[-1] else None
            table[row].append(run(cfg, f'{row} {share:g} seed {args.seed}', args.out, args.seed, weights))
            print(f'{row}, {counts[share]} labelled videos: {100 * table[row][-1]:.1f}', flush=True)
    stored = args.out / 'knn_table.json'
    knn = json.loads(stored.read_text())['table'] if stored.is_file() else {}
    result = dict(label=label, train=counts, test=len(test_classes), table=table, seed=args.seed,
                  rates=told_rates(pretraining, args.checkpoint, args.out),
                  knn={row: scores for row, scores in knn.items() if row in ('teacher', 'AdViSe')})
    AtomicLocalBackend().put_text(json.dumps(result, indent=1), args.out / 'finetuning_gain.json')
    AtomicLocalBackend().put_text(format_result(result) + '\n', args.out / 'finetuning_gain.txt')
    print('\n' + format_result(result))


if __name__ == '__main__':
    main()
