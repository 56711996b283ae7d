"""UnreadableVideosHook in a real training loop, and over two processes."""

import logging
import uuid
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import RepeatDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

from iboot_mm.datasets import NoReadableVideo, VideoFolder
from iboot_mm.engine.hooks import UnreadableVideosHook
from tests.distributed import run_in_processes
from tests.videos import moving_frames, write_video

PIPELINE = [dict(type='OpenVideo'), dict(type='SampleViews', num_views=1, clip_len=2, frame_interval=1),
            dict(type='DecodeViews'), dict(type='CropViews', size=8, short_side=8), dict(type='PackViews')]


class Tiny(BaseModel):
    """One weight; only the loop around it matters."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return dict(loss=self.weight * torch.stack(list(inputs)).float().mean() / 255)


def folder(root, num_good: int, num_bad: int) -> VideoFolder:
    for i in range(num_good):
        write_video(root / f'good{i}.mp4', moving_frames(4, 16, 16, seed=i))
    for i in range(num_bad):
        (root / f'bad{i}.mp4').write_text('no video')
    return VideoFolder(str(root), pipeline=PIPELINE)


def train(dataset, tmp_path, epochs: int = 2, **hook) -> tuple[str, int]:
    """The log, and how many iterations were done."""
    steps = []
    counter = Hook()
    counter.after_train_iter = lambda runner, *args, **kwargs: steps.append(runner.iter)
    runner = Runner(
        Tiny(), str(tmp_path / 'work'), experiment_name=uuid.uuid4().hex,
        train_dataloader=dict(dataset=dataset, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False),
                              collate_fn=dict(type='pseudo_collate')),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1)), train_cfg=dict(by_epoch=True, max_epochs=epochs),
        custom_hooks=[counter, dict(type='UnreadableVideosHook', **hook)],
        default_hooks=dict(checkpoint=None, logger=dict(type='LoggerHook', interval=1000)), default_scope='mmaction')
    try:
        runner.train()
    finally:
        logging.shutdown()
        log = next((tmp_path / 'work').rglob('*.log')).read_text()
        train.log, train.steps = log, len(steps)
    return log, len(steps)


def test_each_is_logged_once_and_counted(tmp_path):
    dataset = folder(tmp_path, 8, 2)
    log, steps = train(dataset, tmp_path, max_share=.2)
    assert steps == 10
    for i in range(2):
        line = f'Unreadable video (train): {tmp_path}/bad{i}.mp4: FFmpeg finds no complete video file in it'
        assert log.count(line) == 1
    assert log.count('2 of 10 videos (train) could not be read so far') == 2  # once an epoch


def test_healthy_data_says_nothing(tmp_path):
    log, steps = train(folder(tmp_path, 4, 0), tmp_path)
    assert steps == 4 and 'nreadable video (' not in log and 'could not be read' not in log


def test_stops_past_the_share(tmp_path):
    dataset = folder(tmp_path, 8, 2)
    message = r'2 of the 10 videos \(train\) cannot be read, more than the tolerated share of 5.0%: mend or remove'
    with pytest.raises(RuntimeError, match=message):
        train(dataset, tmp_path)
    assert train.steps <= 2 and 'bad1.mp4' in train.log


def test_one_bad_video_does_not_stop_a_small_run_unless_asked(tmp_path):
    dataset = folder(tmp_path, 3, 1)
    assert train(dataset, tmp_path)[1] == 4
    with pytest.raises(RuntimeError, match='1 of the 4 videos'):
        train(dataset, tmp_path / 'strict', max_share=0.)


def test_stops_if_none_can_be_read(tmp_path):
    with pytest.raises(NoReadableVideo, match='None of 3 videos'):
        train(folder(tmp_path, 0, 3), tmp_path)


def fake_runner(dataset) -> SimpleNamespace:
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset))
    return SimpleNamespace(train_loop=loop, val_loop=loop, test_loop=loop, logger=logging.getLogger('fake'))


def batch(*unreadable: tuple[str, str]) -> dict:
    return dict(data_samples=[SimpleNamespace(unreadable=[pair]) for pair in unreadable] + [SimpleNamespace()])


@pytest.mark.parametrize('split', ['train', 'val', 'test'])
def test_splits_are_counted_apart(split):
    hook, runner = UnreadableVideosHook(max_share=.1), fake_runner([None] * 20)
    others = [name for name in ('train', 'val', 'test') if name != split]
    for name in others:
        getattr(hook, f'after_{name}_iter')(runner, 0, batch(('a', ''), ('b', '')))
    step = getattr(hook, f'after_{split}_iter')
    step(runner, 0, batch(('a', ''), ('b', ''), ('a', 'again')))
    with pytest.raises(RuntimeError, match=rf'3 of the 20 videos \({split}\)'):
        step(runner, 1, batch(('c', '')))


def test_repeated_data_set_counts_once():
    hook = UnreadableVideosHook(max_share=.1)
    hook.after_train_iter(fake_runner([None] * 20), 0, batch(('a', ''), ('b', '')))
    repeated = object.__new__(RepeatDataset)
    repeated.dataset, repeated.times = [None] * 10, 2
    with pytest.raises(RuntimeError, match='2 of the 10'):
        UnreadableVideosHook(max_share=.1).after_train_iter(fake_runner(repeated), 0, batch(('a', ''), ('b', '')))


def two_processes(rank: int, world_size: int) -> None:
    """Each finds another video; both stop, at the exchange that both reach."""
    runner, mine = fake_runner([None] * 10), batch((f'video of {rank}', 'broken'))
    hook = UnreadableVideosHook(max_share=.1, interval=3)
    hook.after_train_iter(runner, 0, mine)
    hook.after_train_iter(runner, 1, batch())
    with pytest.raises(RuntimeError, match='2 of the 10 videos'):
        hook.after_train_iter(runner, 2, batch())
    hook = UnreadableVideosHook(max_share=.1, interval=3)
    hook.after_train_iter(runner, 0, mine if rank == 0 else batch())
    hook.after_train_epoch(runner)  # one is tolerated
    hook.after_train_iter(runner, 0, mine)
    with pytest.raises(RuntimeError, match='2 of the 10 videos'):
        hook.after_train_epoch(runner)


def test_processes_count_together():
    run_in_processes(two_processes, 2)


@pytest.mark.parametrize('arguments', [dict(max_share=5), dict(max_share=-.1), dict(interval=0)])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        UnreadableVideosHook(**arguments)
