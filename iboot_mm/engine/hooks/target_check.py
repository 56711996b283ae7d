"""Whether stored targets are those that a training run means."""

from collections.abc import Iterator

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...datasets.transforms import LoadTargets
from ...models.encoders import motion_teacher
from ...stores.identity import teacher_identity, without_places
from .seeding import find_transforms

ANYHOW = ('OpenVideo', 'LoadTargets')  # how a file is opened changes no clip


@HOOKS.register_module()
class TargetCheckHook(Hook):
    """Refuses to train :class:`~iboot_mm.models.pretrainers.CachedIBoot` on targets of something else.

    Teacher, clips, crops and augmentation must be those of the run that wrote the targets, whose identity is in their
    ``store.json``; the names of the videos are compared one by one as they are read.

    Example:
        >>> custom_hooks = [dict(type='TargetCheckHook')]

    Raises:
        ValueError: before training; says what differs.
    """

    def before_train(self, runner: Runner) -> None:
        """Compares the config with the store of the training pipeline."""
        dataset, config = runner.train_dataloader.dataset, runner.cfg.train_dataloader.dataset
        while hasattr(dataset, 'dataset'):  # mmengine's RepeatDataset
            dataset, config = dataset.dataset, config.dataset
        if hasattr(dataset, 'datasets'):
            raise ValueError('CachedIBoot does not support joined data sets (train_dataloader.dataset is a '
                             f'{type(dataset).__name__} of {len(dataset.datasets)}), since stored targets are of one '
                             'list: list all videos in one ann_file, or train IBoot, whose teacher needs no store')
        loaders = [t for t in find_transforms(dataset) if isinstance(t, LoadTargets)]
        if len(loaders) != 1:
            raise ValueError(f'TargetCheckHook: the training pipeline needs one LoadTargets, got {len(loaders)}')
        table, videos = loaders[0].table, len(dataset)
        found = list(differences(table.identity, runner.cfg.model, config, videos))
        if found:
            raise ValueError(f"The targets in '{table.folder}' are not those of this training: {'; '.join(found)}. "
                             'Set the config to what they were written with, or write them anew.')
        runner.logger.info(f"Targets: '{table.folder}', {table.num_clips} clips of each of {videos} videos, "
                           f'{table.num_unreadable} of which could not be read when they were written.')


def differences(identity: dict, model: dict, dataset: dict, videos: int) -> Iterator[str]:
    """What stored targets and a training config do not agree on, one phrase each.

    Args:
        identity: Of the store: ``network`` (with the config of its ``TeacherEncoder``) and ``data``.
        model: The config of the model.
        dataset: The config of the training data set.
        videos: How many videos it has.
    """
    written, clips = identity['network']['config'], steps(without_places(dataset['pipeline']))
    yield from unlike('teacher.', identity['network']['teacher'], teacher_identity(model['teacher']))
    motion = model.get('motion')
    motion = {} if motion is None else teacher_identity(motion_teacher(model['teacher'], motion))
    yield from unlike('motion.teacher.', identity['network'].get('motion') or {}, motion)
    if not written.get('augment'):
        yield 'its clips were not augmented, for want of model.augment=True'
    yield from unlike('data_preprocessor.', written.get('data_preprocessor') or {},
                      without_places(model).get('data_preprocessor') or {})
    yield from unlike('', steps(identity['data']['config']['pipeline']), clips)
    sampling = clips.get('SampleViews', {})
    if sampling.get('max_span') is not None or sampling.get('same_clip'):
        yield 'max_span and same_clip of SampleViews tie views to the reference clip, which is drawn by itself'
    yield from unlike('number of ', dict(videos=identity['data']['videos']), dict(videos=videos))


def unlike(prefix: str, there: dict, here: dict) -> Iterator[str]:
    """One phrase for each key whose values differ."""
    for key in {**there, **here}:
        if there.get(key) != here.get(key):
            yield f'{prefix}{key} is {there.get(key)!r} there and {here.get(key)!r} here'


def steps(pipeline: list[dict]) -> dict:
    """What a pipeline does to a clip, by transform; not how many clips it takes."""
    return {step['type']: {key: value for key, value in step.items() if key not in ('num_views', 'type')}
            for step in pipeline if step['type'] not in ANYHOW}
