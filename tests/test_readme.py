"""What README.md shows is there and runs."""

import re
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from .videos import moving_frames, write_video

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'model_cards').glob('*.md')),
         *sorted((ROOT / 'configs').glob('*/README.md')), ROOT / 'tools/data/README.md']
README = PAGES[0].read_text()


def snippet(start: str) -> str:
    return next(block for block in re.findall(r'```python\n(.*?)```', README, re.S) if block.startswith(start))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page):
    text = page.read_text()
    links = [link.split('#')[0] for link in re.findall(r'\]\(([^)]+)\)', text) if not link.startswith('http')]
    named = re.findall(r'`((?:configs|tools|tests|iboot_mm|model_cards)/[\w./]+)`', text)
    named += re.findall(r'(?:^|\s)((?:configs|tools|benchmarks)/[\w./]+\.(?:py|sh))', text)  # in commands
    missing = [link for link in links if not (page.parent / link).exists()]
    # MMAction2's own folder of the same name is meant in one place.
    missing += [name for name in named if not (ROOT / name).exists() and name != 'tools/data/kinetics']
    assert not missing


def test_every_file_of_the_ablations_page_exists_and_is_named():
    folder = ROOT / 'configs/ablations'
    named = re.findall(r'`(table\w+\.py)`', (folder / 'README.md').read_text())
    assert sorted(named) == sorted(path.name for path in folder.glob('*.py'))


def test_a_config_of_ones_own_videos(tmp_path):
    videos = tmp_path / 'videos/nested'
    videos.mkdir(parents=True)
    write_video(videos / 'a.mp4', moving_frames(70))
    text = snippet("_base_ = './configs/").replace('./configs', f'{ROOT}/configs').replace('/data/my_videos',
                                                                                         str(tmp_path / 'videos'))
    (tmp_path / 'my_videos.py').write_text(text)
    cfg = Config.fromfile(tmp_path / 'my_videos.py')
    init_default_scope('mmaction')
    assert DATASETS.build(cfg.train_dataloader.dataset)[0]['inputs'].shape == (3, 3, 8, 224, 224)
    cfg.model.teacher, cfg.model.feature_dim = dict(type='PatchMeanTeacher'), 128
    cfg.model.backbone.base_channels = 4
    cfg.update(work_dir=str(tmp_path / 'run'), log_level='ERROR', experiment_name='own_videos')
    runner = Runner.from_cfg(cfg)  # checks that nothing of the validation is left over
    assert runner.val_loop is None and runner.test_loop is None


def test_a_teacher_of_ones_own():
    namespace: dict = {}
    exec(snippet('teacher = dict('), namespace)
    teacher = MODELS.build(dict(namespace['teacher'], pretrained=False))
    assert teacher.width == 1280
    assert teacher(torch.rand(1, 3, 1, 32, 32)).shape == (1, 1, 1280)
