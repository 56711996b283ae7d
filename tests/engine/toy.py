"""A model, a dataset and a config small enough to train in a second; imported by configs as ``tests.engine.toy``.

The normalisation is a GroupNorm, which does not mix samples, so results do not depend on how a batch is split.
"""

import os
import signal
import uuid

import torch
from mmaction.registry import DATASETS, HOOKS, METRICS, MODELS
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils.data import Dataset

import iboot_mm  # noqa: F401  (processes of a test may import nothing else)

WIDTH = 8


@DATASETS.register_module(force=True)
class ToyVideos(Dataset):
    """Vectors that are functions of the index; ``noise`` is a transform whose draws follow (seed, epoch, index)."""

    def __init__(self, length: int = 24, jitter: float = .1) -> None:
        self.length = length
        self.jitter = jitter
        self.state = torch.zeros(2, dtype=torch.int64).share_memory_()
        self.pipeline = self  # the seeding hook looks for transforms here

    def set_epoch(self, seed: int, epoch: int) -> None:
        self.state[0], self.state[1] = seed, epoch

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        generator = torch.Generator().manual_seed(index)
        value = torch.randn(WIDTH, generator=generator)
        seed, epoch = self.state.tolist()
        generator.manual_seed(seed % 100_003 * 1_000_003 + epoch * 1_009 + index)
        return dict(inputs=value + self.jitter * torch.randn(WIDTH, generator=generator), index=index)


@MODELS.register_module(force=True)
class ToyModel(BaseModel):
    """Predicts a fixed map of its input. ``dropout`` draws from the process's own generator, ``norm`` is gn or bn."""

    def __init__(self, dropout: float = 0., norm: str = 'gn', bad_at: int | None = None, scale: float = 1.) -> None:
        super().__init__()
        layer = nn.GroupNorm(2, 16) if norm == 'gn' else nn.BatchNorm1d(16)
        self.backbone = nn.Sequential(nn.Linear(WIDTH, 16), layer, nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 4))
        self.register_buffer('target_map', torch.linspace(-1, 1, WIDTH * 4).view(WIDTH, 4), persistent=False)
        self.bad_at = bad_at  # rank 0's forward pass whose loss is NaN, counted from 1
        self.calls = 0
        self.scale = scale
        self.seen: list[int] = []

    def init_weights(self) -> None:
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=.3, generator=generator)

    def forward(self, inputs: Tensor, index: Tensor, mode: str = 'tensor') -> dict | Tensor:
        inputs = torch.stack(inputs) if isinstance(inputs, list) else inputs
        outputs = self.backbone(inputs)
        if mode != 'loss':
            return outputs
        self.seen += [int(i) for i in index]
        self.calls += 1
        loss = self.scale * (outputs - inputs @ self.target_map).square().mean()
        if self.calls == self.bad_at and get_rank() == 0:
            loss = loss * float('nan')
        return dict(loss=loss)


@METRICS.register_module(force=True)
class ToyMetric(BaseMetric):
    """How many samples came by and the sum of what the model made of them."""

    def process(self, data_batch: dict, data_samples: list[Tensor]) -> None:
        self.results += [float(output.sum()) for output in data_samples]

    def compute_metrics(self, results: list[float]) -> dict:
        return dict(samples=float(len(results)), total=round(sum(results), 4))


@HOOKS.register_module(force=True)
class RecordHook(Hook):
    """Writes losses, learning rates and gradients' sums per optimizer step to ``record_<rank>.pt``."""

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        self.record: list[dict] = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.record.append(dict(loss=float(outputs['loss'].detach()), lr=runner.optim_wrapper.get_lr()['lr'][0],
                                index=[int(i) for i in data_batch.get('index', [])]))

    def after_train(self, runner) -> None:
        torch.save(self.record, f'{runner.work_dir}/record_{get_rank()}.pt')


@HOOKS.register_module(force=True)
class KillHook(Hook):
    """Kills its own process in iteration ``$KILL_AT``, as a crash or a cluster would."""

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if os.environ.get('KILL_AT') == str(runner.iter + 1):
            os.kill(os.getpid(), signal.SIGKILL)


def toy_config(work_dir: str, **changes) -> dict:
    """A whole config; ``changes`` override its top-level keys."""
    config = dict(
        # mmengine shares logs between runs of one name, which by default is the second in which they start.
        experiment_name=uuid.uuid4().hex, default_scope='mmaction', work_dir=str(work_dir),
        custom_imports=dict(imports=['iboot_mm', 'tests.engine.toy']),
        model=dict(type='ToyModel'),
        train_dataloader=dict(batch_size=4, num_workers=0, dataset=dict(type='ToyVideos'),
                              sampler=dict(type='EpochSampler', shuffle=True)),
        train_cfg=dict(type='GlobalBatchTrainLoop', max_epochs=3, global_batch=4),
        optim_wrapper=dict(optimizer=dict(type='LARS', lr=.4, momentum=.9, weight_decay=1e-6)),
        param_scheduler=[dict(type='LinearLR', start_factor=.01, by_epoch=True, begin=0, end=1,
                              convert_to_iter_based=True),
                         dict(type='CosineAnnealingLR', by_epoch=True, begin=1, end=3, convert_to_iter_based=True)],
        auto_scale_lr=dict(enable=False, base_batch_size=4),
        default_hooks=dict(
            runtime_info=dict(type='DeferredInfoHook'), timer=dict(type='IterTimerHook'),
            logger=dict(type='LoggerHook', interval=2), param_scheduler=dict(type='ParamSchedulerHook'),
            checkpoint=dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=2),
            sampler_seed=dict(type='EpochSeedHook')),
        test_dataloader=dict(batch_size=4, num_workers=0, dataset=dict(type='ToyVideos', length=25, jitter=0.),
                             sampler=dict(type='DefaultSampler', shuffle=False)),
        test_cfg=dict(type='TestLoop'), test_evaluator=dict(type='ToyMetric'),
        custom_hooks=[dict(type='NaNStopHook', interval=2), dict(type='RecordHook')],
        model_wrapper_cfg=dict(type='DistributedPretrainer'),
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]),
        log_level='WARNING')
    for key, value in changes.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) and key in config else value
    return config
