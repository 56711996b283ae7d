"""Whether stored targets are those that a training run means."""

from collections.abc import Iterator
from pathlib import Path

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...datasets.transforms import LoadTargets
from ...evaluation.feature_identity import without_places
from .seeding import find_transforms

# What may differ: how a teacher is called and fed does not change its features, nor does how a file is opened.
TEACHER_ANYHOW, STEPS_ANYHOW = ('name', 'chunk_size'), ('OpenVideo', 'LoadTargets')


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
        """Compares the config with each store of the training pipeline."""
        loaders = [t for t in find_transforms(runner.train_dataloader.dataset) if isinstance(t, LoadTargets)]
        if len(loaders) != 1:
            raise ValueError(f'TargetCheckHook: the training pipeline needs one LoadTargets, got {len(loaders)}')
        table, videos = loaders[0].table, len(runner.train_dataloader.dataset)
        unlike = list(differences(table.identity, runner.cfg.model, runner.cfg.train_dataloader.dataset, videos))
        if unlike:
            raise ValueError(f"The targets in '{table.folder}' are not those of this training: {'; '.join(unlike)}. "
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
    network, data = identity['network'], identity['data']
    there, here = network['config'], without_places(model)
    yield from unlike('teacher.', without(there['teacher'], TEACHER_ANYHOW), without(here['teacher'], TEACHER_ANYHOW))
    weights = {key: network['own'].get(key) for key in ('checkpoint', 'pretrained')}
    own = model['teacher'].get('checkpoint')
    yield from unlike('teacher.', weights, dict(weights, checkpoint=Path(own).name if own else None))
    if isinstance(model['teacher'].get('pretrained'), str):
        yield from unlike('teacher.', weights, dict(weights, pretrained=model['teacher']['pretrained']))
    yield from unlike('data_preprocessor.', there.get('data_preprocessor') or {}, here.get('data_preprocessor') or {})
    if not there.get('augment'):
        yield 'the clips were not augmented (model.augment)'
    yield from unlike('', steps(data['config']['pipeline']), steps(without_places(dataset['pipeline'])))
    yield from unlike('', dict(videos=data['videos']), dict(videos=videos))


def unlike(prefix: str, there: dict, here: dict) -> Iterator[str]:
    """One phrase for each key whose values differ."""
    for key in {**there, **here}:
        if there.get(key) != here.get(key):
            yield f'{prefix}{key} is {there.get(key)!r} there and {here.get(key)!r} here'


def without(config: dict, keys: tuple[str, ...]) -> dict:
    """A config without some keys."""
    return {key: value for key, value in config.items() if key not in keys}


def steps(pipeline: list[dict]) -> dict:
    """What a pipeline does to a clip, by transform; not how many clips it takes."""
    return {step['type']: without(step, ('num_views', 'type')) for step in pipeline if step['type'] not in STEPS_ANYHOW}
