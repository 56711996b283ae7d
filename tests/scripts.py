"""Imports the project's command-line tools, which are no package."""

import importlib.util
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


def load_script(name: str) -> ModuleType:
    """The script ``<name>.py`` below the checkout's root, such as ``benchmarks/step``, in the same way."""
    script = TOOLS.parent / f'{name}.py'
    if str(script.parent) not in sys.path:
        sys.path.append(str(script.parent))
    if script.stem not in (*sys.stdlib_module_names, 'test'):
        return importlib.import_module(script.stem)
    spec = importlib.util.spec_from_file_location(f'script_{script.stem}', script)  # Python has a `test` of its own
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
