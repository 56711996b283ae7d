"""open_clip's models by name: which weights there are, where they lie, and building without them.

What :class:`~iboot_mm.models.teachers.OpenCLIPTeacher` and :class:`~iboot_mm.models.teachers.text.OpenCLIPText` share.
"""

import difflib
import logging
import os
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import nn

from ...weights.downloads import fetch_from_hub, fetch_url


def choose_weights(model: str, pretrained: str | bool | None, checkpoint: str | None) -> tuple[str | None, dict]:
    """The tag of the weights, None for random ones or those of a file without tag, and open_clip's entry for it.

    Raises:
        ValueError: unknown model or tag, with near matches, or no weights asked for.
    """
    tag = pretrained if isinstance(pretrained, str) else None
    cfg = resolve(model, tag)
    if tag is None and pretrained is not False and checkpoint is None:
        import open_clip

        raise ValueError(
            f'{model} has no weights: give pretrained=TAG (open_clip has '
            f'{", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"}), checkpoint=FILE, or '
            'pretrained=False for random ones.'
        )
    return tag, cfg


def resolve(model: str, tag: str | None) -> dict:
    """open_clip's entry for some weights, empty without a tag.

    Raises:
        ValueError: unknown model or tag, with near matches.
    """
    import open_clip

    if model not in open_clip.list_models():
        near = difflib.get_close_matches(model, open_clip.list_models(), n=4, cutoff=0.5)
        raise ValueError(
            f'open_clip has no model {model!r}' + (f'; did you mean {" or ".join(near)}?' if near else '.')
        )
    cfg = open_clip.get_pretrained_cfg(model, tag) if tag else {}
    if tag and not cfg:
        known = open_clip.list_pretrained_tags_by_model(model)
        near = difflib.get_close_matches(tag, known, n=3, cutoff=0.3) or known
        raise ValueError(
            f'open_clip has no weights {tag!r} for {model}' + (f'; did you mean {" or ".join(near)}?' if near else '.')
        )
    return cfg


def build_model(model: str, quick_gelu: bool, model_args: dict) -> nn.Module:
    """An open_clip model with random weights; QuickGELU weights get QuickGELU.

    Args:
        model: open_clip's name.
        quick_gelu: Whether the weights that it is built for want QuickGELU.
        model_args: Further arguments of ``open_clip.create_model``.
    """
    import open_clip

    if quick_gelu and not open_clip.get_model_config(model).get('quick_gelu'):
        print_log(f'The weights for {model} were trained with QuickGELU: building it with QuickGELU.', logger='current')
    # open_clip warns of random weights on the root logger; the file is read later.
    muted = lambda record: 'pretrained weights loaded' not in record.getMessage()
    logging.getLogger().addFilter(muted)
    try:
        return open_clip.create_model(
            model,
            pretrained=None,
            pretrained_text=False,
            force_quick_gelu=quick_gelu,
            device=torch.get_default_device(),
            **model_args,
        )
    finally:
        logging.getLogger().removeFilter(muted)


def fetch(cfg: dict) -> Path:
    """A local copy of the weights of an entry of open_clip."""
    if not cfg.get('hf_hub'):
        return fetch_url(cfg['url'])
    repo_id, filename = os.path.split(cfg['hf_hub'])
    if not filename:
        return fetch_from_hub(repo_id, ['open_clip_model.safetensors', 'open_clip_pytorch_model.bin'])
    safe = os.path.splitext(filename)[0] + '.safetensors'
    return fetch_from_hub(repo_id, list(dict.fromkeys([safe, filename])))


def timm_licence(cfg: dict) -> str | None:
    """What timm says of the same weights: open_clip's entries name no licence, but many point to timm's pages."""
    from timm import get_pretrained_cfg

    repository, _, name = cfg.get('hf_hub', '').strip('/').partition('/')
    try:
        entry = get_pretrained_cfg(name) if repository == 'timm' else None
    except RuntimeError:  # not a timm tag
        return None
    return entry.license if entry else None
