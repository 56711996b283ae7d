import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from iboot_mm.evaluation.protocols.comparison import (
    comparison_encoders,
    encode_dataset,
    find_neighbors,
    knn_table,
    raw_pixels,
)


def make_sample(role, labels, name, replaced=False):
    sample = ActionDataSample()
    sample.set_metainfo(dict(role=role, labels=labels, filename=name, replaced=replaced, view_seeds=[0]))
    return sample


def make_batch(samples, seed=0):
    generator = torch.Generator().manual_seed(seed)
    clips = [torch.randint(0, 256, (1, 3, 4, 32, 32), dtype=torch.uint8, generator=generator) for _ in samples]
    return dict(inputs=clips, data_samples=samples)


@pytest.fixture
def model(slow_backbone):
    torch.manual_seed(0)
    return MODELS.build(dict(type='IBoot', backbone=slow_backbone, feature_dim=64,
                             teacher=dict(type='PatchMeanTeacher'))).eval()


def test_raw_pixels_are_block_means_in_order_of_the_frames():
    clips = torch.arange(2 * 3 * 2 * 4 * 4.).view(2, 3, 2, 4, 4)
    pixels = raw_pixels(clips, side=2)
    assert pixels.shape == (2, 3 * 2 * 4)
    assert pixels[0, 0] == clips[0, 0, 0, :2, :2].mean()
    assert pixels[0, 4] == clips[0, 0, 1, :2, :2].mean()
    assert not torch.equal(raw_pixels(clips.flip(2), side=2), pixels)


def test_encoders_see_the_same_clips(model, slow_backbone):
    encoders = comparison_encoders(model, slow_backbone, seed=3)
    assert list(encoders) == ['raw pixels', 'random network', 'teacher', 'iBoot']
    batch = make_batch([make_sample('gallery', {}, 'a'), make_sample('query', {}, 'b')])
    features, samples = encode_dataset([batch], model.data_preprocessor, encoders)
    clips = torch.stack(batch['inputs'])[:, 0].float() / 255
    with torch.no_grad():
        assert torch.allclose(features['iBoot'], model.extract_feat(clips).mean(1), atol=1e-6)
        assert torch.allclose(features['teacher'], model.teachers[0](clips).mean(1), atol=1e-6)
    assert not torch.allclose(features['random network'], features['iBoot'], atol=1e-3)
    again, _ = encode_dataset([batch], model.data_preprocessor, comparison_encoders(model, slow_backbone, seed=3))
    assert torch.equal(again['random network'], features['random network'])
    assert [s['filename'] for s in samples] == ['a', 'b']


def test_rows_of_other_networks_and_of_methods_without_a_teacher(model, slow_backbone):
    heads = dict(projector=dict(hidden_dim=8, out_dim=4), predictor=dict(hidden_dim=8))
    byol = MODELS.build(dict(type='VideoBYOL', backbone=slow_backbone, feature_dim=64, **heads)).eval()
    encoders = comparison_encoders(byol, slow_backbone, also={'another': model})
    assert list(encoders) == ['raw pixels', 'random network', 'another', 'rho-BYOL']
    clips = torch.rand(2, 3, 4, 32, 32)
    with torch.no_grad():
        assert torch.equal(encoders['another'](clips), model.extract_feat(clips).mean(1))
        assert torch.equal(encoders['rho-BYOL'](clips), byol.extract_feat(clips).mean(1))
    with_teacher = comparison_encoders(model, slow_backbone, also={'rho-BYOL': byol})
    assert list(with_teacher) == ['raw pixels', 'random network', 'rho-BYOL', 'teacher', 'iBoot']
    with pytest.raises(ValueError, match="two rows of the table would be called 'iBoot'"):
        comparison_encoders(model, slow_backbone, also=dict(iBoot=byol))


def test_stand_ins_are_left_out(model):
    batches = [make_batch([make_sample('gallery', {}, 'a'), make_sample('query', {}, 'b', replaced=True)]),
               make_batch([make_sample('gallery', {}, 'c', replaced=True)])]
    features, samples = encode_dataset(batches, model.data_preprocessor, dict(raw=raw_pixels))
    assert [s['filename'] for s in samples] == ['a'] and features['raw'].shape[0] == 1


def test_table_and_chance():
    corners = torch.eye(4)
    samples = [dict(role='gallery', labels=dict(kind=0 if i < 5 else 1), filename=f'g{i}') for i in range(8)]
    samples += [dict(role='query', labels=dict(kind=k), filename=f'q{i}') for i, k in enumerate((0, 0, 1, 1, 1))]
    good = torch.stack([corners[s['labels']['kind']] for s in samples])
    table = knn_table(dict(good=good, blind=torch.ones(13, 4)), samples, k=8)
    assert table['chance']['kind'] == pytest.approx(.4)  # always saying 0, the gallery's most frequent class
    assert table['good']['kind'] == 1
    assert table['blind']['kind'] == pytest.approx(.4)
    unlabelled = [dict(s, labels={}) for s in samples]
    assert knn_table(dict(good=good), unlabelled) == dict(chance={}, good={})


def test_neighbors_leave_the_query_itself_out():
    samples = [dict(role='gallery', labels={}, filename=str(i)) for i in range(10)]
    samples += [dict(role='query', labels={}, filename=str(i)) for i in (2, 9)]
    angles = torch.arange(10.) * .1
    gallery = torch.stack([angles.cos(), angles.sin()], 1)
    found = find_neighbors(torch.cat([gallery, gallery[[2, 9]]]), samples, num_queries=5, num_neighbors=2)
    assert [f['query']['filename'] for f in found] == ['2', '9']
    assert {n['filename'] for n in found[0]['neighbors']} == {'1', '3'}
    assert [n['filename'] for n in found[1]['neighbors']] == ['8', '7']
    assert found[1]['neighbors'][0]['similarity'] == pytest.approx(torch.tensor(.1).cos().item(), abs=1e-6)


def test_without_queries_a_sentence():
    with pytest.raises(ValueError, match='no readable query video'):
        find_neighbors(torch.ones(1, 2), [dict(role='gallery', labels={}, filename='a')])
