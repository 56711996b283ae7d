"""What a description may say: the schema of ``meta`` in a published file and of ``config.json`` in an exported folder.

A description comes from strangers. It is read as data, fits this or is refused, and only what fitted goes on, into a
network or into a config that is written.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from ..stores.plain_data import Name, Plain, Record, Text, check_extent, fit, read_json

PROJECT = 'iBoot-MM'
MOST_JSON = 1 << 20  # bytes of a config.json
MOST_PIXELS = 1 << 26  # of a clip, over its frames: 64 of 1024 x 1024
FileName = Annotated[str, StringConstraints(pattern=r'^[^/\\\x00-\x1f\x7f]+$', max_length=200)]
# As libraries name their models; with a colon or a slash it would be a place to fetch one from.
ModelName = Annotated[str, StringConstraints(pattern=r'^[A-Za-z0-9][\w.+-]*$', max_length=200)]
Width = Annotated[int, Field(ge=1, le=1 << 16)]
Side = Annotated[int, Field(ge=1, le=1 << 12)]  # pixels
Colour = Annotated[list[Annotated[int | float, Field(ge=-1e4, le=1e4)]], Field(min_length=3, max_length=3)]
Spread = Annotated[list[Annotated[int | float, Field(gt=0, le=1e4)]], Field(min_length=3, max_length=3)]


class Clip(Record):
    """See :class:`~iboot_mm.checkpoints.CheckpointInfo`."""

    clip_len: Annotated[int, Field(ge=1, le=1 << 12)]
    frame_interval: Annotated[int | float, Field(gt=0, le=1e5)]
    target_fps: Annotated[int | float, Field(gt=0, le=1e4)] | None
    sampling: Literal['dense', 'segments']
    size: Side
    short_side: Side

    @model_validator(mode='after')
    def within_memory(self) -> 'Clip':
        """Refuses clips of more pixels than :data:`MOST_PIXELS`."""
        if self.clip_len * max(self.size, self.short_side) ** 2 > MOST_PIXELS:
            raise ValueError(f'clips of more than {MOST_PIXELS} pixels')
        return self


class Normalization(Record):
    """Of RGB on the [0, 1] scale."""

    mean: Colour
    std: Spread


class Component(Record):
    """A config of a network, of which the schema knows the name alone."""

    model_config = ConfigDict(extra='ignore')

    type: Name


class Teacher(Component):
    """What a teacher says of itself; one of a kind of its own may say more, in plain data."""

    width: Width
    model: Text | None = None
    pretrained: Text | bool | None = None
    checkpoint: Text | None = None
    output: Name = 'embedding'
    licence: Text | None = None


class ImageModel(Record):
    """Config of the image model that a backbone stands on: of a library's own model, by its name."""

    type: Name
    model: ModelName
    pretrained: ModelName | bool | None = None
    checkpoint: Text | None = None
    output: Name | None = None
    model_args: 'ModelArgs | None' = None
    mean: Colour | None = None
    std: Spread | None = None
    input_size: Side | Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None
    precision: Name | None = None
    chunk_size: Width | None = None
    name: Text | None = None
    frames: Width | None = None
    licence: Text | None = None


class ModelArgs(Record):
    """What may differ from the library's own model: nothing that makes it larger but its input."""

    img_size: Side | None = None
    force_image_size: Side | None = None
    dynamic_img_size: bool | None = None
    num_classes: Annotated[int, Field(ge=0, le=1 << 16)] | None = None
    pad_type: Name | None = None
    global_pool: Name | None = None


def _that_fits(record: type[Record], value: dict) -> dict:
    """The value itself, if its known keys fit a record."""
    record.model_validate(value)
    return value


class Description(Record):
    """All that a published file says of its network."""

    project: Literal[PROJECT]
    version: Text
    source: Text
    config: FileName
    backbone: Annotated[dict[Name, Plain], AfterValidator(partial(_that_fits, Component))]
    feature_dim: Width
    clip: Clip
    teachers: Annotated[list[Annotated[dict[Name, Plain], AfterValidator(partial(_that_fits, Teacher))]],
                        Field(max_length=16)]
    temporal_pool: bool
    target_norm: Literal['none', 'center', 'standardize']
    normalization: Normalization | None = None
    square: bool | None = None  # of a classifier of frames


def read_description(content: object, source: str | Path) -> dict:
    """A description as plain data that fits the schema.

    Args:
        content: What a file holds for it, or the path of a ``config.json``.
        source: What to call it in the error.

    Raises:
        ValueError: it says something else, or too much or too little; names the key.
    """
    advice = 'give the config of its network, or do not trust this file'
    if isinstance(content, Path):
        source, content = content, read_json(content, dict, advice, MOST_JSON)
    check_extent(content, str(source))
    if not isinstance(content, dict) or content.get('project') != PROJECT:
        raise ValueError(f'the description of {source} is not one of this project: {advice}')
    description = fit(content, Description, f'the description of {source}', advice)
    return description.model_dump(exclude_unset=True)
