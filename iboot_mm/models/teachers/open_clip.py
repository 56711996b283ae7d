"""Teachers from open_clip: the image towers of CLIP, SigLIP 2, PE, EVA-02, MobileCLIP 2 and their kin."""

from pathlib import Path

from mmaction.registry import MODELS
from torch import Tensor, nn

from ...weights.downloads import local_copy
from ...weights.state_dicts import load_strictly, read_state_dict
from .base import FrozenTeacher, tokens_to_output
from .licences import licence_of
from .open_clip_models import build_model, choose_weights, fetch, timm_licence
from .timm import encode_timm, timm_maps

# The text tower is not built: the smallest one that open_clip accepts stands in for it (SigLIP 2's own has 280 M
# parameters).
NO_TEXT_TOWER = dict(context_length=1, vocab_size=2, width=8, heads=1, layers=1)


@MODELS.register_module()
class OpenCLIPTeacher(FrozenTeacher):
    """An open_clip image tower as the teacher; ``embedding`` is the joint image-text space.

    The paper says "[CLS] token" of CLIP: 512-d after its projection for B/16 (``embedding``, so that the student lives
    in the text space), 768-d before it (``cls``).

    Args:
        model: open_clip's name, such as ``ViT-B-16``.
        pretrained: Tag of the weights, such as ``openai``; ``False`` for random weights (tests). With ``checkpoint`` it
            only says how the file wants to be fed: mean, std, QuickGELU.
        checkpoint: Local file or URL of the weights instead of the hub's: of the whole model, or of the image tower
            alone.
        output: See :class:`FrozenTeacher`.
        model_args: Further arguments of ``open_clip.create_model``, such as ``force_image_size``.
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
        tag, cfg = choose_weights(model, pretrained, checkpoint)
        tower = build_image_tower(model, bool(cfg.get('quick_gelu')), model_args or {})
        if checkpoint is not None:
            load_image_tower(tower, local_copy(checkpoint))
        elif tag is not None:
            load_image_tower(tower, fetch(cfg))
        self._is_timm = hasattr(tower, 'trunk')
        defaults = tower.preprocess_cfg
        super().__init__(
            tower,
            model=model,
            output=output,
            mean=mean or cfg.get('mean') or defaults['mean'],
            std=std or cfg.get('std') or defaults['std'],
            input_size=input_size or defaults['size'],
            licence=licence_of(f'{model}.{tag}', timm_licence(cfg)) if tag else 'unknown',
            pretrained=pretrained,
            checkpoint=checkpoint,
            precision=precision,
            chunk_size=chunk_size,
            name=name,
            frames=frames,
            shown=shown,
        )

    def encode(self, images: Tensor) -> Tensor:
        tower = self.network
        if self.output == 'embedding':
            features = tower(images)
            return features[0] if isinstance(features, tuple) else features  # CoCa gives its tokens too
        if self._is_timm:
            return encode_timm(self, tower.trunk, images, pre_logits=True)
        if getattr(tower, 'attn_pool', None) is not None:
            raise self.no_output('its tokens go through attentional pooling; take embedding')
        if not hasattr(tower, 'ln_post'):  # CLIP's ResNets
            maps = tower.forward_intermediates(images, indices=1, intermediates_only=True)['image_intermediates'][-1]
            return tokens_to_output(self, maps.flatten(2).transpose(1, 2), None)
        last = tower.forward_intermediates(
            images,
            indices=1,
            normalize_intermediates=True,
            intermediates_only=True,
            output_fmt='NLC',
            output_extra_tokens=True,
        )
        cls = last['image_intermediates_prefix'][-1][:, 0] if tower.pool_type == 'tok' else None
        return tokens_to_output(self, last['image_intermediates'][-1], cls)

    def encode_maps(self, images: Tensor, level: int | None) -> list[Tensor]:
        if self._is_timm:
            return timm_maps(self, self.network.trunk, images, level)
        return self.network.forward_intermediates(
            images, indices=None if level is None else [level], normalize_intermediates=True, stop_early=True,
            intermediates_only=True)['image_intermediates']


def build_image_tower(model: str, quick_gelu: bool, model_args: dict) -> nn.Module:
    """The image tower of an open_clip model, with random weights; QuickGELU weights get QuickGELU."""
    import open_clip

    if 'multimodal_cfg' not in open_clip.get_model_config(model):  # a CoCa's decoder wants its own text tower
        model_args = dict(text_cfg=NO_TEXT_TOWER, **model_args)
    return build_model(model, quick_gelu, model_args).visual


def load_image_tower(tower: nn.Module, file: Path) -> None:
    """Loads the image tower from a file of the whole model or of the tower alone, strictly."""
    from open_clip.convert import convert_state_dict

    state = read_state_dict(file, encoder_prefixes=('visual.',))
    if any(key.startswith('image_encoder.') for key in state):  # Apple's own MobileCLIP files
        holder = nn.Module()
        holder.visual = tower
        state = {
            key.removeprefix('visual.'): value
            for key, value in convert_state_dict(holder, state).items()
            if key.startswith('visual.')
        }
    load_strictly(tower, state, str(file))
