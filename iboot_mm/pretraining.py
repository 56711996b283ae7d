"""From a folder of videos to a trained network in one line of Python: ``iboot_mm.pretrain('videos/', 'run')``."""

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path


def pretrain(videos: str | Path, out: str | Path, teacher: str | None = None, method: str = 'iboot',
             checkpoint: str | Path | None = None, lists: Sequence[str | Path] = (), labels: Sequence[str] = (),
             hold_out: bool = False, epochs: int | None = None, processes: int | None = None) -> Path:
    """Pre-trains a small network on a folder of videos, without labels, in processes of its own; prints how it goes.

    A few minutes on two cores, whatever the number of videos. An interrupt stops it; the same call goes on where it was
    stopped, and returns at once when the run is there. It does what ``iboot-mm pretrain`` and
    ``make quickstart VIDEOS=DIR`` do: ``out`` holds the config, checkpoints, logs, a table and ``report.html``.

    Example:
        >>> run = iboot_mm.pretrain('videos/', 'run', teacher='clip_vit_b16')
        >>> features = iboot_mm.load(run)('videos/')       # (n_videos, D)

    Args:
        videos: Folder, nested.
        out: Folder for the run.
        teacher: A ready teacher (docs/teachers.md), a config file, ``timm:MODEL.TAG`` or ``open_clip:MODEL/TAG``; None
            takes timm's MobileNetV2. For the methods iboot and advise.
        method: ``iboot``, ``byol``, ``moco``, ``simclr``, ``swav``, ``advise`` or ``vivi``.
        checkpoint: File with the teacher's weights, where no hub is to be asked.
        lists: Lists of lines ``path label``: one, or one to compare with and one of queries; for k-NN accuracy.
        labels: Names of the lists' label columns.
        hold_out: Train on the videos of the first list alone.
        epochs: None takes as many as two cores do in some minutes.
        processes: None takes one per GPU, two on a CPU.

    Returns:
        ``out``, which :func:`iboot_mm.load` takes.

    Raises:
        FileNotFoundError: there is no such folder of videos.
        RuntimeError: it failed; the message says why and names the log.
    """
    from iboot_mm_cli.places import folder  # an editable install of an earlier version does not know it yet

    if not Path(videos).expanduser().is_dir():
        raise FileNotFoundError(f'There is no folder of videos {videos}.')
    out = Path(out).expanduser()
    options = dict(method=method, teacher=teacher, checkpoint=checkpoint, epochs=epochs, processes=processes)
    command = [sys.executable, folder('tools') / 'pretrain.py', Path(videos).expanduser(), '--out', out]
    for name, value in options.items():
        command += [] if value is None else [f'--{name}', value]
    command += ['--lists', *lists] if lists else []
    command += ['--labels', *labels] if labels else []
    command += ['--hold-out'] if hold_out else []
    last: deque[str] = deque(maxlen=5)
    # Line by line through print: a notebook shows nothing of what a process writes to the terminal itself. In a session
    # of its own: it is told to stop once, from here, whether a terminal or a notebook interrupts.
    with subprocess.Popen([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            for line in process.stdout or ():
                last.append(line)
                print(line, end='', flush=True)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
    if process.returncode:
        raise RuntimeError(f'pretrain: {"".join(last).strip()}')
    return out
