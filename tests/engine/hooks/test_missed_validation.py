"""A validation that was cut off is made up, once, and changes nothing else."""

import pytest
import torch
from mmaction.registry import METRICS
from mmengine.config import Config
from mmengine.runner import Runner

from .. import toy


@METRICS.register_module(force=True)
class CutOffMetric(toy.ToyMetric):
    """Dies in its ``cut_off``-th validation, as a killed process would."""

    done = 0

    def __init__(self, cut_off=None):
        super().__init__()
        self.cut_off = cut_off

    def compute_metrics(self, results):
        CutOffMetric.done += 1
        torch.rand(7)  # draws of its own
        if CutOffMetric.done == self.cut_off:
            raise KeyboardInterrupt
        return super().compute_metrics(results)


def train(folder, cut_off=None, interval=2, epochs=5, **changes):
    """Validations that this run began."""
    CutOffMetric.done = 0
    config = toy.toy_config(folder, randomness=dict(seed=3), model=dict(type='ToyModel', dropout=.3), **changes)
    config['train_cfg'].update(max_epochs=epochs, val_interval=interval)
    config['custom_hooks'] = [*config['custom_hooks'], dict(type='MissedValidationHook')]
    config.update(val_dataloader=config['test_dataloader'], val_cfg=dict(type='ValLoop'),
                  val_evaluator=dict(type='CutOffMetric', cut_off=cut_off))
    try:
        Runner.from_cfg(Config(config)).train()
    except KeyboardInterrupt:
        pass
    return CutOffMetric.done


@pytest.mark.parametrize('cut_off', [1, 2, 3])
def test_it_is_made_up_wherever_it_was_cut_off(tmp_path, cut_off):
    """Validations after epochs 2, 4 and 5; the last one is the end of the run."""
    assert train(tmp_path / 'whole') == 3
    assert train(tmp_path / 'cut', cut_off) == cut_off
    assert train(tmp_path / 'cut', resume=True) == 3 - cut_off + 1
    assert train(tmp_path / 'cut', resume=True) == 0
    whole, cut = (torch.load(tmp_path / name / 'epoch_5.pth') for name in ('whole', 'cut'))
    for name, value in whole['state_dict'].items():
        assert torch.equal(cut['state_dict'][name], value)
    scores = [c['message_hub']['log_scalars']['val/total'].data[0].tolist() for c in (whole, cut)]
    assert scores[0] == scores[1]


def test_what_ended_or_was_not_due_is_not_repeated(tmp_path):
    train(tmp_path, epochs=3)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))
    assert train(tmp_path, epochs=3, resume=True) == 1  # that after epoch 3
    (tmp_path / 'last_validation').write_text('no number')
    assert train(tmp_path, epochs=3, resume=True) == 1
    assert (tmp_path / 'last_validation').read_text() == '3'
    assert train(tmp_path, epochs=3, interval=5, resume=True) == 0
