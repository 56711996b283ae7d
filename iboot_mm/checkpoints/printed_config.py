"""The settings in the text of a config, as a run leaves it in its folder and its checkpoints: read, never run."""

import ast
from collections.abc import Iterator, Sequence

LONGEST = 1 << 20  # characters of a config that are still read


def printed_settings(text: str, names: Sequence[str] | None = None) -> dict:
    """The settings of a config by keys as ``--cfg-options`` takes them, such as ``optim_wrapper.optimizer.lr``.

    Args:
        text: The config as mmengine prints it. Of a text that holds more than names, literals and ``dict(...)`` nothing
            is known, and the result is empty.
        names: Parts of the config; None for all.
    """
    try:
        statements = ast.parse(text[:LONGEST]).body
        settings = {statement.targets[0].id: _value(statement.value) for statement in statements
                    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
                    and (names is None or statement.targets[0].id in names)}
        return dict(_flatten(settings))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return {}


def _value(node: ast.expr) -> object:
    """``dict(a=1)`` and literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict' and not node.args:
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values)}
    return ast.literal_eval(node)


def _flatten(value: object, path: str = '') -> Iterator[tuple[str, object]]:
    children = (value.items() if isinstance(value, dict)
                else enumerate(value) if isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value)
                else None)
    if children is None:
        yield path, value
        return
    for key, child in children:
        yield from _flatten(child, f'{path}.{key}'.lstrip('.'))
