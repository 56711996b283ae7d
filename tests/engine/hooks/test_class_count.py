"""Lists and heads that do not belong together."""

from types import SimpleNamespace

import pytest
from mmaction.datasets import VideoDataset

from iboot_mm.datasets import VideoFolder
from iboot_mm.datasets.transforms import PackViews
from iboot_mm.engine.hooks import ClassCountHook
from iboot_mm.engine.hooks.class_count import count_classes
from iboot_mm.models.backbones import ImageTMM


@pytest.fixture
def folder(tmp_path):
    """Builds a data set from the lines of a list."""
    (tmp_path / 'a.mp4').touch()

    def build(*labels: str, name: str = 'train.txt', **arguments) -> VideoFolder:
        (tmp_path / name).write_text(''.join(f'a.mp4 {label}\n' for label in labels))
        return VideoFolder(tmp_path, name, **arguments)
    return build


def runner_of(classes: int, **splits) -> SimpleNamespace:
    loops = {f'{split}_loop': dataset and SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset))
             for split, dataset in dict(dict(train=None, val=None, test=None), **splits).items()}
    model = SimpleNamespace(cls_head=SimpleNamespace(num_classes=classes, in_channels=8), backbone=None)
    return SimpleNamespace(model=model, **loops)


def test_classes_that_fit(folder):
    train, val = folder('0', '2', '1'), folder('0', '1', name='val.txt')
    ClassCountHook().before_train(runner_of(3, train=train, val=val))
    ClassCountHook().before_train(runner_of(3, train=train))
    ClassCountHook().before_test(runner_of(3, test=val))  # a test list may lack a class


@pytest.mark.parametrize('classes', [2, 4])
def test_a_training_list_of_another_number(folder, classes):
    with pytest.raises(ValueError, match=(
            fr"train_dataloader: 'train.txt' has 3 classes \(its largest label is 2\), but "
            fr'model.cls_head.num_classes is {classes}: set it to 3')):
        ClassCountHook().before_train(runner_of(classes, train=folder('0', '2')))


def test_a_stock_head_of_another_width_behind_an_image_model(folder):
    runner = runner_of(2, train=folder('0', '1'))
    runner.model.backbone = ImageTMM(dict(type='PatchMeanTeacher'), dict(type='r3d', hidden=8), out_channels=8,
                                     stored_width=4)
    ClassCountHook().before_train(runner)
    runner.model.backbone.out_channels = 16
    with pytest.raises(ValueError, match=r'ImageTMM\) gives 16 channels, but model.cls_head.in_channels is 8: set it '
                                         'to 16'):
        ClassCountHook().before_train(runner)


@pytest.mark.parametrize('reverse, classes, words', [
    (False, 4, '4 rates'), (True, 8, '4 rates, each also backward')])
def test_a_head_of_more_or_fewer_classes_than_playback_rates(folder, reverse, classes, words):
    """No label of a list is asked for."""
    train = folder('', pipeline=[dict(type='PlaybackRate', reverse=reverse)])
    ClassCountHook().before_train(runner_of(classes, train=train))
    for wrong in (classes - 1, classes + 1):
        with pytest.raises(ValueError, match=fr'train_dataloader: PlaybackRate has {classes} classes \({words}\), but '
                                             fr'model.cls_head.num_classes is {wrong}: set it to {classes}'):
            ClassCountHook().before_train(runner_of(wrong, train=train))


def test_a_head_made_for_both_lists_may_have_a_class_that_only_the_test_has(folder):
    train, val = folder('0', '1'), folder('3', name='val.txt')
    ClassCountHook(exact=False).before_train(runner_of(4, train=train, val=val))
    with pytest.raises(ValueError, match="train_dataloader: 'train.txt' has 2 classes"):
        ClassCountHook(exact=False).before_train(runner_of(1, train=train))


def test_a_test_list_beyond_the_head(folder):
    train, beyond = folder('0', '1'), folder('5', name='val.txt')
    with pytest.raises(ValueError, match="val_dataloader: 'val.txt' has 6 classes"):
        ClassCountHook().before_train(runner_of(2, train=train, val=beyond))
    with pytest.raises(ValueError, match="test_dataloader: 'val.txt' has 6 classes"):
        ClassCountHook().before_test(runner_of(2, test=beyond))


def test_a_list_without_labels(folder):
    with pytest.raises(ValueError, match="train_dataloader: 'train.txt' has no labels"):
        ClassCountHook().before_train(runner_of(2, train=folder('')))


def test_the_label_that_the_pipeline_chooses_counts(folder):
    names = dict(label_names=('digit', 'motion'))
    dataset = folder('3 7', '1 2', pipeline=[PackViews(label='motion')], **names)
    assert count_classes(dataset) == 8
    assert count_classes(folder('3 7', '1 2', pipeline=[PackViews(label='digit')], **names)) == 4


def test_mmaction2_s_own_data_set(tmp_path):
    (tmp_path / 'list.txt').write_text('a.mp4 4\nb.mp4 1\n')
    assert count_classes(VideoDataset(str(tmp_path / 'list.txt'), pipeline=[])) == 5
