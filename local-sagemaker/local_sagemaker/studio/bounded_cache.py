"""Results that are kept up to a weight of all of them, not up to a number: one may be a thousand times another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Makes values and keeps those used last, up to the weight `most`; what is heavier by itself is not kept."""

    def __init__(self, make: Callable[[Key], Value], weigh: Callable[[Key], int], most: int) -> None:
        self._make, self._weigh, self._most = make, weigh, most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()
        self.weight = 0

    def __call__(self, key: Key) -> Value:
        """The value of a key. Two threads that want a new one at once may both make it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value, weight = self._make(key), self._weigh(key)
        with self._lock:
            if weight <= self._most and key not in self._values:
                self._values[key] = value
                self.weight += weight
                while self.weight > self._most:
                    self.weight -= self._weigh(self._values.popitem(last=False)[0])
        return value
