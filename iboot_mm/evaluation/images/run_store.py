"""Results of finished runs, so that an interrupted command goes on."""

import hashlib
import json
from pathlib import Path

from ...stores.atomic_files import AtomicLocalBackend


class RunStore:
    """A file per run, named after all that determines its result: what changes is computed anew, and nothing mixes.

    Args:
        folder: Where the files are; None keeps results in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.kept: dict[str, dict] = {}

    def get(self, about: dict) -> dict | None:
        """The result of a run, or None if there is none yet.

        Args:
            about: What determines it; JSON values.
        """
        name = self.name_of(about)
        path = self.folder / f'{name}.json' if self.folder is not None else None
        if name not in self.kept and path is not None and path.is_file():
            self.kept[name] = json.loads(path.read_text())['result']
        return self.kept.get(name)

    def put(self, about: dict, result: dict) -> None:
        """Keeps a result."""
        name = self.name_of(about)
        self.kept[name] = result
        if self.folder is not None:
            AtomicLocalBackend().put_text(json.dumps(dict(about=about, result=result), indent=1),
                                         self.folder / f'{name}.json')

    @staticmethod
    def name_of(about: dict) -> str:
        """The name of a run, 20 hexadecimal digits."""
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:20]
