"""How a function of another package is replaced by a mended one."""

import functools
from collections.abc import Callable


def mended(function: Callable) -> bool:
    return getattr(function, '_iboot_mm', False)


def replace(owner: object, name: str, make: Callable[[Callable], Callable]) -> None:
    """Replaces ``owner.name`` by ``make(original)``, once."""
    original = getattr(owner, name)
    if mended(original):
        return
    replacement = functools.wraps(original)(make(original))
    replacement._iboot_mm = True
    # A function found on a class through a static method has to go back as one.
    static = isinstance(owner, type) and isinstance(vars(owner).get(name), staticmethod)
    setattr(owner, name, staticmethod(replacement) if static else replacement)
