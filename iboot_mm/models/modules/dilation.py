"""A finer last map: res5 without its stride, its filters dilated instead."""

from torch import nn


def dilate_res5(backbone: nn.Module) -> bool:
    """Takes the spatial stride of ``backbone.layer4`` and dilates its 3x3 filters by 2 (large-scale study, B.3).

    Weights stay as they are, and so do the names in a checkpoint; the last map is twice as high and wide. Deviation
    from MMAction2's ``dilations`` for basic blocks (R18, R34): there only the first filter of each is dilated.

    Returns:
        Whether there was such a stage; networks without one (S3D, ViTs) keep their map.
    """
    stage = getattr(backbone, 'layer4', None)
    if stage is None:
        return False
    for module in stage.modules():
        if isinstance(module, nn.Conv3d):
            module.stride = (module.stride[0], 1, 1)
            if module.kernel_size[1:] == (3, 3):
                module.dilation = (module.dilation[0], 2, 2)
                module.padding = (module.padding[0], 2, 2)
    return True
