"""The command from a list of videos to its table, against the same by hand."""

import json
import sys

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.decoders.base import open_video
from iboot_mm.evaluation.images.frame_classifier import FrameClassifier, FrameEncoder, LoadedClassifier, save_classifier

from ..checkpoint_files import CONFIG, write_checkpoint
from ..datasets.benchmarks import ytbb_robust
from ..datasets.benchmarks.vid_robust import write_tree
from ..scripts import load_tool
from ..videos import moving_frames, write_video

TOOL = load_tool('frame_stability')


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('stability')
    info = describe_checkpoint(write_checkpoint(folder / 'run', CONFIG)['checkpoint'])
    torch.manual_seed(0)
    net = FrameClassifier(FrameEncoder(info.build_encoder(), 32), nn.Linear(64, 2))
    for number in range(4):
        write_video(folder / f'{number}.mp4', moving_frames(26, seed=number))
    with torch.no_grad():  # its predictions change within videos
        frames = [torch.from_numpy(open_video(str(folder / f'{n}.mp4')).read(range(26))) for n in range(4)]
        features = net.features(torch.cat(frames).permute(0, 3, 1, 2))
        net.head.weight[1] = net.head.weight[0] + (features[10] - features[16])
        net.head.bias[1] = net.head.bias[0] - (features @ (features[10] - features[16])).median()
    save_classifier(net, info, 32, folder / 'net.pth')
    (folder / 'broken.mp4').write_bytes(b'no video')
    return folder


def call(monkeypatch, place, text: str, *arguments: object, net: str = 'net.pth') -> None:
    (place / 'list.txt').write_text(text)
    line = ['frame_stability.py', place / net, '--videos', place, '--list', place / 'list.txt', '--device', 'cpu']
    monkeypatch.setattr(sys, 'argv', list(map(str, [*line, *arguments])))
    TOOL.main()


def by_hand(place, anchors, radius: int) -> tuple[int, int]:
    """Right anchors, and anchors with everything around them right."""
    classifier, classes, right, everywhere = LoadedClassifier(place / 'net.pth'), {}, 0, 0
    for number in {number for number, _, _ in anchors}:
        with open_video(str(place / f'{number}.mp4')) as video, torch.no_grad():
            images = [classifier.prepare(frame)[None] for frame in video.read(range(26))]
            classes[number] = [int(classifier.net(image).argmax()) for image in images]
    for number, label, frame in anchors:
        hits = [found == label for found in classes[number]]
        right += hits[frame]
        everywhere += all(hits[max(0, frame - radius):frame + radius + 1])
    return right, everywhere


def test_the_table_of_middle_frames_and_of_named_anchors(place, monkeypatch, capsys, tmp_path):
    call(monkeypatch, place, ''.join(f'{n}.mp4 {n % 2}\n' for n in range(4)) + 'broken.mp4 1\n')
    printed = capsys.readouterr().out
    right, everywhere = by_hand(place, [(n, n % 2, 13) for n in range(4)], 10)
    assert '4 anchor frames, 0 videos cut off, 1 anchors left out' in printed and 'broken.mp4: ' in printed
    assert f'accuracy         {25 * right:5.1f} %' in printed
    assert f'PM-10 accuracy   {25 * everywhere:5.1f} %' in printed
    anchors = [(n, label, frame) for n in range(4) for label in (0, 1) for frame in (2, 20)]
    call(monkeypatch, place, ''.join(f'{n}.mp4 {label} {frame}\n' for n, label, frame in anchors), '--anchors',
         '--radius', 3, '--out', tmp_path / 'out.json')
    right, everywhere = by_hand(place, anchors, 3)
    assert right == 8 and 0 < everywhere < 8  # each anchor with both labels
    results = json.loads((tmp_path / 'out.json').read_text())
    assert results['accuracy']['value'] == .5 and results['perturbed']['value'] == everywhere / 16
    assert results['difference'] == (8 - everywhere) / 16 and len(results['judged']) == 16


def test_a_class_map_makes_coarser_classes_and_leaves_some_out(place, monkeypatch, capsys):
    lines, map_file = ''.join(f'{n}.mp4 5\n' for n in range(4)), place / 'map.txt'
    for text, share in (('5\n5\n', 100.), ('-\n5\n', 100.), ('5\n0\n', 25. * by_hand(
            place, [(n, 0, 13) for n in range(4)], 0)[0])):
        map_file.write_text(text)
        call(monkeypatch, place, lines, '--class-map', map_file, '--radius', 0)
        assert f'accuracy         {share:5.1f} %' in capsys.readouterr().out
    for text in ('5\n', '-\n-\n', '5\nx\n'):
        map_file.write_text(text)
        with pytest.raises(SystemExit, match='map.txt must have 2 lines, one for each class of the classifier'):
            call(monkeypatch, place, lines, '--class-map', map_file)


def test_folders_of_frames(place, monkeypatch, capsys):
    for number in range(2):
        (place / f'frames{number}').mkdir()
        with open_video(str(place / f'{number}.mp4')) as video:
            for i, frame in enumerate(video.read(range(26))):
                cv2.imwrite(str(place / f'frames{number}' / f'{i}.png'), frame[..., ::-1])
    call(monkeypatch, place, 'frames0 0\nframes1 1\n', '--decoder', 'frames')
    right, everywhere = by_hand(place, [(n, n, 13) for n in range(2)], 10)
    printed = capsys.readouterr().out
    assert f'accuracy         {50 * right:5.1f} %' in printed
    assert f'PM-10 accuracy   {50 * everywhere:5.1f} %' in printed
    with pytest.raises(SystemExit, match="Unknown decoder 'nope'"):
        call(monkeypatch, place, '0.mp4 0\n', '--decoder', 'nope')


def test_the_published_benchmark(place, monkeypatch, capsys, tmp_path):
    """By hand with the classifier's own logits: of 6 classes, 4 count as 3 of the benchmark's, the best of them."""
    classifier = LoadedClassifier(place / 'net.pth')
    torch.manual_seed(1)
    net = FrameClassifier(classifier.net.features, nn.Linear(64, 6))
    info = describe_checkpoint(place / 'net.pth')
    rng = np.random.default_rng(0)
    frames = {f'val/{video}/{i}.png': rng.integers(0, 256, (40, 56, 3), dtype=np.uint8)
              for video in 'abcdef' for i in range(3)}
    with torch.no_grad():
        features = net.features(torch.stack([classifier.prepare(frame) for frame in frames.values()]))
        net.head.weight *= 30
        net.head.bias -= net.head(features).mean(0)
        logits = net.head(features)
    save_classifier(net, info, 32, tmp_path / 'six.pth')
    fine, coarse = (5, 1, 2, 4), {5: 0, 1: 1, 2: 1, 4: 2}
    best = logits[:, list(fine)].argmax(1)
    predicted = dict(zip(frames, [coarse[fine[i]] for i in best.tolist()]))
    assert len(set(predicted.values())) > 1
    sets = {f'val/{video}/1.png': [f'val/{video}/0.png', f'val/{video}/2.png'] for video in 'abcdef'}
    labels = {name: sorted({int(rng.integers(3)), int(rng.integers(3))}) for name in frames}
    write_tree(tmp_path / 'tree', frames, sets, labels, fine, 6)
    (tmp_path / 'tree/val/f/2.png').unlink()
    right = [name for name in sets if predicted[name] in labels[name] and '/f/' not in name]
    everywhere = [name for name in right if all(predicted[other] in labels[other] for other in sets[name])]
    line = ['frame_stability.py', tmp_path / 'six.pth', '--benchmark', tmp_path / 'tree', '--device', 'cpu']
    monkeypatch.setattr(sys, 'argv', list(map(str, line)))
    TOOL.main()
    printed = capsys.readouterr().out
    assert '5 anchor frames, 0 videos cut off, 1 anchors left out' in printed and 'val/f/2.png' in printed
    assert f'accuracy         {20 * len(right):5.1f} %' in printed and 0 < len(right)
    assert f'PM-10 accuracy   {20 * len(everywhere):5.1f} %' in printed
    monkeypatch.setattr(sys, 'argv', list(map(str, [*line[:1], place / 'net.pth', *line[2:]])))
    with pytest.raises(SystemExit, match='the benchmark maps class 5, but the classifier has 2: take one of ImageNet'):
        TOOL.main()
    monkeypatch.setattr(sys, 'argv', list(map(str, [*line, '--list', 'x'])))
    with pytest.raises(SystemExit):
        TOOL.main()
    assert 'give --videos and --list, or --benchmark' in capsys.readouterr().err


def test_the_other_benchmark(tmp_path):
    ytbb_robust.write_lists(tmp_path, [('a_1/frame-5.jpg', ['good', 'dog']), ('b_2/frame-5.jpg', ['good'])],
                            [('a_1', 5, 6, ['similar']), ('b_2', 5, 4, ['similar'])], {'a,1': 22, 'b,2': 1})
    for place, gray in {'a_1/frame-5': 230, 'a_1/frame-6': 190, 'b_2/frame-5': 10, 'b_2/frame-4': 20}.items():
        path = tmp_path / f'ytbb_videos/{place}.jpg'
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.full((16, 16, 3), gray, np.uint8))
    maps = []

    def predict(frames, label_of):  # a tenth of the brightness
        maps.append(label_of.tolist())
        return [round(float(frame.mean()) / 10) for frame in frames]

    for classes in (24, 1000):
        verdicts = TOOL.judge_benchmark(str(tmp_path), 'picture', False, classes, predict)
        assert [one['predictions'] for one in verdicts.judged] == [[23, 19], [1, 2]]
        assert [one['right'] for one in verdicts.judged] == [True, True]
        assert [one['right_everywhere'] for one in verdicts.judged] == [True, False]
    assert maps[0] == [number if number != 22 else -1 for number in range(24)]  # 'none' is no answer
    assert maps[-1] == [23, -1, 19] + [-1] * 997
    with pytest.raises(ValueError, match='the benchmark maps class 2, but the classifier has 2'):
        TOOL.judge_benchmark(str(tmp_path), 'picture', False, 2, predict)


def test_a_network_that_has_diverged_is_right_nowhere(place, monkeypatch, capsys):
    content = torch.load(place / 'net.pth')
    content['state_dict']['cls_head.fc_cls.bias'][0] = torch.nan
    torch.save(content, place / 'nan.pth')
    call(monkeypatch, place, '0.mp4 0\n', net='nan.pth')
    assert 'accuracy           0.0 %' in capsys.readouterr().out


@pytest.mark.parametrize('text, arguments, words', [
    ('0.mp4 2\n', [], '0.mp4 is of class 2, which the classifier does not know'),
    ('0.mp4\n', [], "list.txt' has no labels"),
    ('0.mp4 1\n', ['--anchors'], 'needs a path and 2 labels'),
    ('nope.mp4 1\n', [], 'None of the files of'),
    ('broken.mp4 1\n', [], r'no anchor frame could be judged, the first is of \S+broken.mp4: FFmpeg finds no'),
    ('0.mp4 1\n', ['--radius', -1], 'a number of frames from 0, got -1'),
])
def test_mistakes_are_told_in_a_sentence(place, monkeypatch, text, arguments, words):
    with pytest.raises(SystemExit, match=words):
        call(monkeypatch, place, text, *arguments)
