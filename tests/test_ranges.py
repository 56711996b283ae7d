"""Numbers that an option cannot mean are refused in one sentence that names it, for every option of every component."""

import inspect
import math
import re

import pytest
import torch
from mmaction.registry import HOOKS, METRICS, MODELS, OPTIMIZERS, TRANSFORMS

from iboot_mm.models.losses.shots import semi_hard_triplets
from iboot_mm.models.losses.views import nt_xent, sinkhorn, swapped_prediction
from iboot_mm.models.modules.projectors import MLP
from iboot_mm.models.modules.target_norm import TargetNorm
from iboot_mm.ranges import above_zero, at_least, below_one, in_unit_interval

from .models.pretrainers import toy
from .targets import TEACHER

NAN = math.nan
REFUSED = {
    'CropViews': dict(size=(0, -1), flip_prob=(-.1, 1.5, NAN), crops=(0, 2)),
    'OpenVideo': dict(num_threads=(-1, )),
    'ScaleViews': dict(short_side=(0, )),
    'SampleViews': dict(num_views=(0, ), clip_len=(0, -8), frame_interval=(0, -1), fps_jitter=(-.1, 1., NAN)),
    'SampleKeyFrame': dict(clip_len=(0, ), frame_interval=(0, -1)),
    'SampleShots': dict(num_shots=(0, ), shot_len=(0, )),
    'PlaybackRate': dict(num_views=(0, ), clip_len=(0, ), frame_interval=(0, ), jitter=(-.1, 1., NAN)),
    'BoxActionHead': dict(roi_size=(0, )),
    'CachedIBoot': dict(motion_width=(0, -1)),
    'ImageTMM': dict(out_channels=(0, )),
    'FrameResNetV2': dict(width_factor=(0, )),
    'ExemplarHead': dict(embed_dim=(0, ), margin=(-.5, NAN)),
    'MLPHead': dict(hidden=(0, )),
    'ShotOrderHead': dict(hidden=(0, )),
    'ExemplarPreprocessor': dict(image_gray_prob=(-.1, 1.1)),
    'ShotPairHead': dict(hidden=(0, )),
    'ShotSequenceHead': dict(hidden=(0, )),
    'VideoMoCo': dict(queue_size=(0, -1), temperature=(0, -.1, NAN)),
    'VideoSimCLR': dict(temperature=(0, -.1, NAN)),
    'VideoSwAV': dict(num_prototypes=(0, ), temperature=(0, -1), epsilon=(0, -.05, NAN), iterations=(0, -3)),
    'ViewPreprocessor': dict(color_prob=(-.1, 1.1), gray_prob=(2, ), blur_prob=(-1, ),
                             temporal_difference_prob=(1.5, NAN)),
    'HSVPreprocessor': dict(color_prob=(-.1, 1.1), gray_prob=(2, ), blur_prob=(-1, ),
                            temporal_difference_prob=(1.5, NAN)),
    'KNNMetric': dict(k=(0, -1), temperature=(0, -.07, NAN), memory=(0, -1)),
    'OrderSensitivityMetric': dict(k=(0, ), temperature=(0, NAN), memory=(0, )),
    'VideoRetrievalMetric': dict(memory=(0, ), topk=((), (0, 5), (-1, ))),
    'LinearOnFeaturesMetric': dict(holdout=(0, 1, NAN), epochs=(0, ), batch_size=(0, ), momentum=(-.1, 1, 1.5),
                                   learning_rates=((), (0., .1), (-1., ))),
    'CollapseAlarmHook': dict(share=(-.1, 50, NAN), least=(-1, 2), window=(0, )),
    'FreezePrototypesHook': dict(epochs=(-1, )),
    'NaNStopHook': dict(interval=(0, -1)),
    'UnreadableVideosHook': dict(max_share=(-.1, 5, NAN), interval=(0, )),
    'LARS': dict(lr=(-1., NAN), momentum=(-.1, 1., 9), weight_decay=(-1e-6, ), trust=(0., -1.), eps=(-1., )),
}
# Numbers of which none gives nonsense in silence, or which others refuse when they meet their data, by name.
FREE = {
    'seed', 'share_seed',  # any
    'target',  # an index
    'skip', 'measure',  # of a measurement
    'last_step', 'begin',  # of mmengine's schedulers
    'num_classes',  # a label beyond them is refused
    'depth', 'init_std', 'dropout_ratio',  # looked up; torch refuses them
    'size', 'short_side', 'every',  # of OpenTokens, which a store must have been written with
    'chunk_size',  # of teachers, see tests/models/teachers
    'video_weight', 'image_weight', 'start_factor',  # see the tests of their classes
}
NEEDED = dict(
    BoxActionHead=dict(in_channels=4, num_classes=2),
    CachedIBoot=dict(backbone=dict(type='ToyBackbone'), feature_dim=toy.WIDTH, teacher=TEACHER, width=4,
                     motion=dict(shown=dict(type='correspondences', stride=4, reach=1), clusters=3), motion_width=4),
    ImageTMM=dict(teacher=dict(type='PatchMeanTeacher'), stored_width=64, temporal=None),
    LARS=dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=1.), ExemplarHead=dict(in_channels=4),
    MLPHead=dict(in_channels=4, num_classes=2), ShotOrderHead=dict(in_channels=4, num_shots=2),
    ShotPairHead=dict(in_channels=4, num_shots=2), ShotSequenceHead=dict(in_channels=4, num_shots=2),
    **{name: {key: value for key, value in toy.method_config(method).items() if key != 'type'}
       for method, name in dict(moco='VideoMoCo', simclr='VideoSimCLR', swav='VideoSwAV').items()})
REGISTRIES = (TRANSFORMS, MODELS, METRICS, HOOKS, OPTIMIZERS)


def our_classes() -> dict[str, type]:
    return {name: kind for registry in REGISTRIES for name, kind in registry.module_dict.items()
            if inspect.isclass(kind) and kind.__module__.startswith('iboot_mm.')}


@pytest.mark.parametrize('name, option, value', [
    (name, option, value) for name, options in REFUSED.items() for option, values in options.items()
    for value in values])
def test_an_option_that_means_nothing_is_refused(name, option, value):
    kind = our_classes()[name]
    kind(**NEEDED.get(name, {}))
    with pytest.raises(ValueError, match=rf'\b{option}\b|hidden') as told:
        kind(**{**NEEDED.get(name, {}), option: value})
    assert len(str(told.value).splitlines()) == 1


def test_every_number_of_every_component_is_looked_at():
    """A new option goes into one of the tables above."""
    unknown = [f'{name}.{option}' for name, kind in our_classes().items()
               for option, parameter in inspect.signature(kind.__init__).parameters.items()
               if parameter.annotation in (int, float) and parameter.default is not inspect.Parameter.empty
               and option not in REFUSED.get(name, {}) and option not in FREE]
    assert not unknown


UNITS = torch.nn.functional.normalize(torch.randn(2, 4, 3), dim=-1)


@pytest.mark.parametrize('call, message', [
    (lambda: sinkhorn(UNITS[0], iterations=0), 'sinkhorn: iterations must be at least 1, got 0'),
    (lambda: sinkhorn(UNITS[0], epsilon=0.), 'sinkhorn: epsilon must be above 0, got 0.0'),
    (lambda: nt_xent(UNITS, UNITS, 0, temperature=0.), 'nt_xent: temperature must be above 0'),
    (lambda: nt_xent(UNITS[:1], UNITS[:1], 0, temperature=.1), 'nt_xent: num_views must be at least 2, got 1'),
    (lambda: swapped_prediction(UNITS, UNITS, temperature=-1.), 'swapped_prediction: temperature must be above 0'),
    (lambda: swapped_prediction(UNITS[:1], UNITS[:1], .1), 'swapped_prediction: num_views must be at least 2, got 1'),
    (lambda: semi_hard_triplets(UNITS, UNITS, 0, margin=-1.), 'semi_hard_triplets: margin must be at least 0'),
    (lambda: semi_hard_triplets(UNITS[:1], UNITS[:1], 0, .5), 'semi_hard_triplets: shots must be at least 2, got 1'),
    (lambda: semi_hard_triplets(UNITS[:, :1], UNITS[:, :1], 0, .5), 'semi_hard_triplets: frames must be at least 2'),
    (lambda: MLP(4, 0, 4, 2), 'MLP: hidden_dim must be at least 1'),
    (lambda: TargetNorm(4, 'standardize', decay=1.), r'TargetNorm: decay must be in \[0, 1\), got 1.0'),
    (lambda: TargetNorm(4, 'standardize', eps=-1.), 'TargetNorm: eps must be at least 0'),
])
def test_functions_and_modules(call, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        call()


def test_sinkhorns_rows_sum_to_1_whatever_it_takes():
    for iterations in (1, 2, 9):
        sums = sinkhorn(UNITS[0], epsilon=.05, iterations=iterations).sum(dim=1)
        torch.testing.assert_close(sums, torch.ones(4))


@pytest.mark.parametrize('check, allowed, refused', [
    (lambda value: at_least(2, 'Owner', x=value), (2, 3.5, math.inf), (1, -math.inf, NAN)),
    (lambda value: above_zero('Owner', x=value), (1e-9, 1), (0, -1, NAN)),
    (lambda value: in_unit_interval('Owner', x=value), (0, .5, 1), (-1e-9, 1.1, NAN)),
    (lambda value: below_one('Owner', x=value), (0, .999), (1, -.1, NAN))])
def test_bounds(check, allowed, refused):
    for value in allowed:
        check(value)
    for value in refused:
        with pytest.raises(ValueError, match=rf'^Owner: x must be .*, got {re.escape(str(value))}$'):
            check(value)
