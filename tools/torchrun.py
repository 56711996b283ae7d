"""torchrun, quiet about processes that have said themselves why they ended; with its arguments.

Its own pages of text come after the reason and hide it.
"""

import logging
import signal
import sys

if __name__ == '__main__' and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the seconds of importing: no traceback through libraries

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main


def reasons(error: ChildFailedError) -> list[str]:
    """A line for each process that was killed, and so could not say why."""
    return [f'Process {rank} was ended by {signal.Signals(-failure.exitcode).name}'
            + (' (out of memory?)' if failure.exitcode == -signal.SIGKILL else '') + '.'
            for rank, failure in sorted(error.failures.items())
            if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM]  # torchrun ends the others so


if __name__ == '__main__':
    logging.disable(logging.ERROR)
    try:
        main()
    except ChildFailedError as error:
        sys.exit('\n'.join(reasons(error)) or 1)
    except SignalException as stop:
        sys.exit(128 + stop.sigval)
