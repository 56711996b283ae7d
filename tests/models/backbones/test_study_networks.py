"""R(2+1)D-18 and S3D-G of the study in every method, in files, and behind ``iboot_mm.load``."""

import pytest
import torch
import torchvision
from mmaction.registry import MODELS

import iboot_mm
from iboot_mm.checkpoints.description import describe_checkpoint

from ...checkpoint_files import CONFIG, write_checkpoint
from ...scripts import load_tool
from ...videos import moving_frames, write_video

publish = load_tool('convert/publish')
NETWORKS = {'R2Plus1D18': 512, 'S3DG': 1024}
SMALL = dict(hidden_dim=16, out_dim=8)
METHODS = {
    'VideoBYOL': dict(projector=SMALL, predictor=dict(hidden_dim=16)),
    'VideoMoCo': dict(projector=SMALL, queue_size=16),
    'VideoSimCLR': dict(projector=SMALL),
    'VideoSwAV': dict(projector=SMALL, num_prototypes=8),
    'IBoot': dict(teacher=dict(type='PatchMeanTeacher')),
}


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('method', METHODS)
def test_a_step_of_every_method_reaches_every_weight(method, network):
    torch.manual_seed(0)
    model = MODELS.build(dict(type=method, backbone=dict(type=network), feature_dim=NETWORKS[network],
                              **METHODS[method])).train()
    if hasattr(model, 'momentum') and model.momentum is not None:
        model.momentum.attached = True
    views = torch.rand(2, 2, 3, 8, 32, 32)
    assert model.extract_feat(views[:, 0]).shape == (2, 1, NETWORKS[network])
    model.parse_losses(model(views, mode='loss'))[0].backward()
    idle = [name for name, parameter in model.backbone.named_parameters()
            if parameter.grad is None or not parameter.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.parametrize('network', NETWORKS)
def test_a_checkpoint_starts_another_training_and_torchvisions_file_is_refused(network, tmp_path):
    source = MODELS.build(dict(type=network))
    state = {f'backbone.{key}': value for key, value in source.state_dict().items()}
    torch.save(dict(state_dict=state | {'projector.0.weight': torch.zeros(1)}), tmp_path / 'checkpoint.pth')
    other = MODELS.build(dict(type=network, pretrained=str(tmp_path / 'checkpoint.pth')))
    other.init_weights()
    assert all(value.equal(source.state_dict()[key]) for key, value in other.state_dict().items())
    stock = torchvision.models.get_model('s3d' if network == 'S3DG' else 'r2plus1d_18', num_classes=2)
    torch.save(stock.state_dict(), tmp_path / 'torchvision.pth')
    other.pretrained = str(tmp_path / 'torchvision.pth')
    with pytest.raises(ValueError, match='torchvision.pth') as error:
        other.init_weights()
    assert ('mix.weight' if network == 'S3DG' else 'stem') in str(error.value)


@pytest.mark.parametrize('network', NETWORKS)
def test_a_published_file_gives_the_features_of_its_network(network, tmp_path):
    text = CONFIG.replace("dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False)",
                          f"dict(type='{network}')").replace('feature_dim=64', f'feature_dim={NETWORKS[network]}')
    text = text.replace('clip_len=4', 'clip_len=8').replace("    momentum=dict(base=.9))", '    )')
    trained = write_checkpoint(tmp_path / 'run', text)
    file = publish.publish(trained['checkpoint'], tmp_path / 'published')[0]
    write_video(tmp_path / 'a.mp4', moving_frames(20))
    features = iboot_mm.load(file, device='cpu')(tmp_path / 'a.mp4')
    assert features.shape == (1, NETWORKS[network]) and features.isfinite().all()
    expected = iboot_mm.load(trained['checkpoint'], device='cpu')(tmp_path / 'a.mp4')
    torch.testing.assert_close(features, expected, rtol=0, atol=0)
    backbone = describe_checkpoint(file).build_encoder().backbone
    assert type(backbone).__name__ == network
    for key, value in backbone.state_dict().items():
        assert value.equal(trained['state'][f'backbone.{key}']), key
