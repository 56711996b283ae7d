"""Features of videos on disk: written as they come, read without loading them."""

import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, JsonValue, model_validator
from torch import Tensor

from .arrays import array_header
from .atomic_files import AtomicLocalBackend
from .plain_data import Record, read_json

ADVICE = 'name another folder, or remove it and have the features written again'
COLUMNS = ('index', 'filename', 'role', 'labels', 'replaced')


class _About(Record):
    """What the videos of a shard are, one value of each."""

    index: list[Annotated[int, Field(ge=0, lt=1 << 31)]]
    filename: list[str | None]
    role: list[str | None]
    labels: list[JsonValue]
    replaced: list[bool | None]

    @model_validator(mode='after')
    def of_one_length(self) -> '_About':
        """Refuses columns of several lengths."""
        if len({len(getattr(self, name)) for name in COLUMNS}) > 1:
            raise ValueError('its columns differ in length')
        return self


class FeatureStore:
    """The features that one network gives the videos of one data set, in a folder of shards.

    - ``store.json``: the identity, that is which network, which videos and which views.
    - ``<first index>.npy``: features ``(n, V, D)`` of n videos, float32 or float16.
    - ``<first index>.json``: their ``index`` in the data set, ``filename``, ``role``, ``labels`` and ``replaced``.

    A shard is there whole or not at all, so a stopped run goes on with what is missing; several processes may write
    side by side, each other videos. Features are read through a memory map.

    Example:
        >>> store = FeatureStore('work_dirs/features/k400_val', identity=dict(network='a', data='b'))
        >>> store.append([dict(index=0, view_features=torch.zeros(1, 2048), filename='a.mp4')])
        >>> store.flush()
        >>> features = torch.stack([sample['feature'] for sample in store.samples()])  # (N, D)

    Args:
        folder: The folder; made when it is not there.
        identity: What the features are of, JSON values by name. None opens a store whatever it holds.
        shard_size: Videos in a shard: the most whose features a kill loses.
        dtype: Of the features that are written, ``'float32'`` or ``'float16'``; what is read may be of either.

    Raises:
        FileNotFoundError: without an identity, if there is no store in the folder.
        ValueError: if the folder holds features of something else.
    """

    def __init__(self, folder: str | Path, identity: dict | None = None, shard_size: int = 512,
                 dtype: str = 'float32') -> None:
        self.folder = Path(folder)
        self.shard_size = shard_size
        self.dtype = dtype
        self._pending: list[dict] = []
        about = self.folder / 'store.json'
        if identity is None and not about.is_file():
            raise FileNotFoundError(f"There are no stored features in '{folder}': it has no store.json.")
        if not about.is_file():
            AtomicLocalBackend().put_text(json.dumps(identity, indent=1), about)
        self.identity = read_json(about, dict[str, JsonValue], ADVICE)
        if identity is not None:
            self._check(json.loads(json.dumps(identity)))  # tuples become lists, as in the file

    def append(self, samples: Sequence[dict]) -> None:
        """Takes samples in; a shard is written as soon as it is full, the rest by :meth:`flush`.

        Args:
            samples: Each with ``index`` (int, in the data set) and ``view_features`` (V, D), and where known with
                ``filename``, ``role``, ``labels`` and ``replaced``.
        """
        for sample in samples:
            self._pending.append(sample)
            if len(self._pending) >= self.shard_size:
                self.flush()

    def flush(self) -> None:
        """Writes what is not written yet.

        Raises:
            ValueError: a feature that float16 cannot hold.
        """
        if not self._pending:
            return
        rows, self._pending = self._pending, []
        features = torch.stack([row['view_features'].detach().float().cpu() for row in rows])  # (n, V, D)
        content = io.BytesIO()
        np.save(content, self._rounded(features, rows))
        about = {name: [row.get(name) for row in rows] for name in COLUMNS}
        path = self.folder / f"{rows[0]['index']:08d}.npy"
        AtomicLocalBackend().put(content.getvalue(), path)
        # Last: the shard counts from now on.
        AtomicLocalBackend().put_text(json.dumps(about), path.with_suffix('.json'))

    def stored(self) -> dict[int, bool]:
        """Indices of the videos whose features are on the disk, and whether another one stands in for each."""
        abouts = (_read_about(about) for about in self._shards())
        return {index: bool(replaced) for about in abouts for index, replaced in zip(about['index'], about['replaced'])}

    def samples(self) -> Iterator[dict]:
        """The videos in order of their index, as mmengine's metrics take them.

        Yields:
            ``dict(index, filename, role, labels, replaced, view_features, feature)``: ``view_features`` ``(V, D)`` on
            the disk, through a memory map, and ``feature`` ``(D,)``, their mean (for one view the same memory).
        """
        shards = self.shards()
        places = {index: (shard, row) for shard, (_, about) in enumerate(shards)
                  for row, index in enumerate(about['index'])}
        for index in sorted(places):
            shard, row = places[index]
            features, about = shards[shard]
            views = features[row]
            yield {**{name: about[name][row] for name in COLUMNS}, 'view_features': views,
                   'feature': views[0] if len(views) == 1 else views.float().mean(0)}

    def shards(self) -> list[tuple[Tensor, dict]]:
        """Of each shard the features ``(n, V, D)``, on the disk, and lists of n values by name (``COLUMNS``)."""
        return [_read_shard(about) for about in self._shards()]

    def _rounded(self, features: Tensor, rows: list[dict]) -> np.ndarray:
        most = np.finfo(self.dtype).max
        beyond = (~(features.abs() <= most)).flatten(1).any(1)  # NaN too
        if self.dtype == 'float16' and beyond.any():
            raise ValueError(f"a feature of '{rows[int(beyond.nonzero()[0])].get('filename')}' is not within float16's "
                             f"{most:.0f}: store them with dtype='float32'")
        return features.numpy().astype(self.dtype)

    def _shards(self) -> list[Path]:
        return sorted(path for path in self.folder.glob('*.json') if path.stem.isdecimal())

    def _check(self, identity: dict) -> None:
        unlike = [name for name in {**self.identity, **identity} if self.identity.get(name) != identity.get(name)]
        if unlike:
            raise ValueError(f"'{self.folder}' holds features of something else ({', '.join(unlike)} differ from "
                             'store.json there): delete the folder or name another one')


def _read_about(path: Path) -> dict:
    return dict(read_json(path, _About, ADVICE))


def _read_shard(path: Path) -> tuple[Tensor, dict]:
    about, file = _read_about(path), path.with_suffix('.npy')
    features = read_features(file)
    if features.ndim != 3 or len(features) != len(about['index']):
        raise ValueError(f"'{file}' has the shape {tuple(features.shape)} and is not of the {len(about['index'])} "
                         f'videos of {path.name}: {ADVICE}')
    return features, about


def read_features(path: str | Path) -> Tensor:
    """A ``.npy`` file as a tensor whose memory is the file.

    NumPy's own memory maps each hold a file open, which many systems allow 1024 of.

    Raises:
        ValueError: it holds something else, or is damaged.
    """
    shape, dtype, start = array_header(path, ADVICE)
    if dtype not in (np.float16, np.float32):
        raise ValueError(f"'{path}' holds {dtype}, not features: {ADVICE}")
    header = start // dtype.itemsize  # NumPy pads it to a multiple of 64 bytes
    values = torch.from_file(str(path), shared=False, size=header + math.prod(shape), dtype=getattr(torch, dtype.name))
    return values[header:].view(shape)
