"""An image-text model of open_clip's that is small enough for a test."""

import json
from pathlib import Path

import open_clip

VISION = dict(image_size=32, layers=1, width=24, head_width=12, patch_size=8)
TEXT = dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=2)  # what open_clip's tokenizer gives


def add_clip(name: str, folder: Path, vision: dict | None = None, text: dict | None = None, width: int = 12) -> None:
    """Makes open_clip know a model by a file in ``folder``; ``vision`` and ``text`` override what is above."""
    config = dict(embed_dim=width, vision_cfg=VISION | (vision or {}), text_cfg=TEXT | (text or {}))
    (folder / f'{name}.json').write_text(json.dumps(config))
    open_clip.add_model_config(folder)
