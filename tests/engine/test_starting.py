"""Which runner a config gets from our launchers."""

import pytest
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from iboot_mm.engine.starting import build_runner

from . import toy


@RUNNERS.register_module(force=True)
class ToyRunner(Runner):
    """mmengine's by another name."""


def config(folder, **changes) -> Config:
    return Config(toy.toy_config(folder, launcher='none', **changes))


@pytest.mark.parametrize('changes, kind', [({}, Runner), (dict(runner_type='ToyRunner'), ToyRunner)])
def test_the_runner_that_the_config_names(tmp_path, changes, kind):
    assert type(build_runner(config(tmp_path, **changes))) is kind


def test_an_unknown_runner(tmp_path):
    with pytest.raises(ValueError, match="runner_type='Absent' is not registered in RUNNERS"):
        build_runner(config(tmp_path, runner_type='Absent'))
