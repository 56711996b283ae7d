"""A data set and an encoder small enough for a test run in a second; configs import them as custom imports."""

import math
from collections import Counter

import torch
from mmaction.registry import DATASETS, METRICS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils.data import Dataset

import iboot_mm  # noqa: F401  (processes of a test may import nothing else)

WIDTH = 6


@DATASETS.register_module(force=True)
class ToyFeatures(Dataset):
    """Views ``(V, WIDTH)`` around the corner of their class; the video ``unreadable`` is not what it says."""

    metainfo: dict = {}

    def __init__(self, role: str, length: int, views: int = 1, unreadable: int | None = None, seed: int = 0,
                 root: str = '') -> None:
        self.role, self.length, self.views, self.unreadable, self.seed = role, length, views, unreadable, seed
        self.root = root or role

    def full_init(self) -> None:
        """mmengine's concatenation calls it."""

    def __len__(self) -> int:
        return self.length

    def get_data_info(self, index: int) -> dict:
        return dict(filename=f'{self.root}/{index}.mp4', labels=dict(label=index % 3))

    def __getitem__(self, index: int) -> dict:
        info = self.get_data_info(index)
        generator = torch.Generator().manual_seed(1000 * self.seed + index + 500 * (self.role == 'query'))
        views = torch.eye(WIDTH)[index % 3] + .5 * torch.randn(self.views, WIDTH, generator=generator)
        replaced = index == self.unreadable
        sample = ActionDataSample()
        sample.set_metainfo(dict(info, role=self.role, replaced=replaced, sample_idx=index,
                                 unreadable=[(info['filename'], 'broken')] if replaced else []))
        return dict(inputs=views, data_samples=sample)


@MODELS.register_module(force=True)
class ToyEncoder(BaseModel):
    """A linear map of the views."""

    def __init__(self, gives: str = 'view_features') -> None:
        super().__init__()
        self.map = nn.Linear(WIDTH, 4, bias=False)
        nn.init.normal_(self.map.weight, generator=torch.Generator().manual_seed(0))
        self.gives = gives
        self.patience = math.inf  # batches until the user loses it
        self.seen: list[tuple[str, int]] = []

    def forward(self, inputs: list[Tensor], data_samples: list[ActionDataSample], mode: str) -> list:
        if not self.patience:
            raise KeyboardInterrupt
        self.patience -= 1
        self.seen += [(sample.role, sample.sample_idx) for sample in data_samples]
        for sample, views in zip(data_samples, self.map(torch.stack(inputs))):
            sample.set_field(views, self.gives)
            sample.feature = views.mean(0)
        return data_samples


@METRICS.register_module(force=True)
class NamesMetric(BaseMetric):
    """How many queries lie in which folder."""

    def process(self, data_batch: dict, data_samples: list[dict]) -> None:
        self.results += [sample['filename'].split('/')[0] for sample in data_samples if sample['role'] == 'query']

    def compute_metrics(self, results: list[str]) -> dict:
        return {folder: float(count) for folder, count in Counter(results).items()}


def feature_config(work_dir: str, store: str, gallery: dict | None = None, query: dict | None = None,
                   **changes) -> dict:
    """A whole config of a test run on stored features: 11 gallery and 6 query videos in batches of 2."""
    parts = [dict(type='ToyFeatures', role='gallery', **{'length': 11, **(gallery or {})}),
             dict(type='ToyFeatures', role='query', **{'length': 6, **(query or {})})]
    config = dict(
        experiment_name=str(work_dir), default_scope='mmaction', work_dir=str(work_dir),
        custom_imports=dict(imports=['iboot_mm', 'tests.engine.toy_features']),
        model=dict(type='ToyEncoder'),
        test_dataloader=dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                             dataset=dict(type='ConcatDataset', datasets=parts)),
        test_cfg=dict(type='FeatureLoop', store=str(store), shard_size=4),
        test_evaluator=[dict(type='KNNMetric', k=5), dict(type='VideoRetrievalMetric', topk=(1, 5))],
        default_hooks=dict(timer=dict(type='IterTimerHook'), logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=[dict(type='UnreadableVideosHook', max_share=.5, interval=1)],
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]))
    return {**config, **changes}
