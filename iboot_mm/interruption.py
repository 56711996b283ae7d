"""What a command says when it is told to stop."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_line_when_stopped(goes_on: bool = True) -> Iterator[None]:
    """Ends a command at Ctrl-C with a line and a status other than 0, without a traceback.

    Example:
        >>> @one_line_when_stopped()
        ... def main() -> None:
        ...     ...

    Args:
        goes_on: Whether the same command goes on where it was.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.exit('\nStopped.' + ' The same command goes on from here.' * goes_on)
