import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..processes import run_script

# The benchmarks are scripts: what they share is beside them, as when they are run.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'benchmarks'))


@pytest.fixture
def forked(monkeypatch) -> None:
    """What a benchmark measures by a process of its own is one that has imported everything already."""
    def run(command: list[str], check: bool, **options: object) -> subprocess.CompletedProcess:
        done = run_script(*command[1:])
        assert command[0] == sys.executable and check and done.returncode == 0, done.stdout
        return done

    for module in ('side_by_side', 'knn'):
        monkeypatch.setattr(f'{module}.subprocess', SimpleNamespace(run=run, PIPE=subprocess.PIPE))
