from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from iboot_mm.models.modules.momentum import MomentumCopy


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        self.online[0].bias.requires_grad_(False)
        self.momentum = MomentumCopy(self.online)


def test_warns_of_frozen_parameters_but_not_of_a_momentum_copy(tmp_path):
    init_default_scope('mmaction')
    logger = MMLogger.get_instance('test_constructor', log_file=str(tmp_path / 'log'))
    model, settings = Model(), dict(type='SGD', lr=.1, weight_decay=.5)
    wrapper = build_optim_wrapper(model, dict(optimizer=settings, constructor='OnlineNetworkConstructor',
                                              paramwise_cfg=dict(norm_decay_mult=0.)))
    groups = [(group['params'][0], group['weight_decay']) for group in wrapper.optimizer.param_groups]
    linear, norm = model.online
    wanted = [(linear.weight, .5), (norm.weight, 0.), (norm.bias, 0.)]
    assert len(groups) == 3 and all(a is b and decay == kept for (a, decay), (b, kept) in zip(groups, wanted))
    logger.handlers[-1].flush()
    warnings = [line for line in (tmp_path / 'log').read_text().splitlines() if 'WARNING' in line]
    assert len(warnings) == 1 and 'online.0.bias is skipped' in warnings[0]
