"""The text of a config that is written for other commands to run: assignments of plain data, and nothing else.

mmengine's own text writes keys as they come, so that one with a quote in it ends the text that it stands in.
"""

import ast
import pprint

from mmengine.config import Config


def config_text(cfg: Config) -> str:
    """A config as Python whose every key and value is a literal.

    Raises:
        ValueError: something in it is no plain data, which would not come back as it is.
    """
    data = cfg.to_dict()
    text = ''.join(f'{name} = {pprint.pformat(value, width=100, sort_dicts=False)}\n' for name, value in data.items())
    # mmengine fills in `{{ ... }}` before it reads a config, and there are no other braces in a row but in strings.
    text = text.replace('{{', r'{\x7b')
    try:
        same = parse_config_text(text) == data
    except ValueError:
        same = False
    if not same:
        raise ValueError('a config with something else than plain data can not be written')
    return text


def parse_config_text(text: str) -> dict:
    """What :func:`config_text` wrote, without running it.

    Raises:
        ValueError: there is more in it than assignments of literals to names.
    """
    data = {}
    try:
        for statement in ast.parse(text).body:
            target, = statement.targets
            data[target.id] = ast.literal_eval(statement.value)
    except (AttributeError, SyntaxError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f'a config is no list of assignments of plain data ({error})') from None
    return data
