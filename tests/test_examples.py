"""What the pages show runs."""

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from .pages import ROOT, snippet
from .videos import moving_frames, write_video

DOCS = ROOT / 'docs'


def test_a_config_of_ones_own_videos(tmp_path):
    videos = tmp_path / 'videos/nested'
    videos.mkdir(parents=True)
    write_video(videos / 'a.mp4', moving_frames(70))
    text = snippet(DOCS / 'your_videos.md', "_base_ = './configs/")
    text = text.replace('./configs', f'{ROOT}/configs').replace('/data/my_videos', str(tmp_path / 'videos'))
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
    exec(snippet(DOCS / 'teachers.md', 'teacher = dict('), namespace)
    teacher = MODELS.build(dict(namespace['teacher'], pretrained=False))
    assert teacher.width == 1280
    assert teacher(torch.rand(1, 3, 1, 32, 32)).shape == (1, 1, 1280)
