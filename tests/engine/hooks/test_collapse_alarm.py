"""The alarm rings once per fall of the student's spread."""

from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from iboot_mm.engine.hooks import CollapseAlarmHook


def run(spreads, hook, clip=.8, **teachers):
    """Feeds student's spreads iteration by iteration; returns (iteration, message) of each warning."""
    hub = MessageHub('test_collapse_alarm')
    warnings = []
    runner = SimpleNamespace(message_hub=hub, logger=SimpleNamespace(
        warning=lambda message: warnings.append((runner.iter + 1, message))))
    teachers = {**({} if clip is None else dict(clip=clip)), **teachers}
    for runner.iter, value in enumerate(spreads):
        hub.update_scalar('train/loss', 1.)
        if value is not None:
            hub.update_scalar('train/spread_student', value)
        for name, spread in teachers.items():
            hub.update_scalar(f'train/spread_{name}', spread)
        hook.after_train_iter(runner, runner.iter)
    return warnings


def test_rings_when_the_windows_mean_is_under_the_share():
    healthy, collapsed = [.5] * 10, [.3] * 10
    warnings = run(healthy + collapsed, CollapseAlarmHook(share=.5, window=5))
    assert [iteration for iteration, _ in warnings] == [15]
    assert "spread 0.300, under 0.5 of the 0.800 of target 'clip'" in warnings[0][1]
    assert len(warnings[0][1].splitlines()) == 1


def test_rings_again_after_a_recovery():
    warnings = run([.1] * 10 + [.7] * 10 + [.1] * 10, CollapseAlarmHook(share=.5, window=5))
    assert [iteration for iteration, _ in warnings] == [5, 25]


def test_short_dips_and_missing_figures_are_silent():
    assert run([.5, .5, .1, .5, .5] * 4, CollapseAlarmHook(share=.5, window=5)) == []
    assert run([None] * 20, CollapseAlarmHook(window=5)) == []
    assert run([.1] * 20, CollapseAlarmHook(window=5), clip=None) == []


def test_a_student_that_took_its_targets_along_is_noticed():
    warnings = run([.3] * 5 + [.04] * 5, CollapseAlarmHook(window=5), clip=None, momentum=.03)
    assert [iteration for iteration, _ in warnings] == [10]
    assert 'spread 0.040, under 0.05: nearly all videos have one feature' in warnings[0][1]
    assert len(run([.04] * 5, CollapseAlarmHook(window=5), clip=None)) == 1


def test_targets_of_a_momentum_copy_cannot_be_normalised():
    message, = (text for _, text in run([.1] * 5, CollapseAlarmHook(window=5), clip=None, momentum=.8))
    assert message.endswith("of the 0.800 of target 'momentum': the loss may be met by predicting the mean feature; "
                            'try a lower learning rate')


@pytest.mark.parametrize('student, rings', [(.24, 1), (.26, 0)])
def test_the_narrowest_teacher_counts(student, rings):
    hook = CollapseAlarmHook(share=.5, window=5)
    assert len(run([student] * 5, hook, clip=.9, swav=.5)) == rings
