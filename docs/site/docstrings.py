"""Readies docstrings for the site: roles become links, examples become code.

``:class:`~a.b.C``` leads to C's place in the reference. A role that names nothing is a fault, and ends a strict build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import griffe

ROLE = re.compile(r':(?:class|func|meth|mod|attr|data|obj|exc):`(~?)([\w.]+)`')
EXAMPLE = re.compile(r'^Example:$', re.M)  # griffe's own section of examples has the plural
LOG = griffe.get_logger('docstrings')


class Roles(griffe.Extension):
    """Rewrites the docstrings of a package when all of it is known."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: object) -> None:
        """Rewrites every docstring of ``pkg``."""
        for place in members(pkg):
            if place.docstring:
                text = EXAMPLE.sub('Examples:', place.docstring.value)
                place.docstring.value = ROLE.sub(lambda role, place=place: link(pkg, place, *role.groups()), text)


def members(place: griffe.Object) -> Iterator[griffe.Object]:
    """``place`` and all that is in it, without what is imported."""
    yield place
    for member in place.members.values():
        if not member.is_alias:
            yield from members(member)


def find(pkg: griffe.Module, place: griffe.Object, name: str) -> griffe.Object | None:
    """What ``name`` means in the docstring of ``place``."""
    if name.startswith(f'{pkg.name}.'):
        scopes, name = [pkg], name[len(pkg.name) + 1:]
    else:  # from the inside to the outside; a leading dot means the package of the module, as in an import
        scopes, name = [place, *parents(place)], name.lstrip('.')
    for scope in scopes:
        try:
            found = scope[name]
            return found.final_target if found.is_alias else found
        except (KeyError, griffe.AliasResolutionError):
            continue
    return None


def parents(place: griffe.Object) -> Iterator[griffe.Object]:
    """What ``place`` stands in, from the inside."""
    while (place := place.parent) is not None:
        yield place


def link(pkg: griffe.Module, place: griffe.Object, short: str, name: str) -> str:
    """A link to ``name``, or its name alone where it has no text of its own in the reference."""
    title = name.rsplit('.', 1)[-1] if short else name.lstrip('.')
    found = find(pkg, place, name)
    if found is None:
        LOG.warning(f'{place.path}: nothing is called {name!r} there')
        return f'`{title}`'
    path = found.path
    visible = found.docstring is not None and not any(part.startswith('_') for part in path.split('.'))
    return f'[`{title}`][{path}]' if visible else f'`{title}`'
