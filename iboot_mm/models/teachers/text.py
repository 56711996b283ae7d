"""Words in the space of an image-text model: what zero-shot classification and text search compare videos with."""

import re
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.device import get_device
from torch import Tensor, nn

from ...weights.downloads import local_copy
from ...weights.state_dicts import load_strictly, read_state_dict
from .open_clip_models import build_model, choose_weights, fetch

# The image tower is not built: the smallest one that open_clip accepts stands in for it.
NO_IMAGE_TOWER = dict(image_size=1, patch_size=1, width=8, head_width=8, layers=1)
OTHER_PARTS = ('visual.', 'text_decoder.', 'logit_scale', 'logit_bias')

# Ours, for names of actions. That several sentences per class, averaged, classify better than one is CLIP's finding
# (https://arxiv.org/abs/2103.00020, section 3.1.4), which has lists of its own for Kinetics and UCF101.
ACTION_TEMPLATES = (
    '{}.',
    'a video clip that shows {}.',
    'footage of someone {}.',
    'a video still of the activity {}.',
    'people are {} in this scene.',
    'a person is filmed while {}.',
)


@MODELS.register_module()
class OpenCLIPText:
    """The text tower and tokenizer of an open_clip model.

    A plain object as the teachers are; the arguments are those of
    :class:`~iboot_mm.models.teachers.OpenCLIPTeacher`, so a teacher's config names its text tower too.

    Example:
        >>> text = MODELS.build(dict(type='OpenCLIPText', model='ViT-B-16', pretrained='openai'))
        >>> text(['a dog runs', 'a cat sleeps']).shape
        torch.Size([2, 512])

    Args:
        model: open_clip's name.
        pretrained: Tag of the weights; ``False`` for random ones (tests).
        checkpoint: Local file or URL of the weights of the whole model instead of the hub's.
        chunk_size: Sentences per forward pass.

    Raises:
        ValueError: unknown name, no weights asked for, weights that do not fit, or a text tower of another library.
        ConnectionError: weights or tokenizer are not here and the hub is out of reach.
    """

    def __init__(self, model: str, pretrained: str | bool | None = None, checkpoint: str | None = None,
                 chunk_size: int = 256) -> None:
        tag, cfg = choose_weights(model, pretrained, checkpoint)
        self.model, self.chunk_size = model, chunk_size
        self.tokenize = load_tokenizer(model)
        self.network = build_text_tower(model, bool(cfg.get('quick_gelu')))
        if checkpoint is not None:
            load_text_tower(self.network, local_copy(checkpoint))
        elif tag is not None:
            load_text_tower(self.network, fetch(cfg))
        self.network.requires_grad_(False).eval()

    @torch.no_grad()
    def __call__(self, sentences: Sequence[str]) -> Tensor:
        """Unit vectors ``(N, D)`` of N sentences, float32 on the CPU."""
        device = get_device()
        network, vectors = self.network.to(device), []
        for start in range(0, len(sentences), self.chunk_size):
            tokens = self.tokenize(list(sentences[start:start + self.chunk_size])).to(device)
            vectors.append(F.normalize(network.encode_text(tokens).float(), dim=-1).cpu())
        return torch.cat(vectors)


def text_tower_of(teachers: Sequence[dict]) -> tuple[int, dict]:
    """Which of a checkpoint's teachers shares its space with words, and the config of its text tower.

    Args:
        teachers: Configs of teachers, or what they say of themselves, see
            :class:`~iboot_mm.checkpoints.CheckpointInfo`.

    Returns:
        The place of the first such teacher, and a config of :class:`OpenCLIPText`.

    Raises:
        ValueError: there is none.
    """
    for place, teacher in enumerate(teachers):
        if teacher.get('type') == 'OpenCLIPTeacher' and teacher.get('output', 'embedding') == 'embedding':
            return place, dict(type='OpenCLIPText', **{
                key: teacher[key] for key in ('model', 'pretrained', 'checkpoint') if teacher.get(key) is not None})
    known = ', '.join(f"{teacher.get('model', teacher.get('type'))} ({teacher.get('output', 'embedding')})"
                      for teacher in teachers) or 'none is named'
    raise ValueError(f'no teacher of this checkpoint shares its space with words ({known}): take a network that was '
                     "trained towards an OpenCLIPTeacher's output='embedding', and the file with its map W")


def class_vectors(text: OpenCLIPText, class_names: Sequence[str], templates: Sequence[str]) -> Tensor:
    """One unit vector per class ``(C, D)``: the normalised mean of the unit vectors of its sentences, as in CLIP.

    Args:
        text: The text tower.
        class_names: C names, see :func:`readable_name`.
        templates: Sentences with ``{}`` in the place of the name.

    Raises:
        ValueError: a template without a place for the name.
    """
    for template in templates:
        if '{}' not in template:
            raise ValueError(f'the template {template!r} has no {{}} where the class name goes')
    names = [readable_name(name) for name in class_names]
    vectors = text([template.format(name) for name in names for template in templates])
    return F.normalize(vectors.unflatten(0, (len(names), len(templates))).mean(1), dim=-1)


def readable_name(name: str) -> str:
    """Words from a name as data sets write it: ``ApplyEyeMakeup`` and ``brush_hair`` have no spaces."""
    return re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name).replace('_', ' ').strip().lower()


def load_tokenizer(model: str) -> object:
    """open_clip's tokenizer of a model."""
    import open_clip

    try:
        return open_clip.get_tokenizer(model)
    except ImportError as error:
        raise ValueError(f'the tokenizer of {model} needs the package {error.name}: pip install {error.name}') from None
    except OSError as error:
        reason = ' '.join(str(error).split())[:200]
        raise ConnectionError(f'the tokenizer of {model} is not in the local cache and the hub is out of reach: load '
                              f'it once where there is a network ({reason})') from None


def build_text_tower(model: str, quick_gelu: bool) -> nn.Module:
    """An open_clip model of which only the text tower is there, with random weights."""
    import open_clip

    if open_clip.get_model_config(model)['text_cfg'].get('hf_model_name'):
        raise ValueError(f"the text tower of {model} is one of Hugging Face's transformers, which is not supported: "
                         'compute the vectors of your classes elsewhere and give them as a file (embeddings=...)')
    network = build_model(model, quick_gelu, dict(vision_cfg=NO_IMAGE_TOWER))
    for name in ('visual', 'text_decoder', 'logit_scale', 'logit_bias'):
        setattr(network, name, None)
    return network


def load_text_tower(network: nn.Module, file: Path) -> None:
    """Loads the text tower from a file of the whole model, strictly."""
    from open_clip.model import convert_to_custom_text_state_dict

    state = read_state_dict(file)
    if hasattr(network, 'text'):  # older files of such models have their text tower beside the image tower
        state = convert_to_custom_text_state_dict(state)
    load_strictly(network, {key: value for key, value in state.items() if not key.startswith(OTHER_PARTS)}, str(file))
