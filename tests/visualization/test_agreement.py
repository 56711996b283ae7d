"""The map of a student, from training code and by hand."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.config import Config

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.visualization.agreement import build_agreement

from ..checkpoint_files import CONFIG, STOCK_CONFIG, write_checkpoint

CLIPS = torch.rand(2, 3, 4, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('temporal_pool', [True, False])
def test_places_average_to_what_training_compares(tmp_path, temporal_pool):
    """The projected places' mean has the cosine that the method itself logs for the same clip."""
    text = CONFIG.replace('feature_dim=64,', f'feature_dim=64, temporal_pool={temporal_pool},')
    trained = write_checkpoint(tmp_path / 'run', text)
    model = MODELS.build(Config.fromfile(trained['config']).model).eval()
    model.load_state_dict(trained['state'])
    agreement = build_agreement(describe_checkpoint(trained['checkpoint']))
    with torch.no_grad():
        logged = model.match(CLIPS, model.targets(CLIPS))['cosine_patch_mean']
        places = model.backbone(model.normalize(CLIPS)).permute(0, 2, 3, 4, 1)  # (N, T', h, w, D)
        target = model.target_norms[0](model.teachers[0](CLIPS))
        if temporal_pool:
            target = target.mean(1, keepdim=True)
        projected = model.projectors[0](places)
        mean = projected.mean((1, 2, 3) if temporal_pool else (2, 3))
        torch.testing.assert_close(F.cosine_similarity(mean, target.squeeze(1), dim=-1).mean(), logged)
    maps = agreement(CLIPS)
    assert maps.shape == projected.shape[:-1] and maps.abs().max() <= 1 + 1e-6
    one = F.cosine_similarity(projected[1, 2, 1, 0], target[1, 0 if temporal_pool else 2], dim=0)
    torch.testing.assert_close(maps[1, 2, 1, 0], one)


def test_without_a_teacher_the_clip_s_own_average_is_the_target(tmp_path):
    stock = write_checkpoint(tmp_path / 'run', STOCK_CONFIG)
    info = describe_checkpoint(stock['checkpoint'])
    maps = build_agreement(info)(CLIPS)
    encoder = info.build_encoder()
    with torch.no_grad():
        places = encoder.backbone(encoder.normalize(CLIPS))
    expected = F.cosine_similarity(places, places.mean((2, 3, 4), keepdim=True), dim=1)
    torch.testing.assert_close(maps, expected)


def test_another_teacher_than_its_own(tmp_path):
    trained = write_checkpoint(tmp_path / 'run')
    with pytest.raises(ValueError, match='trained towards features of width 8, and those of teacher patch_mean have 6'):
        build_agreement(describe_checkpoint(trained['checkpoint']), dict(type='PatchMeanTeacher', width=6))


def test_a_backbone_of_vectors_has_nothing_to_draw(tmp_path):
    agreement = build_agreement(describe_checkpoint(write_checkpoint(tmp_path / 'run')['checkpoint']))
    agreement.encoder.backbone.forward = lambda clips: torch.zeros(len(clips), 64)
    with pytest.raises(ValueError, match='epoch_3.pth gives no map over time and space'):
        agreement(CLIPS)
