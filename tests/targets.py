"""Half a dozen videos, a small teacher, and the configs that write its targets and train from them."""

from pathlib import Path

import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner

from .videos import moving_frames, write_video

TEACHER = dict(type='TimmTeacher', model='test_resnet', pretrained=False, model_args=dict(num_classes=5), input_size=32,
               name='small')
WIDTH = 96
PREPROCESSOR = dict(type='ViewPreprocessor', color_jitter=dict(brightness=.4, contrast=.4, saturation=.4, hue=.1))


def write_list(folder: Path, count: int = 6) -> Path:
    """``list.txt`` and its videos, two in a folder of their own."""
    (folder / 'sub').mkdir(parents=True, exist_ok=True)
    names = [f'{"sub/" if number > count - 3 else ""}{number}.mp4' for number in range(count)]
    for number, name in enumerate(names):
        write_video(folder / name, moving_frames(24, 40, 48, seed=number))
    (folder / 'list.txt').write_text(''.join(f'{name} {number % 3}\n' for number, name in enumerate(names)))
    return folder


def pipeline(views: int, store: Path | None = None) -> list[dict]:
    """Clips as training cuts them, with targets where there is a store."""
    targets = [] if store is None else [dict(type='LoadTargets', store=str(store))]
    return [dict(type='OpenVideo'), dict(type='SampleViews', num_views=views, clip_len=4, frame_interval=2), *targets,
            dict(type='DecodeViews'), dict(type='CropViews', size=32, short_side=(34, 40)), dict(type='PackViews')]


def dataset_config(videos: Path, views: int, store: Path | None = None) -> dict:
    """The training videos."""
    return dict(type='VideoFolder', root=str(videos), ann_file=str(videos / 'list.txt'),
                pipeline=pipeline(views, store))


def batch_of(videos: Path, views: int, seed: int, store: Path | None = None, epoch: int = 0) -> dict:
    """All videos, as a training run of that seed gets them in that epoch."""
    dataset = DATASETS.build(dataset_config(videos, views, store))
    for transform in dataset.pipeline.transforms:
        if hasattr(transform, 'set_epoch'):
            transform.set_epoch(seed, epoch)
    return pseudo_collate([dataset[index] for index in range(len(dataset))])


def writer_config(videos: Path, store: Path, work_dir: Path, clips: int = 2, **changes) -> Config:
    """Writes the targets, in batches of 2 and shards of 4."""
    return Config({**dict(
        experiment_name=str(work_dir), default_scope='mmaction', work_dir=str(work_dir), randomness=dict(seed=0),
        custom_imports=dict(imports=['iboot_mm']),
        model=dict(type='TeacherEncoder', teacher=TEACHER, data_preprocessor=PREPROCESSOR, augment=True),
        test_dataloader=dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                             dataset=dataset_config(videos, clips)),
        test_cfg=dict(type='TargetLoop', store=str(store), shard_size=4), test_evaluator=[],
        custom_hooks=[dict(type='UnreadableVideosHook', max_share=.5)],
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])), **changes})


def write_targets(videos: Path, store: Path, clips: int = 2, **changes) -> Runner:
    """Writes them in this process; ``changes`` are the config's."""
    runner = Runner.from_cfg(writer_config(videos, store, store.with_name(f'{store.name}_run'), clips, **changes))
    runner.test()
    return runner


def rounded(features: torch.Tensor) -> torch.Tensor:
    """What float16 leaves of features."""
    return features.half().float()
