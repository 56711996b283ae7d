"""From a sentence and a folder to its best files, against the same by hand."""

import sys

import open_clip
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.dataset import Compose

from iboot_mm.checkpoints.clip_recipe import clip_pipeline
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets.transforms.decoding import OpenVideo

from ..checkpoint_files import CONFIG, write_checkpoint
from ..clip_models import add_clip
from ..scripts import load_tool
from ..videos import write_folder

TOOL = load_tool('search_videos')
SENTENCE = 'a ball rolls'
INPUT = dict(mean=[.4, .2, .6], std=[.2, .1, .3])


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    """A published student of two teachers; the second is a small image-text model with a file of its own."""
    folder = tmp_path_factory.mktemp('search')
    add_clip('search-clip', folder)
    torch.manual_seed(0)
    torch.save(open_clip.create_model('search-clip', pretrained=None).state_dict(), folder / 'clip.pth')
    teacher = f"dict(type='OpenCLIPTeacher', model='search-clip', checkpoint='{folder}/clip.pth')"
    text = CONFIG.replace("dict(type='PatchMeanTeacher', width=6, name='other', seed=1)", teacher)
    trained = write_checkpoint(folder / 'run', text.replace('feature_dim', f'normalization={INPUT}, feature_dim'))
    publish = load_tool('convert/publish').publish
    return folder, *publish(trained['checkpoint'], folder / 'published', trained['config'])


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp('videos'))


def by_hand(whole, videos, num_clips: int) -> dict[str, float]:
    info = describe_checkpoint(whole)
    model = MODELS.build(dict(type='JointSpaceEncoder', backbone=info.backbone, feature_dim=64, width=12, target=1,
                              target_norm='standardize', normalization=INPUT)).eval()
    model.load_state_dict(info.state, strict=False)
    network = open_clip.create_model('search-clip', pretrained=None).eval()
    network.load_state_dict(torch.load(whole.parent.parent / 'clip.pth'))
    cosines, pipeline = {}, Compose(clip_pipeline(info.clip, num_clips))
    with torch.no_grad():
        sentence = network.encode_text(open_clip.get_tokenizer('search-clip')([SENTENCE]))[0]
        for file in sorted(videos.rglob('[a-c].mp4')):
            views = model.data_preprocessor(dict(inputs=[pipeline(dict(filename=str(file), sample_idx=0))['inputs']]))
            feature = model(views['inputs'])[0].mean(dim=(0, 1))
            cosines[str(file)] = torch.cosine_similarity(feature, sentence, dim=0).item()
    return cosines


def test_the_best_files_come_first_and_the_next_sentence_reads_no_video(published, videos, tmp_path, monkeypatch,
                                                                        capsys):
    folder, _, whole = published
    arguments = ['search_videos', SENTENCE, str(videos), '--checkpoint', str(whole), '--store', str(tmp_path / 'store'),
                 '--text-weights', str(folder / 'clip.pth'), '--clips', '2', '--workers', '0', '--batch-size', '2']
    monkeypatch.setattr(sys, 'argv', arguments)
    TOOL.main()
    printed, progress = capsys.readouterr()
    expected = by_hand(whole, videos, num_clips=2)
    lines = [line.split() for line in printed.splitlines() if '.mp4' in line]
    assert [file for _, file in lines] == sorted(expected, key=expected.get, reverse=True)
    for cosine, file in lines:
        assert float(cosine) == pytest.approx(expected[file], abs=2e-3)
    assert 'batch 2 of 2, 0 s left' in progress

    def refuse(*_):
        raise AssertionError('a video was opened')
    monkeypatch.setattr(OpenVideo, 'transform', refuse)
    monkeypatch.setattr(sys, 'argv', [*arguments, '--top', '1'])
    TOOL.main()
    assert capsys.readouterr().out.count('.mp4') == 1


def test_a_checkpoint_that_knows_no_words(published, videos, tmp_path, monkeypatch):
    _, backbone, whole = published
    for checkpoint, words in ((backbone, r'shares its space with words \(none is named\)'),
                              (tmp_path / 'missing.pth', 'no checkpoint at'),
                              (whole, 'from a file, clip.pth, which is not here: name it with --text-weights')):
        monkeypatch.setattr(sys, 'argv', ['search_videos', SENTENCE, str(videos), '--checkpoint', str(checkpoint)])
        with pytest.raises(SystemExit, match=words):
            TOOL.main()
    with pytest.raises(ValueError, match=r'PatchMeanTeacher \(embedding\)'):
        TOOL.text_tower_of(describe_checkpoint(whole).teachers[:1])
