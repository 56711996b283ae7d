"""Teachers from mmpretrain: its backbones, SwAV's ResNet-50-w2 among them."""

import difflib

from mmaction.registry import MODELS
from torch import Tensor

from ...weights.downloads import local_copy
from ...weights.state_dicts import load_strictly, read_state_dict
from .base import FrozenTeacher, tokens_to_output
from .licences import licence_of

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Heads that pre-training or a classification task leaves in a checkpoint: never part of the encoder.
HEADS = ('projection_head.', 'prototypes.', 'fc.', 'head.', 'neck.')


@MODELS.register_module()
class MMPretrainTeacher(FrozenTeacher):
    """A backbone of mmpretrain as the teacher.

    Args:
        model: Config of a backbone, such as ``dict(type='ResNet', depth=50, base_channels=128, stem_channels=128)``, or
            the name of one of mmpretrain's models, whose weights are then downloaded unless ``checkpoint`` is given.
        checkpoint: Local file or URL of the weights; names ``module.*`` and ``backbone.*`` are understood and what
            belongs to a head (SwAV's projection and prototypes, a classifier) is left out. The rest loads strictly.
        pretrained: ``False`` for random weights (tests).
        output: See :class:`FrozenTeacher`. ``embedding`` is the pooled last map, or the class token where the backbone
            gives that.
        mean: For frames in [0, 1]; ImageNet's by default, the model's own if it is given by name.
        std: See ``mean``.
        input_size: Pixels.
        precision: See :class:`FrozenTeacher`.
        chunk_size: See :class:`FrozenTeacher`.
        name: See :class:`FrozenTeacher`.
        frames: See :class:`FrozenTeacher`.
        shown: See :class:`FrozenTeacher`.
        licence: Of the weights, for those that mmpretrain does not know.

    Raises:
        ImportError: mmpretrain is not installed.
        ValueError: unknown name (with near matches), no weights asked for, or weights that do not fit.
        ConnectionError: the weights are not here and the server is out of reach.
    """

    def __init__(
        self,
        model: dict | str,
        checkpoint: str | None = None,
        pretrained: bool | None = None,
        output: str = 'embedding',
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        input_size: int | tuple[int, int] = 224,
        precision: str = 'auto',
        chunk_size: int = 128,
        name: str | None = None,
        licence: str | None = None,
        frames: int | None = None,
        shown: str | dict = 'frames',
    ) -> None:
        try:
            from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS
        except ImportError as error:
            raise ImportError(f'MMPretrainTeacher needs mmpretrain: pip install mmpretrain ({error}).') from None
        title, weights = (model, checkpoint) if isinstance(model, str) else (f'{model["type"]}', checkpoint)
        if isinstance(model, str):
            model, weights, own_mean, own_std = resolve(model)
            mean, std, weights = mean or own_mean, std or own_std, checkpoint or weights
        # A backbone's name means another class in the scope that MMAction2's configs set.
        network = MMPRETRAIN_MODELS.build(dict(model, _scope_='mmpretrain'))
        if pretrained is not False:
            if weights is None:
                raise ValueError(
                    f'Teacher {title} has no weights: give checkpoint=FILE, or pretrained=False for random ones.'
                )
            file = local_copy(weights)
            state = read_state_dict(file)
            load_strictly(network, {key: value for key, value in state.items() if not key.startswith(HEADS)}, str(file))
        super().__init__(
            network,
            model=title,
            output=output,
            mean=mean or IMAGENET_MEAN,
            std=std or IMAGENET_STD,
            input_size=input_size,
            licence=licence or licence_of(f'{title}.{name}.{weights}'),
            pretrained=pretrained is not False,
            checkpoint=weights if pretrained is not False else None,
            precision=precision,
            chunk_size=chunk_size,
            name=name,
            frames=frames,
            shown=shown,
        )

    def encode(self, images: Tensor) -> Tensor:
        features = self.network(images)  # the stages' outputs, the last one last
        last = features[-1] if isinstance(features, tuple) else features
        if last.dim() == 2:  # a transformer with out_type 'cls_token' or 'avg_featmap'
            if self.output in ('mean', 'tokens'):
                raise self.no_output("the backbone gives one vector; build it with out_type='featmap'")
            return last
        if last.dim() == 3:  # out_type 'raw': class token first
            return last[:, 0] if self.output == 'embedding' else tokens_to_output(self, last[:, 1:], last[:, 0])
        return tokens_to_output(self, last.flatten(2).transpose(1, 2), None)

    def encode_maps(self, images: Tensor, level: int | None) -> list[Tensor]:
        features = self.network(images)
        maps = [part for part in (features if isinstance(features, tuple) else (features, )) if part.dim() == 4]
        if not maps:
            raise ValueError(f"Teacher {self.model}: its backbone gives no maps; build it with out_type='featmap' or, "
                             "a CNN, with out_indices, or set shown to 'frames' or 'dynamic_image'")
        return maps if level is None else [maps[level]]


def resolve(name: str) -> tuple[dict, str | None, tuple | None, tuple | None]:
    """Backbone config, weights, mean and std of a model of mmpretrain.

    Raises:
        ValueError: unknown name, with near matches.
    """
    from mmpretrain.apis.model import ModelHub, list_models

    try:
        entry = ModelHub.get(name)
    except ValueError:
        near = difflib.get_close_matches(name, list_models(), n=4, cutoff=0.5)
        raise ValueError(
            f'mmpretrain has no model {name!r}' + (f'; did you mean {" or ".join(near)}?' if near else '.')
        ) from None
    scaling = entry.config.get('data_preprocessor') or entry.config.model.get('data_preprocessor') or {}
    mean, std = (tuple(value / 255 for value in scaling[key]) if key in scaling else None for key in ('mean', 'std'))
    return entry.config.model.backbone, entry.weights, mean, std
