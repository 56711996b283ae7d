"""Teachers from timm: DINO, DINOv2, DINOv3, DeiT, any CNN, and the image towers of CLIP-like models."""

import difflib
import re
import sys
from pathlib import Path
from typing import Any

from mmaction.registry import MODELS
from mmengine.logging import print_log
from torch import Tensor, nn

from ...weights.downloads import fetch_from_hub, fetch_url, local_copy
from ...weights.state_dicts import StateDict, load_strictly, read_state_dict
from .base import FrozenTeacher, tokens_to_output
from .licences import licence_of

# Families whose last layer is the projection into the image-text space, unless a classifier was fine-tuned on top.
JOINT_SPACE_MODELS = re.compile(r'_clip|_mci|_pe_core')
# Tags trained with QuickGELU. timm notes it on most of these weights, but not on all.
QUICK_GELU_TAGS = re.compile(r'^(openai|metaclip_|dfn)(?!.*_ft_)')


@MODELS.register_module()
class TimmTeacher(FrozenTeacher):
    """A timm model as the teacher.

    Args:
        model: timm's name, with or without a tag: ``vit_base_patch16_224.dino``.
        pretrained: Tag of the weights if ``model`` has none; ``True`` for timm's default tag; ``False`` for random
            weights (tests). With ``checkpoint`` it only says how the file wants to be fed.
        checkpoint: Local file or URL of the weights instead of the hub's.
        output: See :class:`FrozenTeacher`. ``embedding`` is the pooled feature before the classifier; for CLIP-like
            models with their projection, the joint image-text space.
        model_args: Further arguments of ``timm.create_model``, such as ``img_size=224`` or ``num_classes=1001``.
        mean: Overrides the library's, as ``std`` and ``input_size`` do.
        std: See ``mean``.
        input_size: Pixels, see ``mean``.
        precision: See :class:`FrozenTeacher`.
        chunk_size: See :class:`FrozenTeacher`.
        name: See :class:`FrozenTeacher`.
        frames: See :class:`FrozenTeacher`.
        shown: See :class:`FrozenTeacher`.

    Raises:
        ValueError: unknown name (with near matches), no weights asked for, or weights that do not fit.
        ConnectionError: the weights are not here and the hub is out of reach.
    """

    def __init__(
        self,
        model: str,
        pretrained: str | bool | None = None,
        checkpoint: str | None = None,
        output: str = 'embedding',
        model_args: dict | None = None,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        input_size: int | tuple[int, int] | None = None,
        precision: str = 'auto',
        chunk_size: int = 128,
        name: str | None = None,
        frames: int | None = None,
        shown: str | dict = 'frames',
    ) -> None:
        import timm

        architecture, tag, cfg = resolve(model, pretrained)
        if pretrained is None and tag is None and checkpoint is None:
            raise ValueError(
                f'Teacher {model} has no weights: give pretrained=TAG '
                f'(timm has {", ".join(tags_of(model)) or "none"}), '
                'checkpoint=FILE, or pretrained=False for random ones.'
            )
        model_args = dict(model_args or {})
        network = timm.create_model(architecture, pretrained=False, pretrained_cfg=cfg, **model_args)
        if checkpoint is not None:
            load_timm_file(network, local_copy(checkpoint))
        elif pretrained is not False:
            load_timm_file(network, self._fetch(model, cfg))
        config = timm.data.resolve_model_data_config(network)
        self._joint_space = is_joint_space(architecture, tag, network)
        super().__init__(
            network,
            model=architecture,
            output=output,
            mean=mean or config['mean'],
            std=std or config['std'],
            input_size=input_size or model_args.get('img_size') or config['input_size'][1:],
            licence=licence_of(f'{architecture}.{tag}', cfg and cfg.license) if tag else 'unknown',
            pretrained=False if pretrained is False and checkpoint is None else tag,
            checkpoint=checkpoint,
            precision=precision,
            chunk_size=chunk_size,
            name=name,
            frames=frames,
            shown=shown,
        )

    @staticmethod
    def _fetch(model: str, cfg: Any) -> Path:
        if cfg is None or cfg.custom_load or not (cfg.hf_hub_id or cfg.url):
            raise ValueError(f'timm has no weights in PyTorch format for {model}; pass a file as checkpoint=.')
        if cfg.hf_hub_id:
            return fetch_from_hub(
                cfg.hf_hub_id,
                [cfg.hf_hub_filename] if cfg.hf_hub_filename else ['model.safetensors', 'pytorch_model.bin'],
            )
        return fetch_url(cfg.url)

    def encode(self, images: Tensor) -> Tensor:
        return encode_timm(self, self.network, images, pre_logits=not self._joint_space)

    def encode_maps(self, images: Tensor, level: int | None) -> list[Tensor]:
        return timm_maps(self, self.network, images, level)


def encode_timm(teacher: FrozenTeacher, network: nn.Module, images: Tensor, pre_logits: bool) -> Tensor:
    """The teacher's output from a timm network; ``pre_logits`` stops before its last layer."""
    features = network.forward_features(images)  # (B, P + L, D), (B, D, H, W) or (B, H, W, D)
    if teacher.output == 'embedding':
        return network.forward_head(features, pre_logits=True) if pre_logits else network.forward_head(features)
    if features.dim() == 3:
        prefix = getattr(network, 'num_prefix_tokens', 0)
        has_cls = getattr(network, 'cls_token', None) is not None
        return tokens_to_output(teacher, features[:, prefix:], features[:, 0] if has_cls else None)
    if features.dim() == 4:
        if getattr(network, 'output_fmt', 'NCHW') == 'NCHW':
            features = features.permute(0, 2, 3, 1)
        return tokens_to_output(teacher, features.flatten(1, 2), None)
    raise teacher.no_output(f'its features have the shape {tuple(features.shape)}; take embedding')


def timm_maps(teacher: FrozenTeacher, network: nn.Module, images: Tensor, level: int | None) -> list[Tensor]:
    """See :meth:`FrozenTeacher.encode_maps`; nothing behind the wanted map is computed."""
    if not hasattr(network, 'forward_intermediates'):
        raise ValueError(f"Teacher {teacher.model}: timm gives none of its maps; set shown to 'frames' or "
                         "'dynamic_image', or take another teacher")
    return network.forward_intermediates(images, indices=None if level is None else [level], norm=True,
                                         stop_early=True, intermediates_only=True)


def is_joint_space(architecture: str, tag: str | None, network: nn.Module) -> bool:
    """Whether the last layer of a timm model is a CLIP projection rather than a classifier."""
    own_head = getattr(network, 'num_classes', 0) == network.pretrained_cfg.get('num_classes') != 0
    return bool(JOINT_SPACE_MODELS.search(architecture)) and own_head and '_ft_' not in (tag or '')


def tags_of(model: str) -> list[str]:
    """The tags of timm's weights for an architecture."""
    import timm

    architecture = model.split('.', 1)[0]
    return [name.split('.', 1)[1] for name in timm.list_models(f'{architecture}.*', pretrained=True)]


def resolve(model: str, pretrained: str | bool | None) -> tuple[str, str | None, Any]:
    """Architecture, tag and timm's entry for some weights; QuickGELU weights get the QuickGELU architecture.

    Raises:
        ValueError: unknown model or tag, with near matches.
    """
    import timm

    architecture, _, tag = model.partition('.')
    tag = tag or (pretrained if isinstance(pretrained, str) else None)
    if not timm.is_model(architecture):
        near = difflib.get_close_matches(model, timm.list_models() + timm.list_models(pretrained=True), n=4, cutoff=0.6)
        raise ValueError(f'timm has no model {model!r}' + (f'; did you mean {" or ".join(near)}?' if near else '.'))
    known = tags_of(architecture)
    if tag and tag not in known:
        near = difflib.get_close_matches(tag, known, n=3, cutoff=0.3) or known
        raise ValueError(
            f'timm has no weights {tag!r} for {architecture}'
            + (f'; did you mean {" or ".join(near)}?' if near else '.')
        )
    cfg = timm.get_pretrained_cfg(f'{architecture}.{tag}' if tag else architecture, allow_unregistered=True)
    if pretrained is True and not tag:
        tag = cfg.tag if cfg else None
    twin = architecture.replace('_clip_', '_clip_quickgelu_')
    quick_gelu = tag and (QUICK_GELU_TAGS.match(tag) or 'QuickGELU' in str(cfg and cfg.notes))
    if quick_gelu and 'quickgelu' not in architecture and timm.is_model(twin):
        print_log(f'{architecture}.{tag} was trained with QuickGELU: building {twin}.', logger='current')
        architecture = twin
    return architecture, tag, cfg


def load_timm_file(network: nn.Module, file: Path) -> None:
    """Loads a timm or original checkpoint strictly.

    Where the names or shapes aren't timm's, its own converter for the family (``checkpoint_filter_fn``) gets a try; it
    also resamples position embeddings for another input size. A classifier is dropped if the network has none.

    Raises:
        ValueError: it does not fit; names the keys and the file.
    """
    state = drop_classifier(network, read_state_dict(file))
    try:
        load_strictly(network, state, str(file))
    except ValueError as misfit:
        convert = getattr(sys.modules[type(network).__module__], 'checkpoint_filter_fn', None)
        if convert is None:
            raise
        try:
            load_strictly(network, drop_classifier(network, convert(dict(state), network)), str(file))
        except Exception:  # a converter meets unknown names in its own ways: the plain misfit says more
            raise misfit from None


def drop_classifier(network: nn.Module, state: StateDict) -> StateDict:
    """Without the classifier's weights if the network was built with ``num_classes=0``."""
    names = network.pretrained_cfg.get('classifier') or ()
    names = (names,) if isinstance(names, str) else names
    if getattr(network, 'num_classes', 1) != 0:
        return state
    return {key: value for key, value in state.items() if not key.startswith(tuple(f'{name}.' for name in names))}
