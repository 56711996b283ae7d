"""How a config cuts its clips in evaluation, read from its pipelines: ours or stock MMAction2's."""

from pathlib import Path

from mmengine.config import Config

SAMPLERS = ('SampleViews', 'PlaybackRate', 'SampleShots', 'SampleFrames')
CROPPERS = ('CropViews', 'OpenTokens', 'CenterCrop', 'ThreeCrop', 'TenCrop')


def clip_recipe(cfg: Config, source: str | Path) -> dict:
    """What one evaluation clip of a config looks like.

    The test pipeline is asked first, then the one of validation, then that of training. A clip of a config that
    samples shots is as long as a shot.

    Args:
        cfg: The config.
        source: What to call it in the error.

    Returns:
        ``clip_len`` (frames), ``frame_interval`` (frames, or ticks of ``target_fps``), ``target_fps`` (Hz or None),
        ``sampling`` (``'dense'`` or ``'segments'``), ``size`` (side of the square, pixels) and ``short_side`` (that a
        frame is scaled to before, pixels).

    Raises:
        ValueError: none of its pipelines has a transform that samples frames and one that crops them.
    """
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        steps = {step['type']: step for step in _pipeline(cfg.get(name) or {})}
        sampler = next((steps[kind] for kind in SAMPLERS if kind in steps), None)
        cropper = next((steps[kind] for kind in CROPPERS if kind in steps), None)
        if sampler is None or cropper is None:
            continue
        size, short_side = _pixels(cropper, steps.get('Resize'))
        if short_side is not None:
            return dict(clip_len=sampler.get('clip_len', sampler.get('shot_len', 8)),
                        frame_interval=_interval(sampler), target_fps=sampler.get('target_fps'),
                        sampling=sampler.get('sampling', 'dense'), size=size, short_side=short_side)
    raise ValueError(f'{source} has no pipeline with {" or ".join(SAMPLERS)}, and CropViews or Resize to a short side '
                     f'with one of {", ".join(CROPPERS[2:])}: there is no telling which clips its network wants')


def clip_pipeline(clip: dict, num_clips: int = 1) -> list[dict]:
    """The transforms that cut ``num_clips`` evaluation clips of each video as :func:`clip_recipe` says."""
    sampling = {key: clip[key] for key in ('clip_len', 'frame_interval', 'target_fps', 'sampling')}
    return [
        dict(type='OpenVideo'),
        dict(type='SampleViews', num_views=num_clips, test_mode=True, **sampling),
        dict(type='DecodeViews'),
        dict(type='CropViews', size=clip['size'], short_side=clip['short_side'], test_mode=True),
        dict(type='PackViews'),
    ]


def _pipeline(loader: dict) -> list[dict]:
    """The pipeline of a loader's data set, or of the first one inside its wrappers."""
    dataset = loader.get('dataset') or {}
    while 'pipeline' not in dataset and ('dataset' in dataset or 'datasets' in dataset):
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    return dataset.get('pipeline') or []


def _interval(sampler: dict) -> float:
    """The samplers' own defaults differ; of playback rates it is that of rate 1."""
    defaults = dict(SampleViews=8, PlaybackRate=2, SampleShots=1, SampleFrames=1)
    return sampler.get('frame_interval', defaults[sampler['type']])


def _pixels(cropper: dict, resize: dict | None) -> tuple[int, int | None]:
    """Side of the square, and the short side if there is one."""
    if cropper['type'] == 'OpenTokens':
        return cropper.get('size', 224), cropper.get('short_side', 256)
    if cropper['type'] == 'CropViews':
        size, side = cropper.get('size', 224), cropper.get('short_side', (256, 320))
        if isinstance(side, int):
            return size, side
        return size, size if cropper.get('test_mode') or cropper.get('area') else side[0]
    size = cropper['crop_size']
    scale = (resize or {}).get('scale')
    sides = [side for side in scale if side != -1] if isinstance(scale, (list, tuple)) and -1 in scale else [None]
    return size if isinstance(size, int) else size[0], sides[0]
