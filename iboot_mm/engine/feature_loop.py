"""A test run on frozen features: each video is encoded once, stored, and then judged by every metric."""

import math
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import torch
from mmaction.registry import LOOPS
from mmengine.dist import barrier, broadcast_object_list, get_dist_info, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner, TestLoop
from mmengine.runner.amp import autocast
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets.identity import data_identity
from ..evaluation.metrics.feature_metric import FeatureMetric
from ..stores.features import FeatureStore
from ..stores.identity import folder_name, network_identity
from .first_process import from_first_process
from .model_wrapper import unwrap


@LOOPS.register_module()
class FeatureLoop(TestLoop):
    """Encodes the test videos, stores the features as they come, and judges the stored features.

    There is one :class:`~iboot_mm.stores.features.FeatureStore` for each data set of a ``ConcatDataset``, in a
    folder of its own below ``store``, named after the network's weights, the videos and the views. What is there
    already is not encoded again, so a stopped run goes on where it was, and all evaluations of one network share what
    they have in common. One run at a time should write to a store. Videos that cannot be read are stored as such: to
    try them again, delete the folder. The test videos are divided over the processes without repetition; the metrics,
    ordinary ones of mmengine, run in the first process.

    Example:
        >>> test_cfg = dict(type='FeatureLoop', store='work_dirs/features')
        >>> test_evaluator = [dict(type='KNNMetric', k=20), dict(type='VideoRetrievalMetric')]

    Args:
        runner: The runner.
        dataloader: Config of the dataloader; its sampler is not used.
        evaluator: The metrics.
        store: Folder of the stores.
        shard_size: Videos in a file: the most whose features a killed process loses.
        fp16: Encode in mixed precision.

    Attributes:
        unreadable (list[tuple[str, str]]): Path and reason of the stored videos that could not be read, by this run or
            an earlier one, for ``UnreadableVideosHook``.

    Raises:
        ValueError: when the dataloader is no config.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, evaluator: Evaluator | dict | list, store: str,
                 shard_size: int = 512, fp16: bool = False) -> None:
        if not isinstance(dataloader, dict):
            raise ValueError('FeatureLoop builds a dataloader of the videos whose features are missing: give '
                             'test_dataloader as a config, not as an object')
        super().__init__(runner, dataloader, evaluator, fp16)
        self.config = dataloader
        self.store = Path(store)
        self.shard_size = shard_size

    def run(self) -> dict:
        """Encodes what is missing and returns the metrics."""
        call_hook = self.runner.call_hook
        call_hook('before_test')
        call_hook('before_test_epoch')
        self.runner.model.eval()
        stores = self.open_stores()
        self.encode(stores)
        self.unreadable = list(self._stand_ins(stores))
        metrics = self.evaluate(stores)
        call_hook('after_test_epoch', metrics=metrics)
        call_hook('after_test')
        return metrics

    def open_stores(self) -> list[FeatureStore]:
        """The store of each data set."""
        model = unwrap(self.runner.model)
        network = dict(network_identity(model, self.runner.cfg.get('model')), fp16=self.fp16)
        identities = [dict(network=network, data=data_identity(dataset, config)) for dataset, config in self._parts()]
        folders = [self.store / folder_name(identity) for identity in identities]
        if is_main_process():  # the first process makes the folders, and the others find them
            for folder, identity in zip(folders, identities):
                FeatureStore(folder, identity)
        barrier()
        return [FeatureStore(folder, identity, self.shard_size) for folder, identity in zip(folders, identities)]

    def encode(self, stores: list[FeatureStore]) -> None:
        """Encodes the videos that no store has, this process its share of them."""
        starts = [0, *getattr(self.dataloader.dataset, 'cumulative_sizes', [len(self.dataloader.dataset)])]
        batches = [None]
        if is_main_process():  # before any process writes
            batches = [list(missing_batches(starts, [s.stored() for s in stores], self.dataloader.batch_size))]
        broadcast_object_list(batches)
        rank, world_size = get_dist_info()
        missing, share = sum(map(len, batches[0])), batches[0][rank::world_size]
        self.runner.logger.info(f'Features: {starts[-1] - missing} of {starts[-1]} videos are stored below '
                                f'{self.store}, {missing} are to encode.')
        self.dataloader = with_batches(self.dataloader, share)
        try:
            self._encode_share(stores, starts, share, steps=math.ceil(len(batches[0]) / world_size))
        finally:  # an interrupted run keeps what it has
            for store in stores:
                store.flush()
        barrier()

    def _encode_share(self, stores: list[FeatureStore], starts: list[int], share: list[list[int]], steps: int) -> None:
        loaded = iter(self.dataloader) if share else iter(())  # no workers where nothing is to do
        for step in range(steps):  # as many in each process: hooks exchange what they found
            batch, samples = next(loaded, None), []
            self.runner.call_hook('before_test_iter', batch_idx=step, data_batch=batch)
            if batch is not None:
                samples = self._encode_batch(batch)
                part = bisect_right(starts, share[step][0]) - 1
                stores[part].append([dict(sample, index=index - starts[part])
                                     for sample, index in zip(samples, share[step], strict=True)])
            self.runner.call_hook('after_test_iter', batch_idx=step, data_batch=batch, outputs=samples)

    @torch.no_grad()
    def _encode_batch(self, batch: dict) -> list[dict]:
        with autocast(enabled=self.fp16):
            samples = [sample.to_dict() for sample in self.runner.model.test_step(batch)]
        if not all('view_features' in sample for sample in samples):
            raise ValueError(f'{type(self.runner.model).__name__} gives no view_features to store: FeatureLoop wants '
                             'a VideoEncoder, or another model that writes them into its data samples')
        features = torch.stack([sample['view_features'] for sample in samples]).float().cpu()  # (N, V, D)
        return [dict(sample, view_features=views) for sample, views in zip(samples, features)]

    def evaluate(self, stores: list[FeatureStore]) -> dict:
        """The metrics, computed in the first process and known to all."""
        return from_first_process(lambda: self._judge(stores))

    def _judge(self, stores: list[FeatureStore]) -> dict:
        found, wanted = sum(len(store.stored()) for store in stores), len(self.dataloader.dataset)
        if found < wanted:
            raise RuntimeError(f'only {found} of {wanted} videos are stored below {self.store}: all machines of a run '
                               'must see the same folder')
        return judge(self.evaluator, self._samples(stores))

    def _samples(self, stores: list[FeatureStore]) -> Iterator[dict]:
        for store, (dataset, _) in zip(stores, self._parts(), strict=True):
            for sample in store.samples():  # the videos may lie elsewhere by now
                yield {**sample, 'filename': dataset.get_data_info(sample['index'])['filename']}

    def _stand_ins(self, stores: list[FeatureStore]) -> Iterator[tuple[str, str]]:
        for store, (dataset, _) in zip(stores, self._parts(), strict=True):
            for index, replaced in store.stored().items():
                if replaced:
                    reason = f'stored so in {store.folder} (delete that to try again)'
                    yield dataset.get_data_info(index)['filename'], reason

    def _parts(self) -> Iterable[tuple]:
        """Each data set with its config."""
        dataset, config = self.dataloader.dataset, self.config['dataset']
        parts = getattr(dataset, 'datasets', None)
        return [(dataset, config)] if parts is None else zip(parts, config['datasets'], strict=True)


def missing_batches(starts: list[int], stored: list[Container[int]], batch_size: int) -> Iterator[list[int]]:
    """Batches of the videos that are not stored; none holds videos of two data sets, whose views may differ in number.

    Args:
        starts: First index of each data set in their concatenation, and the number of all videos.
        stored: Of each data set, which of its own indices are stored.
        batch_size: Most videos in a batch.

    Yields:
        Indices in the concatenation.
    """
    for (start, end), there in zip(pairwise(starts), stored, strict=True):
        missing = [index for index in range(start, end) if index - start not in there]
        yield from (missing[i:i + batch_size] for i in range(0, len(missing), batch_size))


def with_batches(loader: DataLoader, batches: list[list[int]]) -> DataLoader:
    """A loader like another one, but of these indices."""
    return DataLoader(loader.dataset, batch_sampler=batches, num_workers=loader.num_workers,
                      collate_fn=loader.collate_fn, pin_memory=loader.pin_memory,
                      worker_init_fn=loader.worker_init_fn, prefetch_factor=loader.prefetch_factor)


def detached(sample: dict) -> dict:
    """A sample with tensors of its own: ``DumpResults`` would pickle the whole file of which a feature is a part."""
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in sample.items()}


def judge(evaluator: Evaluator, samples: Iterable[dict]) -> dict:
    """What mmengine's ``Evaluator.evaluate`` gives, by this process alone: nothing is gathered from the others."""
    for sample in samples:
        for metric in evaluator.metrics:
            metric.process(None, [sample if isinstance(metric, FeatureMetric) else detached(sample)])
    figures: dict[str, float] = {}
    for metric in evaluator.metrics:
        found = metric.compute_metrics(metric.results)
        found = {f'{metric.prefix}/{name}' if metric.prefix else name: value for name, value in found.items()}
        if twice := figures.keys() & found.keys():
            raise ValueError(f'two metrics of test_evaluator are called {min(twice)!r}: give one of them a prefix')
        figures.update(found)
        metric.results.clear()
    return figures
