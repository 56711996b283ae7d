"""``iboot-mm``: one command, for those too who have the wheel and no checkout; its words are in ``commands.py``.

A package of its own, of Python's standard library alone: whatever is inside ``iboot_mm`` imports torch and MMAction2
first, which takes seconds that no ``--help`` should.
"""

from .command_line import main

__all__ = ['main']
