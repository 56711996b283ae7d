import sys
from pathlib import Path

# The benchmarks are scripts: what they share is beside them, as when they are run.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'benchmarks'))
