"""Uncurated videos: the study's recipe on any folder, and beside Kinetics by shares."""

from pathlib import Path

import pytest
from mmengine.runner import Runner

from iboot_mm.engine import ShareSampler

from .config_files import load_config
from .videos import moving_frames, write_video

FOLDER = Path(__file__).resolve().parents[1] / 'configs/baselines'
KINETICS = 'moco_slow_r50_rho2_k400'


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Two lists' worth of videos: three listed ones of Kinetics, and two in a nested folder."""
    folder = tmp_path_factory.mktemp('videos')
    for name in ('k400/0.mp4', 'k400/1.mp4', 'k400/2.mp4', 'uncurated/a/3.mp4', 'uncurated/b/c/4.mp4'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(folder / name, moving_frames(12, seed=int(Path(name).stem)))
    (folder / 'train.txt').write_text('0.mp4 7\n1.mp4 7\n2.mp4 8\n')
    return folder


def small(dataset: dict, root: Path, ann_file: Path | str) -> None:
    """Reads these videos, as small pictures."""
    dataset.update(root=str(root), ann_file=str(ann_file))
    dataset.pipeline[1].update(clip_len=2, frame_interval=2)
    dataset.pipeline[3].update(size=16, short_side=(18, 20))


def test_any_folder_takes_kinetics_place_and_nothing_else_changes(videos):
    cfg, base = load_config(FOLDER / 'uncurated/moco_slow_r50_rho2.py'), load_config(FOLDER / f'{KINETICS}.py')
    assert cfg.train_dataloader.dataset.pop('root') == 'data/uncurated'
    assert cfg.train_dataloader.dataset.pop('ann_file') == ''
    dataset = base.train_dataloader.dataset
    del dataset['root'], dataset['ann_file']
    assert cfg.to_dict() == base.to_dict()
    small(dataset, videos / 'uncurated', '')
    loader = Runner.build_dataloader(dict(base.train_dataloader, batch_size=2, num_workers=0, persistent_workers=False))
    assert next(iter(loader))['inputs'][0].shape == (2, 3, 2, 16, 16)


def test_shares_join_it_with_kinetics(videos):
    cfg, base = (load_config(FOLDER / f'{name}.py') for name in ('uncurated/moco_slow_r50_rho2_and_k400', KINETICS))
    loader = dict(cfg.train_dataloader, batch_size=2, num_workers=0, persistent_workers=False)
    kinetics, uncurated = loader['dataset'].datasets
    assert kinetics == base.train_dataloader.dataset and uncurated.pipeline == kinetics.pipeline
    assert (uncurated.root, uncurated.ann_file) == ('data/uncurated', '')
    small(kinetics, videos / 'k400', videos / 'train.txt')
    small(uncurated, videos / 'uncurated', '')
    loader['sampler'].update(multiple_of=2, steps=4)
    built = Runner.build_dataloader(loader, seed=0)
    assert isinstance(built.sampler, ShareSampler) and len(built) == 4
    names = [Path(sample.filename).stem for batch in built for sample in batch['data_samples']]
    assert sum(int(name) < 3 for name in names) == 4 and set(names) == set('01234')
