"""Token maps are written once, told before, complete, and train as the live image model on the same crops does."""

import copy
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from iboot_mm.datasets.decoders.pyav import PyAVReader
from iboot_mm.datasets.transforms import CropViews, DecodeViews, OpenVideo

from ..scripts import load_tool
from ..videos import cut, moving_frames, write_video

TEACHER = dict(type='TimmTeacher', model='vit_tiny_patch16_224', pretrained=False, input_size=32, name='tiny',
               model_args=dict(img_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2))
CROP = dict(size=40, short_side=44)
RATE = dict(type='PlaybackRate', clip_len=4, frame_interval=2, rates=(1, 2), num_views=2, test_mode=True)


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    (folder / 'deep').mkdir()
    for number in range(3):
        write_video(folder / 'deep' / f'{number}.mp4', moving_frames(20 + number, seed=number))
    cut(folder / 'deep' / '0.mp4', folder / 'broken.mp4', .02)
    (folder / 'list.txt').write_text('deep/0.mp4 0\ndeep/1.mp4 1\nbroken.mp4 0\ndeep/2.mp4 1\n')
    return folder


def pipeline(first, between):
    return [first, dict(RATE), *between, dict(type='PackViews', label='playback_rate')]


def config(videos, tmp_path, **options):
    tokens = dict(dict(type='OpenTokens', store=str(tmp_path / 'tokens'), root=str(videos), teacher=TEACHER, **CROP),
                  **options)
    dataset = dict(type='VideoFolder', root=str(videos), ann_file=str(videos / 'list.txt'), test_mode=True,
                   pipeline=pipeline(tokens, [dict(type='TakeTokens')]))
    cfg = Config(dict(train_dataloader=dict(dataset=dataset), val_dataloader=dict(dataset=copy.deepcopy(dataset))))
    cfg.dump(tmp_path / 'config.py')
    return cfg


@pytest.fixture
def write(videos, tmp_path, monkeypatch):
    """Runs the tool on a folder's config with these options of ``OpenTokens``; returns the config."""

    def run(*arguments, seed=0, folder=videos, **options):
        cfg = config(folder, tmp_path, **options)
        torch.manual_seed(seed)  # the image model's weights
        monkeypatch.setattr(sys, 'argv', ['cache_tokens', str(tmp_path / 'config.py'), '--workers', '0', '--device',
                                          'cpu', *arguments])
        load_tool('data/cache_tokens').main()
        return cfg

    return run


def recognizer(**backbone):
    torch.manual_seed(0)  # the image model first: the same in the tool
    net = MODELS.build(dict(type='ImageTMM', teacher=TEACHER, temporal=dict(type='r3d', hidden=64), out_channels=24))
    model = MODELS.build(dict(
        type='Recognizer3D', backbone=dict(type='ImageTMM', teacher=TEACHER, temporal=dict(type='r3d', hidden=64),
                                           out_channels=24, **backbone),
        cls_head=dict(type='MLPHead', in_channels=24, num_classes=2, hidden=8, topk=(1, ), dropout_ratio=0.),
        data_preprocessor=(dict(type='TokenPreprocessor', per_clip=True) if backbone else
                           dict(type='ClipPreprocessor', color_jitter=None, gray_prob=0., blur_prob=0.))))
    torch.manual_seed(1)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    if not backbone:
        model.backbone.teachers = net.teachers
    return model


def decoded_at_once(path, every):
    """Crops (3, F, 40, 40) of all frames of a video, as training makes those of a clip."""
    results = OpenVideo()(dict(filename=path))
    results.update(frame_inds=np.arange(0, results['total_frames'], every)[None], view_seeds=[0])
    return CropViews(test_mode=True, **CROP)(DecodeViews()(results))['imgs'][0].transpose(3, 0, 1, 2)


@pytest.mark.parametrize('every', [1, 4])
@pytest.mark.parametrize('name, options', [
    ('one_keyframe.mp4', dict(codec_options=dict(g='100', bf='3'))),
    ('turned.mp4', dict(codec_options=dict(g='12'), rotation=90)),
    ('open_gop.mkv', dict(codec_options={'g': '12', 'bf': '2', 'x264-params': 'mbtree=0:open-gop=1'})),
    ('broadcast.ts', dict(codec_options=dict(g='12'))),
    ('no_times.h264', {}), ('sizes.h264', {})])
def test_frames_are_those_that_are_decoded_at_once(tmp_path, name, options, every):
    frames = moving_frames(40)
    path = Path(write_video(tmp_path / name, frames, **options))
    if name == 'sizes.h264':  # the stream changes its size on the way
        path.write_bytes(path.read_bytes() + Path(write_video(tmp_path / 'b.h264', frames[:10, :24, :40])).read_bytes())
    tool = load_tool('data/cache_tokens')
    _, crops = tool.WholeVideos([str(path)], every=every, **CROP)[0]
    np.testing.assert_array_equal(crops.numpy(), decoded_at_once(str(path), every))


def test_frames_are_decoded_once_and_held_one_by_one(tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', moving_frames(80), codec_options=dict(g='100'))
    held, packets, crop, output = [], [], CropViews.transform, PyAVReader._output
    monkeypatch.setattr(CropViews, 'transform', lambda self, results: held.append(len(results['frames'])) or
                        crop(self, results))
    monkeypatch.setattr(PyAVReader, '_output', lambda self, context, packet: (
        packets.append(bool(packet and packet.size)) or output(self, context, packet)))
    _, crops = load_tool('data/cache_tokens').WholeVideos([path], every=1, **CROP)[0]
    assert crops.shape == (3, 80, 40, 40) and held == [1] * 80 and sum(packets) == 80


def test_a_frame_that_does_not_decode_is_named(tmp_path, monkeypatch):
    path, decode = write_video(tmp_path / 'a.mp4', moving_frames(20)), PyAVReader._decode
    monkeypatch.setattr(PyAVReader, '_decode', lambda self, start, wanted=None: (
        frame for number, frame in enumerate(decode(self, start)) if number not in (7, 8, 12)))
    files = load_tool('data/cache_tokens').WholeVideos([path], every=4, **CROP)
    assert files[0] == (0, 'frame 8 of 20 does not decode')


def test_what_the_decoder_says_is_a_reason(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError('the disk is gone')

    path = write_video(tmp_path / 'a.mp4', moving_frames(4))
    monkeypatch.setattr(PyAVReader, '_decode', fail)
    assert load_tool('data/cache_tokens').WholeVideos([path], every=1, **CROP)[0] == (0, 'the disk is gone')


def test_the_loss_is_the_live_one_on_the_same_crops(write, videos, capsys):
    cfg = write()
    printed = capsys.readouterr().out
    assert '0 of 4 videos are there; 4 to write, 256 numbers a frame (16 x 4 x 4), about 0 MB' in printed
    assert 'Unreadable video: ' in printed and '3 videos written, 1 could not be read' in printed
    live = copy.deepcopy(cfg.train_dataloader.dataset)
    live.pipeline = pipeline(dict(type='OpenVideo'), [
        dict(type='DecodeViews'), dict(type='CropViews', test_mode=True, **CROP)])
    losses, inds, maps = [], [], []
    for part, options in ((cfg.train_dataloader.dataset, dict(stored_width=16)), (live, {})):
        dataset, model = DATASETS.build(part), recognizer(**options)
        batch = model.data_preprocessor(pseudo_collate([dataset[i] for i in (0, 1, 3)]), training=True)
        assert batch['inputs'].shape[:3] == (6, 1, 16 if options else 3)
        inds.append([sample.gt_label.item() for sample in batch['data_samples']])
        losses.append(model(**batch, mode='loss')['loss_cls'])
        clips = batch['inputs'][:, 0]
        maps.append(clips if options else model.backbone.image_maps(clips * model.backbone.std + model.backbone.mean))
    torch.testing.assert_close(*maps, rtol=2e-3, atol=2e-3)
    assert inds[0] == inds[1] == [0, 1, 1, 0, 1, 0]
    torch.testing.assert_close(*losses, rtol=1e-2, atol=0)


def test_a_broken_video_is_one_when_its_tokens_are_read(write):
    sample = DATASETS.build(write().train_dataloader.dataset)[2]['data_samples']
    (path, reason), = sample.unreadable
    assert path.endswith('broken.mp4') and "tokens' was written" in reason and sample.replaced


def test_maps_of_fewer_frames_and_places_are_those_of_the_whole(write, tmp_path):
    write()
    whole = np.load(tmp_path / 'tokens/videos/deep/1.mp4.npy').astype(np.float32)
    assert whole.shape == (21, 4, 4, 16)
    write(store=str(tmp_path / 'small'), resolution=2, every=4)
    small = np.load(tmp_path / 'small/videos/deep/1.mp4.npy')
    expected = whole[::4].reshape(6, 2, 2, 2, 2, 16).mean((2, 4))
    np.testing.assert_allclose(small, expected, rtol=2e-3, atol=2e-3)


def test_a_stopped_run_goes_on_and_processes_share(write, tmp_path, capsys):
    write('--part', '0/2')
    first = {path.name for path in (tmp_path / 'tokens/videos').rglob('*.*')}
    assert first == {'0.mp4.npy', 'broken.mp4.unreadable'}
    content = (tmp_path / 'tokens/videos/deep/0.mp4.npy').stat().st_mtime_ns
    write()
    assert '1 of 4 videos are there; 3 to write' in capsys.readouterr().out
    assert (tmp_path / 'tokens/videos/deep/2.mp4.npy').is_file()
    assert (tmp_path / 'tokens/videos/deep/0.mp4.npy').stat().st_mtime_ns == content


def test_a_process_that_starts_later_has_the_same_share(write, tmp_path):
    write('--part', '0/2')
    write('--part', '1/2')
    found = {path.name for path in (tmp_path / 'tokens/videos').rglob('*.*')}
    assert found == {'0.mp4.npy', '1.mp4.npy', '2.mp4.npy', 'broken.mp4.unreadable'}


def test_a_mended_video_is_read_by_the_next_run(write, videos, tmp_path, capsys):
    mended = tmp_path / 'mended'
    mended.mkdir()
    (mended / 'list.txt').write_text('a.mp4 0\n')
    (mended / 'a.mp4').write_bytes((videos / 'broken.mp4').read_bytes())
    write(folder=mended)
    assert '0 videos written, 1 could not be read' in capsys.readouterr().out
    (mended / 'a.mp4').write_bytes((videos / 'deep/0.mp4').read_bytes())
    os.utime(mended / 'a.mp4', (0, 0))  # its time says nothing
    write(folder=mended)
    assert '0 of 1 videos are there; 1 to write, 256 numbers' in capsys.readouterr().out
    assert [file.name for file in (tmp_path / 'tokens/videos').iterdir()] == ['a.mp4.npy']


def test_maps_that_are_older_than_their_video_are_written_anew(write, videos, tmp_path, capsys):
    write()
    kept, old = (tmp_path / f'tokens/videos/deep/{number}.mp4.npy' for number in (0, 1))
    right, before = old.read_bytes(), kept.stat().st_mtime_ns
    np.save(old, np.zeros(3))
    os.utime(old, (0, 0))
    capsys.readouterr()
    write()
    assert '2 of 4 videos are there; 2 to write, 1 of them anew, since their videos are' in capsys.readouterr().out
    assert old.read_bytes() == right and kept.stat().st_mtime_ns == before


def test_the_videos_of_all_loaders_are_found_once(videos, tmp_path):
    cfg = config(videos, tmp_path)
    for loader, names in ((cfg.train_dataloader, '01'), (cfg.val_dataloader, '12')):
        loader.dataset.ann_file = str(tmp_path / names)
        (tmp_path / names).write_text(''.join(f'deep/{name}.mp4 0\n' for name in names))
    files, = load_tool('data/cache_tokens').find_stores(cfg).values()
    assert files == [f'{videos}/deep/{name}.mp4' for name in '012']


def test_one_store_for_two_roots_is_refused(videos, tmp_path, monkeypatch):
    cfg = config(videos, tmp_path)
    cfg.val_dataloader.dataset.pipeline[0].root = str(videos / 'deep')
    cfg.dump(tmp_path / 'config.py')
    monkeypatch.setattr(sys, 'argv', ['cache_tokens', str(tmp_path / 'config.py')])
    with pytest.raises(SystemExit, match="tokens' would hold videos below '.*' and '.*deep', whose"):
        load_tool('data/cache_tokens').main()


def test_a_full_disk_is_told_before(write, monkeypatch, tmp_path):
    monkeypatch.setattr('shutil.disk_usage', lambda path: type('usage', (), dict(free=30_000)))
    with pytest.raises(SystemExit, match="has room for 0.0 GB, but the token maps take 0.0 GB: choose another"):
        write()  # 21 frames of 4 videos, 512 bytes each
    assert not (tmp_path / 'tokens/videos').exists()


def test_other_weights_of_the_image_model_are_refused(write):
    write()
    with pytest.raises(SystemExit, match="'.*tokens' holds token maps of something else: own is"):
        write(seed=1)


def test_a_config_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['cache_tokens', str(tmp_path / 'none.py')])
    with pytest.raises(SystemExit, match='cache_tokens: .*none.py'):
        load_tool('data/cache_tokens').main()


def test_a_config_without_tokens_is_one_sentence(tmp_path, monkeypatch):
    Config(dict(train_dataloader=dict(dataset=dict(type='VideoFolder', pipeline=[])))).dump(tmp_path / 'config.py')
    monkeypatch.setattr(sys, 'argv', ['cache_tokens', str(tmp_path / 'config.py')])
    with pytest.raises(SystemExit, match='reads no token maps'):
        load_tool('data/cache_tokens').main()
