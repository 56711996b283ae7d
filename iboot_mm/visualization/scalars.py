"""What a run logged, as curves."""

import json
from pathlib import Path

Curve = list[tuple[float, float]]  # (iteration or epoch, value), ascending


def scalar_files(work_dir: str | Path) -> list[Path]:
    """The ``scalars.json`` of every start of a run (mmengine begins a new one at each resume), oldest first."""
    return sorted(Path(work_dir).glob('*/vis_data/scalars.json'))


def read_scalars(files: list[Path]) -> dict[str, Curve]:
    """Curves by name; where files overlap (a run resumed before its last line), the later file wins.

    Training values are over iterations. Evaluation results, which mmengine logs by epoch, are put at the iteration
    at which that epoch ended, as far as it is known.

    Args:
        files: ``scalars.json`` files, oldest first.

    Returns:
        Name to a curve over iterations.

    Raises:
        FileNotFoundError: there is no file.
        ValueError: a line is no JSON (a run that was killed may end in half a line, which is skipped).
    """
    if not files:
        raise FileNotFoundError('no vis_data/scalars.json in the work directory: has the run trained at all?')
    points: dict[str, dict[float, float]] = {}
    epoch_ends: dict[int, float] = {}
    for file in files:
        lines = [line for line in file.read_text().splitlines() if line.strip()]
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                if number == len(lines):
                    continue
                raise ValueError(f'{file}, line {number} is no JSON: {error}') from None
            _add(record, points, epoch_ends)
    return {name: sorted(curve.items()) for name, curve in points.items()}


def _add(record: dict, points: dict[str, dict[float, float]], epoch_ends: dict[int, float]) -> None:
    if 'iter' in record:
        at = float(record['iter'])
        epoch_ends[int(record.get('epoch', 0))] = at
    else:
        at = epoch_ends.get(int(record['step']), float(record['step']))
    for name, value in record.items():
        if name not in ('iter', 'step', 'epoch') and isinstance(value, (int, float)):
            points.setdefault(name, {})[at] = float(value)
