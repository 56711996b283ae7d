"""Files of plain data that anybody may have written: read within bounds, against a schema, or refused in a sentence."""

import keyword
from pathlib import Path
from typing import Annotated, Any

import pydantic_core
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    TypeAdapter,
    ValidationError,
)
from typing_extensions import TypeAliasType

MOST_BYTES = 1 << 26  # of a file
MOST_PARTS, MOST_DEPTH = 20_000, 16  # of a description: keys, values and items, and how deep they nest



def _no_word_of_python(name: str) -> str:
    if keyword.iskeyword(name):
        raise ValueError('is a word of Python')
    return name


Name = Annotated[str, StringConstraints(pattern=r'^[A-Za-z][A-Za-z0-9_]*$', max_length=100),
                 AfterValidator(_no_word_of_python)]
Text = Annotated[str, StringConstraints(pattern=r'^[^\x00-\x1f\x7f]*$', max_length=1000)]
Whole = Annotated[int, Field(ge=-(1 << 16), le=1 << 16)]
Real = Annotated[float, Field(ge=-1e9, le=1e9)]
# Settings as JSON has them, but with identifiers for keys, and numbers within the reach of any network.
Plain = TypeAliasType('Plain', Annotated[
    Annotated[None, Tag('NoneType')] | Annotated[bool, Tag('bool')] | Annotated[Whole, Tag('int')]
    | Annotated[Real, Tag('float')] | Annotated[Text, Tag('str')]
    | Annotated[list['Plain'], Field(max_length=1000), Tag('list')]
    | Annotated[dict[Name, 'Plain'], Field(max_length=1000), Tag('dict')],
    Discriminator(lambda value: type(value).__name__, custom_error_type='plain',
                  custom_error_message='it is none of the types of JSON')])
TAGS = ('NoneType', 'bool', 'int', 'float', 'str', 'list', 'dict', '[key]')  # of Plain, which errors' places name too


class Record(BaseModel):
    """A dict of known keys, each value of its very type, no number NaN or infinite."""

    model_config = ConfigDict(strict=True, extra='forbid', allow_inf_nan=False, frozen=True,
                              protected_namespaces=())


def read_json(path: str | Path, schema: object, advice: str = '', most: int = MOST_BYTES) -> Any:
    """The content of a JSON file.

    Args:
        path: The file.
        schema: A type that pydantic knows, such as a :class:`Record`.
        advice: What to do about a file that does not fit it, for the error.
        most: Bytes.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no JSON, nests too deep, is too large, or does not fit the schema; names the place.
    """
    path = Path(path)
    if path.stat().st_size > most:
        raise ValueError(f'{path} has more than the {most / 1e6:.0f} MB that such a file may have{_then(advice)}')
    try:
        content = pydantic_core.from_json(path.read_bytes(), allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f'{path} is no JSON file: {error}{_then(advice)}') from None
    return fit(content, schema, str(path), advice)


def fit(content: object, schema: object, source: str, advice: str = '') -> Any:
    """Content that fits a schema, see :func:`read_json`.

    Raises:
        ValueError: it does not; names the source, the place in it, and why.
    """
    try:
        return TypeAdapter(schema).validate_python(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = '.'.join(str(part) for part in first['loc'] if part not in TAGS)[:80] or 'its content'
        what = f' has no {place!r}' if first['type'] == 'missing' else \
            f': {place!r} is not as it should be ({first["msg"]})'
        raise ValueError(f'{source}{what}{_then(advice)}') from None


def check_extent(content: object, source: str) -> None:
    """Refuses what nests or repeats itself so much that to walk through it would never end.

    Raises:
        ValueError: it has more than ``MOST_PARTS`` parts, or more than ``MOST_DEPTH`` one in another.
    """
    stack, parts = [(content, 0)], 0
    while stack:
        value, depth = stack.pop()
        parts += 1
        if parts > MOST_PARTS or depth > MOST_DEPTH:
            raise ValueError(f'{source}: its description has more than {MOST_PARTS} parts, or nests deeper than '
                             f'{MOST_DEPTH}')
        if isinstance(value, (dict, list, tuple)):
            items = [*value, *value.values()] if isinstance(value, dict) else value
            stack += ((item, depth + 1) for item in items)


def _then(advice: str) -> str:
    return f': {advice}' if advice else ''
