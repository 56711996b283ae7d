"""Every entry of the project that takes a file, as a function of the file; and what each must answer to a bad one."""

import os
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from torch import nn

import iboot_mm
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.models.teachers.open_clip import load_image_tower
from iboot_mm.models.teachers.text import load_text_tower

from .scripts import load_tool

SLOW = dict(type='SlowResNet', depth=18, base_channels=8)
STOCK = dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False)
MEGABYTES = 1500  # that an answer may take beyond what was there


def evaluate(path: Path, out: Path) -> None:
    """``tools/evaluate.py`` up to the commands that it runs; those run the config that it wrote."""
    tool, runs = load_tool('evaluate'), load_tool('evaluation_runs')
    videos = Path(path).parents[1] / 'videos'
    out.mkdir(exist_ok=True)
    videos.mkdir(exist_ok=True)
    for i in range(4):
        (videos / f'{i}.mp4').touch()
    lists = [out / 'train.txt', out / 'test.txt']
    for file in lists:
        file.write_text(''.join(f'{i}.mp4 {i % 2}\n' for i in range(4)))
    original, arguments = runs.run, sys.argv
    runs.run = lambda command, *_, **__: Config.fromfile(command[2]) and sys.exit(f'{path} ran')
    sys.argv = ['evaluate.py', str(path), '--protocols', 'knn,finetune', '--out', str(out), '--processes', '1',
                '--videos', str(videos), '--lists', *map(str, lists)]
    try:
        tool.main()
    finally:
        runs.run, sys.argv = original, arguments


def command(name: str, *after: str) -> Callable[[Path, Path], None]:
    """A tool called with the file, and ``{out}`` for a place to write to."""
    def call(path: Path, out: Path) -> None:
        before = sys.argv
        sys.argv = [name, *(part.format(path=path, out=out) for part in after)]
        try:
            load_tool(name).main()
        finally:
            sys.argv = before
    return call


def network(config: dict) -> Callable[[Path, Path], None]:
    """A network whose config names the file as ``FILE``."""
    def call(path: Path, out: Path) -> None:
        filled = {key: str(path) if value == 'FILE' else value for key, value in config.items()}
        if 'init_cfg' in filled:
            filled['init_cfg'] = dict(filled['init_cfg'], checkpoint=str(path))
        built = MODELS.build(filled)
        if isinstance(built, nn.Module):
            built.init_weights()
    return call


WEIGHTS = dict(
    load=lambda path, out: iboot_mm.load(path, device='cpu'),
    evaluate=evaluate,
    publish=command('convert/publish', '{path}', '{out}'),
    export_hub=command('convert/export_hub', '{path}', '{out}'),
    pyslowfast=command('convert/pyslowfast', '{path}', '{out}/x.pth'),
    pyslowfast_reverse=command('convert/pyslowfast', '--reverse', '{path}', '{out}/x.pyth'),
    search_videos=command('search_videos', 'a dog', '{out}', '--checkpoint', '{path}', '--store', '{out}/store'),
    transfer=lambda path, out: [info.build_encoder() for *_, info in load_tool('transfer').load_networks(
        [str(path)], None, out)],
    export_onnx=lambda path, out: describe_checkpoint(path).build_encoder(),  # then torch's exporter
    load_from=lambda path, out: load_checkpoint(
        MODELS.build(dict(type='VideoEncoder', backbone=STOCK)), str(path)),
    init_cfg=network(dict(SLOW, init_cfg=dict(type='Pretrained'))),
    pretrained=network(dict(SLOW, pretrained='FILE', pretrained2d=False)),
    inflated=network(dict(SLOW, pretrained='FILE')),
    stock_pretrained=network(dict(STOCK, pretrained='FILE', pretrained2d=False)),
    timm_teacher=network(dict(type='TimmTeacher', model='test_resnet', checkpoint='FILE')),
    mmpretrain_teacher=network(dict(type='MMPretrainTeacher', checkpoint='FILE', input_size=32,
                                    model=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8))),
    open_clip_teacher=lambda path, out: load_image_tower(nn.Linear(2, 2), Path(path)),
    text_tower=lambda path, out: load_text_tower(nn.Linear(2, 2), Path(path)),
)


def memory() -> float:
    """The most that this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def answer(entry: Callable[[Path, Path], object], path: Path, out: Path) -> str:
    """What an entry says to a file: nothing where it takes it.

    Raises:
        AssertionError: it is no single sentence that names the file, it advises to run the file, or took too much.
    """
    before = memory()
    try:
        entry(path, out)
        said = ''
    except (Exception, SystemExit) as error:
        said, kind = str(error), type(error).__name__
        names = {path.name, path.parent.name, *(file.name for file in path.iterdir())} if path.is_dir() else {path.name}
        assert isinstance(error, (OSError, ValueError, RuntimeError, SystemExit)), f'{kind}: {said[:300]}'
        assert not re.search(r'weights_only|Traceback', said), f'{kind}: {said[:300]}'
        assert said and '\n' not in said.strip() and len(said) < 4000, f'{kind}: {said[:500]!r}'
        assert any(name in said for name in names), f'no file is named by {kind}: {said[:300]}'
    assert memory() - before < MEGABYTES, f'{memory() - before:.0f} MB'
    return said


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of everything below a folder."""
    return {os.path.join(place, name): (os.lstat(os.path.join(place, name)).st_size,
                                        os.lstat(os.path.join(place, name)).st_mtime_ns)
            for place, folders, files in os.walk(folder) for name in [*folders, *files]}
