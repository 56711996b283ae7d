"""What ``iboot-mm`` can: each command is one of the project's tools, and its arguments are that tool's."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        script: The tool, below ``tools/``.
        what: What it does, in a line.
        usage: Its arguments, the common ones.
        examples: Command lines, without ``iboot-mm``.
        takes_config: Whether a config of the package may be named instead of a file, before any option.
        launcher: The shell script that runs the tool in several processes (``--gpus N``), below ``tools/``.
    """

    script: str
    what: str
    usage: str
    examples: tuple[str, ...]
    takes_config: bool = False
    launcher: str = ''


COMMANDS = {
    'pretrain': Command(
        'pretrain.py', 'train a network on a folder of videos, without labels', 'VIDEOS [--out DIR] [--teacher NAME] '
        '[--checkpoint FILE] [--method METHOD] [--lists TRAIN TEST] [--epochs N]',
        ('pretrain my_videos/ --out run --teacher clip_vit_b16', 'pretrain my_videos/ --out run_byol --method byol')),
    'train': Command(
        'train.py', 'train a config, on one GPU or --gpus N',
        'CONFIG [--gpus N] [--work-dir DIR] [--resume] [--cfg-options KEY=VALUE ...]',
        ('train iboot_r50_clip_k400 --gpus 8 --work-dir run --resume', 'train my_config.py'), True, 'dist_train.sh'),
    'test': Command(
        'test.py', 'test a checkpoint with a config', 'CONFIG CHECKPOINT [--gpus N] [--work-dir DIR]',
        ('test my_config.py run/epoch_20.pth', ), True, 'dist_test.sh'),
    'evaluate': Command(
        'evaluate.py', 'k-NN, linear, fine-tuning, retrieval, and a page of results',
        'CHECKPOINT --out DIR [--protocols NAMES] [--videos DIR --lists TRAIN TEST] | --list',
        ('evaluate run/epoch_200.pth --protocols knn,linear,ucf101 --out results',
         'evaluate run --protocols knn --videos my_videos/ --lists train.txt test.txt --out results')),
    'extract': Command(
        'extract.py', "write a folder's features to a file", 'CHECKPOINT VIDEOS --out FILE.npz [--clips N]',
        ('extract run my_videos/ --out features.npz', )),
    'search': Command(
        'search_videos.py', 'find videos by words', 'SENTENCE VIDEOS --checkpoint CHECKPOINT [--top N]',
        ("search 'someone plays the violin' my_videos/ --checkpoint run", )),
    'export': Command(
        'convert/export_hub.py', 'a folder for the hub, or FILE.onnx', 'CHECKPOINT FOLDER | CHECKPOINT FILE.onnx',
        ('export run my_network/', 'export run network.onnx')),
    'publish': Command(
        'convert/publish.py', 'a backbone to give away, for stock MMAction2', 'CHECKPOINT FOLDER',
        ('publish run/epoch_20.pth published/', )),
    'prepare': Command(
        'data/prepare.py', 'lists of Kinetics, UCF101, HMDB51, SSv2, ... from their archives',
        'DATASET ARCHIVES [--check]', ('prepare ucf101 /archives/ucf101', )),
    'shots': Command(
        'data/find_shots.py', 'find where the shots of videos begin and end (for VIVI)', 'VIDEOS --out FILE.jsonl',
        ('shots my_videos/ --out shots.jsonl', )),
    'resize': Command(
        'data/resize_videos.py', 'smaller copies of videos, quicker to read', 'VIDEOS OUT [--short-side PIXELS]',
        ('resize my_videos/ small_videos/', )),
    'dry-run': Command(
        'analysis/dry_run.py', 'memory, time and largest batch of a config on a GPU that is not here',
        'CONFIG --gpus N --gpu NAME', ('dry-run iboot_r50_clip_k400 --gpus 8 --gpu a100-80', ), True),
    'report': Command(
        'analysis/report.py', 'one page on a run, to look at', 'RUN', ('report run', )),
}


def overview() -> str:
    """What ``iboot-mm --help`` prints."""
    lines = ['usage: iboot-mm COMMAND ...', '', 'Pre-trains video networks without labels, from frozen image models.',
             '']
    lines += [f'  {name:9} {command.what}' for name, command in COMMANDS.items()]
    lines += ["  configs   list, show and copy the package's configs", '',
              'for example:', f'  iboot-mm {COMMANDS["pretrain"].examples[0]}', '',
              'iboot-mm COMMAND --help says more, iboot-mm --version which one this is.']
    return '\n'.join(lines)


def short_help(name: str) -> str:
    """What ``iboot-mm NAME --help`` prints."""
    command = COMMANDS[name]
    return '\n'.join([f'usage: iboot-mm {name} {command.usage}', '', f'{command.what[0].upper()}{command.what[1:]}.',
                      '', 'for example:', *(f'  iboot-mm {line}' for line in command.examples), '',
                      f'Every option: iboot-mm {name} --help-all'])
