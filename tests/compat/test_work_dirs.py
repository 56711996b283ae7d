"""Where a run's last checkpoint is looked for, after its folder was moved, copied or renamed."""

import shutil

import pytest
from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint
from mmengine.runner import runner as runner_module

from iboot_mm.checkpoints.description import last_checkpoint
from iboot_mm.compat import latest_checkpoint

from ..engine import toy
from ..scripts import load_tool


def write_run(folder, text='weights'):
    folder.mkdir()
    (folder / 'epoch_9.pth').write_text(text)
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_9.pth'))
    return folder


LOOK_UPS = [latest_checkpoint, find_latest_checkpoint, runner_module.find_latest_checkpoint,
            lambda folder: str(last_checkpoint(folder))]


@pytest.mark.parametrize('look_up', LOOK_UPS)
@pytest.mark.parametrize('again', [True, False])
@pytest.mark.parametrize('move', [shutil.move, shutil.copytree])
def test_a_folder_has_its_own_file(tmp_path, look_up, again, move):
    first = write_run(tmp_path / 'a')
    move(first, tmp_path / 'a_seed0')
    if again:  # a second run at the old place
        shutil.rmtree(first, ignore_errors=True)
        write_run(first, 'of another run')
    assert look_up(tmp_path / 'a_seed0') == str(tmp_path / 'a_seed0' / 'epoch_9.pth')


@pytest.mark.parametrize('look_up', LOOK_UPS)
def test_checkpoints_may_lie_elsewhere_but_not_in_another_run(tmp_path, look_up):
    run = write_run(tmp_path / 'run')
    elsewhere = tmp_path / 'out' / 'run'
    elsewhere.mkdir(parents=True)
    shutil.move(run / 'epoch_9.pth', elsewhere)
    assert look_up(run) == str(run / 'epoch_9.pth')  # whoever opens it says that it is not there
    (run / 'last_checkpoint').write_text(f'{elsewhere}/epoch_9.pth\n')
    assert look_up(run) == str(elsewhere / 'epoch_9.pth')
    (elsewhere / 'last_checkpoint').write_text('epoch_9.pth')
    with pytest.raises(FileNotFoundError, match=r'is not in .* but in the work dir of another run: name a checkpoint'):
        look_up(run)
    (run / 'last_checkpoint').write_text('s3://bucket/run/epoch_9.pth')
    assert latest_checkpoint(run) == 's3://bucket/run/epoch_9.pth'


def test_a_run_that_saved_nothing(tmp_path):
    assert latest_checkpoint(tmp_path) is find_latest_checkpoint(str(tmp_path)) is None
    with pytest.raises(FileNotFoundError, match='neither a work dir with a last_checkpoint'):
        last_checkpoint(tmp_path)


def test_resume_goes_on_in_the_copy(tmp_path):
    """mmengine's own way, which stock launchers take, and tools/train.py's."""
    Runner.from_cfg(Config(toy.toy_config(tmp_path / 'a', randomness=dict(seed=1)))).train()
    shutil.move(tmp_path / 'a', tmp_path / 'b')
    for epochs in (4, 5):
        config = Config(toy.toy_config(tmp_path / 'b', resume=epochs == 4, train_cfg=dict(max_epochs=epochs)))
        if epochs == 5:
            load_tool('train').resume(config, 'auto')
            assert config.load_from == str(tmp_path / 'b' / 'epoch_4.pth')
        runner = Runner.from_cfg(config)
        runner.train()
        assert len(runner.model.seen) == 24  # one epoch
    assert not (tmp_path / 'a').exists()
