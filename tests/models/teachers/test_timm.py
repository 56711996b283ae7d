"""Real loading code with small weights made here: a ViT and a CNN of timm."""

import copy

import pytest
import timm
import torch
from mmaction.registry import MODELS
from safetensors.torch import save_file
from timm.layers import QuickGELU
from torch import nn

from iboot_mm.models.teachers import TimmTeacher
from iboot_mm.models.teachers import timm as timm_teachers

VIT = dict(
    model='vit_tiny_patch16_224',
    model_args=dict(img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, num_classes=5),
    input_size=32,
)
CNN = dict(model='resnet10t', model_args=dict(num_classes=5), input_size=32)


def small(model: dict, **options) -> timm_teachers.TimmTeacher:
    torch.manual_seed(0)
    return MODELS.build(dict(type='TimmTeacher', pretrained=False, **model, **options))


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.rand(2, 3, 5, 32, 32, generator=torch.Generator().manual_seed(0))


def normalised(clips: torch.Tensor, teacher: TimmTeacher) -> torch.Tensor:
    mean, std = torch.tensor(teacher.mean), torch.tensor(teacher.std)
    return (clips.permute(0, 2, 3, 4, 1) - mean).div(std).permute(0, 1, 4, 2, 3).flatten(0, 1)  # (N T, C, H, W)


def by_hand(teacher: TimmTeacher, images: torch.Tensor) -> torch.Tensor:
    """The output from timm's own functions."""
    features = teacher.network.forward_features(images)
    if features.dim() == 3:
        cls, patches = features[:, 0], features[:, 1:]
        return dict(embedding=cls, cls=cls, mean=patches.mean(1), tokens=patches)[teacher.output]
    return dict(
        embedding=features.mean((2, 3)), mean=features.mean((2, 3)), tokens=features.flatten(2).transpose(1, 2)
    )[teacher.output]


@pytest.mark.parametrize(
    'model, output, shape',
    [
        (VIT, 'embedding', (2, 5, 24)),
        (VIT, 'cls', (2, 5, 24)),
        (VIT, 'mean', (2, 5, 24)),
        (VIT, 'tokens', (2, 5, 16, 24)),
        (CNN, 'embedding', (2, 5, 512)),
        (CNN, 'mean', (2, 5, 512)),
        (CNN, 'tokens', (2, 5, 1, 512)),
    ],
)
def test_outputs(model, output, shape, clips):
    teacher = small(model, output=output)
    features = teacher(clips)
    assert features.shape == shape and features.dtype == torch.float32 and not features.requires_grad
    assert teacher.width == shape[-1]
    torch.testing.assert_close(
        features.flatten(0, 1), by_hand(teacher, normalised(clips, teacher)), atol=1e-5, rtol=1e-5
    )


def test_time_and_batch_are_not_mixed_up(clips):
    teacher = small(VIT)
    one_by_one = torch.stack([torch.cat([teacher(clip[None, :, t : t + 1])[0] for t in range(5)]) for clip in clips])
    torch.testing.assert_close(teacher(clips), one_by_one, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('chunk_size, chunks', [(1, [1] * 10), (3, [3, 3, 3, 1]), (10, [10]), (100, [10])])
def test_chunks_bound_the_batch_and_change_nothing(chunk_size, chunks, clips):
    teacher = small(CNN, chunk_size=chunk_size)
    seen = []
    teacher.network.conv1.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    torch.testing.assert_close(teacher(clips), small(CNN)(clips), atol=1e-5, rtol=1e-5)
    assert seen == chunks


@pytest.mark.parametrize('size', [(48, 64), (20, 24)])
def test_own_input_size(size, clips):
    teacher = small(CNN | dict(input_size=size), chunk_size=10)
    resized = nn.functional.interpolate(clips.transpose(1, 2).flatten(0, 1), size, mode='bilinear', antialias=True)
    mean, std = torch.tensor(teacher.mean).view(3, 1, 1), torch.tensor(teacher.std).view(3, 1, 1)
    expected = teacher.network.forward_features((resized - mean) / std).mean((2, 3))
    torch.testing.assert_close(teacher(clips).flatten(0, 1), expected, atol=1e-5, rtol=1e-5)


def test_own_mean_and_std():
    assert small(CNN).mean == (0.485, 0.456, 0.406) and small(CNN).std == (0.229, 0.224, 0.225)
    teacher = small(CNN, mean=(0.5, 0.5, 0.5), std=(0.1, 0.2, 0.3))
    assert teacher.identity()['mean'] == (0.5, 0.5, 0.5) and teacher.identity()['std'] == (0.1, 0.2, 0.3)
    clips = torch.tensor([0.5, 0.5, 0.5]).view(1, 3, 1, 1, 1).expand(1, 3, 1, 32, 32)
    expected = teacher.network.forward_features(torch.zeros(1, 3, 32, 32)).mean((2, 3))
    torch.testing.assert_close(teacher(clips)[0], expected)


def test_never_part_of_a_model():
    teacher = small(CNN)
    student = nn.Linear(1, 1)
    student.teachers = [teacher]
    assert not isinstance(teacher, nn.Module)
    assert len(list(student.modules())) == 1 and set(student.state_dict()) == {'weight', 'bias'}
    student.train()
    nn.SyncBatchNorm.convert_sync_batchnorm(student)
    assert not any(module.training or isinstance(module, nn.SyncBatchNorm) for module in teacher.network.modules())
    assert not any(parameter.requires_grad for parameter in teacher.network.parameters())
    assert copy.deepcopy(student).teachers[0] is teacher


def test_statistics_and_gradients_stay_untouched(clips):
    teacher = small(CNN)
    before = {key: value.clone() for key, value in teacher.network.state_dict().items()}
    clips.requires_grad_()
    features = teacher(clips)
    weight = torch.ones(512, requires_grad=True)
    (features * weight).sum().backward()  # a target may be saved for backward
    assert clips.grad is None and weight.grad is not None
    assert all(value.equal(before[key]) for key, value in teacher.network.state_dict().items())


def test_own_precision(clips):
    teacher = small(VIT)
    assert teacher.precision == 'auto'
    with torch.autocast('cpu', dtype=torch.bfloat16):
        under_autocast = teacher(clips)
    assert under_autocast.equal(teacher(clips))  # fp32 on a CPU, whatever the student does
    low = small(VIT, precision='bf16')(clips)
    assert low.dtype == torch.float32 and not low.equal(under_autocast)
    torch.testing.assert_close(low, under_autocast, atol=0.1, rtol=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_follows_the_clips_to_a_gpu_and_uses_bf16_there(clips):
    teacher = small(VIT)
    expected = teacher(clips)
    features = teacher(clips.cuda())
    assert features.is_cuda and features.dtype == torch.float32
    torch.testing.assert_close(features.cpu(), expected, atol=0.1, rtol=0.1)
    assert teacher(clips).equal(expected)  # and back


# Local files ----------------------------------------------------------------------------------------------------------


def write(state: dict, file, nest) -> None:
    if file.suffix == '.safetensors':
        save_file(state, file)
    else:
        torch.save(nest(state), file)


@pytest.mark.parametrize('model', [VIT, CNN])
@pytest.mark.parametrize(
    'name, nest',
    [
        ('a.pth', lambda state: state),
        ('a.pt', lambda state: {'model': {f'module.{key}': value.half() for key, value in state.items()}}),
        ('a.safetensors', None),
    ],
)
def test_local_files(model, name, nest, clips, tmp_path):
    source = small(model)
    for buffer in source.network.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    write(source.network.state_dict(), tmp_path / name, nest)
    teacher = TimmTeacher(checkpoint=str(tmp_path / name), **model)
    tolerance = 2e-2 if name == 'a.pt' else 0
    torch.testing.assert_close(teacher(clips), source(clips), atol=tolerance, rtol=tolerance)
    assert teacher.identity()['checkpoint'] == name and teacher.licence == 'unknown'


def test_a_classifier_is_dropped_only_if_the_network_has_none(clips, tmp_path):
    source = small(CNN)
    torch.save(source.network.state_dict(), tmp_path / 'five.pth')
    with pytest.raises(ValueError, match=r'five\.pth.*fc\.weight \(5, 512\) instead of \(7, 512\)'):
        TimmTeacher('resnet10t', checkpoint=str(tmp_path / 'five.pth'), model_args=dict(num_classes=7))
    teacher = TimmTeacher(
        'resnet10t', checkpoint=str(tmp_path / 'five.pth'), model_args=dict(num_classes=0), input_size=32
    )
    assert teacher(clips).equal(source(clips))


def test_a_file_that_does_not_fit_names_keys_and_file(tmp_path):
    state = small(VIT).network.state_dict()
    del state['norm.weight']
    state['extra'] = torch.zeros(1)
    torch.save(state, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match=r'bad\.pth.*missing \(norm\.weight\).*unexpected \(extra\)'):
        TimmTeacher(checkpoint=str(tmp_path / 'bad.pth'), **VIT)


def test_position_embeddings_of_another_grid_are_resampled(tmp_path):
    """As for DINOv2, whose files are made for 518 pixels."""
    torch.save(small(VIT).network.state_dict(), tmp_path / 'vit.pth')
    larger = VIT | dict(model_args=VIT['model_args'] | dict(img_size=48), input_size=48)
    teacher = TimmTeacher(checkpoint=str(tmp_path / 'vit.pth'), output='tokens', **larger)
    assert teacher(torch.rand(1, 3, 1, 48, 48)).shape == (1, 1, 36, 24)


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'options, message',
    [
        (
            dict(model='vit_base_patch16_225.dino'),
            r"no model 'vit_base_patch16_225\.dino'; did you mean .*vit_base_patch16_224",
        ),
        (dict(model='vit_base_patch16_224.dyno'), "no weights 'dyno' for vit_base_patch16_224; did you mean dino"),
        (dict(model='resnet10t'), 'resnet10t has no weights: give pretrained=TAG .timm has c3_in1k'),
        (dict(model='resnet10t', pretrained=False, output='cls'), "no output 'cls': it has no class token"),
        (
            dict(model='resnet10t', pretrained=False, output='clz'),
            "no output 'clz'; choose one of embedding, cls, mean, tokens",
        ),
        (dict(model='resnet10t', pretrained=False, precision='int8'), 'precision'),
        (dict(model='resnet10t', pretrained=False, std=(1, 0, 1)), 'std above 0'),
        (dict(model='resnet10t', pretrained=False, chunk_size=0), 'chunk_size'),
    ],
)
def test_one_sentence_for_bad_options(options, message):
    with pytest.raises(ValueError, match=message) as error:
        TimmTeacher(**options)
    assert '\n' not in str(error.value)


def test_out_of_reach(monkeypatch):
    def fetch(repo_id, filenames):
        assert repo_id == 'timm/resnet10t.c3_in1k' and filenames == ['model.safetensors', 'pytorch_model.bin']
        raise ConnectionError('one sentence')

    monkeypatch.setattr(timm_teachers, 'fetch_from_hub', fetch)
    with pytest.raises(ConnectionError, match='one sentence'):
        TimmTeacher('resnet10t', pretrained=True)


def test_hub_weights_are_loaded_from_the_fetched_file(monkeypatch, tmp_path, clips):
    torch.manual_seed(0)
    network = timm.create_model('resnet10t')
    save_file(network.state_dict(), tmp_path / 'model.safetensors')
    monkeypatch.setattr(timm_teachers, 'fetch_from_hub', lambda *_: tmp_path / 'model.safetensors')
    teacher = TimmTeacher('resnet10t.c3_in1k')
    assert teacher.network.conv1[0].weight.equal(network.conv1[0].weight)
    assert teacher.identity()['pretrained'] == 'c3_in1k' and teacher.licence == 'Apache-2.0'


# QuickGELU ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'model, quick',
    [
        ('vit_base_patch16_clip_224.openai', True),
        ('vit_base_patch32_clip_224.metaclip_400m', True),
        ('vit_large_patch14_clip_224.dfn2b', True),
        ('vit_base_patch16_clip_quickgelu_224.openai', True),
        ('vit_base_patch16_clip_224.laion2b', False),
        ('vit_base_patch16_clip_224.openai_ft_in1k', False),
        ('vit_base_patch16_224.dino', False),
    ],
)
def test_quick_gelu_weights_get_quick_gelu(model, quick):
    with torch.device('meta'):
        teacher = TimmTeacher(model, pretrained=False)
    acts = {
        type(module.act) for module in teacher.network.modules() if hasattr(module, 'act') and hasattr(module, 'fc1')
    }
    assert (acts == {QuickGELU}) == quick and len(acts) == 1


@pytest.mark.parametrize(
    'model, width',
    [
        ('vit_base_patch16_clip_224.openai', 512),
        ('vit_base_patch16_clip_224.openai_ft_in1k', 768),
        ('vit_base_patch16_siglip_224.v2_webli', 768),
        ('vit_pe_core_base_patch16_224.fb', 1024),
        ('fastvit_mci0.apple_mclip2_dfndr2b', 512),
        ('eva02_base_patch16_clip_224.merged2b', 512),
        ('resnet50_clip.openai', 1024),
        ('deit_base_patch16_224.fb_in1k', 768),
        ('swin_tiny_patch4_window7_224', 768),
    ],
)
def test_embedding_is_the_joint_space_of_clip_models_and_pre_logits_of_others(model, width):
    with torch.device('meta'):
        assert TimmTeacher(model, pretrained=False).width == width


# A real one -----------------------------------------------------------------------------------------------------------


PRODUCE = (
    'Granny Smith',
    'strawberry',
    'orange',
    'lemon',
    'fig',
    'pineapple',
    'banana',
    'jackfruit',
    'custard apple',
    'pomegranate',
    'acorn',
    'hip,',
    'buckeye',
    'bell pepper',
    'cucumber',
    'squash',
    'zucchini',
    'artichoke',
    'mushroom',
    'corn',
)


def test_real_teacher(shared):
    """MobileNetV2 in half precision names a fruit, vegetable or nut (20 of 1000 classes) for real fruit, vegetables and
    nuts.
    """
    cv2 = pytest.importorskip('cv2')
    videos = sorted((shared / 'data' / 'turntable_fruit' / 'videos').rglob('*.mp4'))[::60]
    folder = shared / 'data' / 'teacher'
    if not videos or not folder.is_dir():
        pytest.skip('no real teacher or videos beside this checkout')
    teacher = MODELS.build(
        dict(
            type='TimmTeacher',
            model='mobilenetv2_100',
            model_args=dict(pad_type='same', num_classes=1001),
            mean=[0.5] * 3,
            std=[0.5] * 3,
            checkpoint=str(folder / 'mobilenetv2_100_imagenet_fp16.pth'),
        )
    )
    assert teacher.width == 1280 and teacher.input_size == (224, 224)
    frames = [cv2.cvtColor(cv2.VideoCapture(str(video)).read()[1], cv2.COLOR_BGR2RGB) for video in videos]
    clips = torch.stack([torch.from_numpy(frame).permute(2, 0, 1)[:, None] for frame in frames]) / 255
    labels = (folder / 'labels.txt').read_text().splitlines()
    top = teacher.network.get_classifier()(teacher(clips)[:, 0]).topk(5).indices
    hits = [any(name in labels[i] for i in row for name in PRODUCE) for row in top]
    assert sum(hits) > 0.7 * len(hits), hits  # by chance about .1
