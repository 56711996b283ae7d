"""What a process has found out about the videos that it has opened."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Found = TypeVar('Found')


class BoundedCache(Generic[Found]):
    """The values used last, by key, as far as a number of bytes goes.

    Args:
        limit (int): Bytes of all values together.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._held: OrderedDict[Hashable, tuple[Found, int]] = OrderedDict()

    def get(self, key: Hashable) -> Found | None:
        """A value that is held, None if there is none."""
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key][0]

    def put(self, key: Hashable, value: Found, size: int) -> None:
        """Hold a value of `size` bytes, and let go of those not used for longest."""
        self.size += size - self._held.pop(key, (value, 0))[1]
        self._held[key] = (value, size)
        while self.size > self.limit:
            self.size -= self._held.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._held)
