"""Imports the project's command-line tools, which are no package."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

TOOLS = Path(__file__).resolve().parents[1] / 'tools'


def load_tool(name: str) -> ModuleType:
    """The tool ``tools/<name>.py`` as a module, one and the same wherever it is asked for.

    Its folder stays on the path, as when it is called: worker processes look its functions up by name.
    """
    script = TOOLS / f'{name}.py'
    if str(script.parent) not in sys.path:
        sys.path.append(str(script.parent))
    return importlib.import_module(script.stem)
