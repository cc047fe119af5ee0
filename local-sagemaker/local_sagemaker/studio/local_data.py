"""The read port: what pages show that no AWS operation returns. Everything else is an operation."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.engine.journal import EXECUTION, execution_key
from local_sagemaker.engine.property_metrics import METRICS
from local_sagemaker.events import Event
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import FileRange
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_execution
from local_sagemaker.records.query import Query
from local_sagemaker.records.selection import Selection

_BUS_HISTORY = "event-history"
_FOLDERS = {"objects": "S3 objects", "logs": "logs", "functions": "functions", "jobs": "running jobs"}


@dataclass(frozen=True)
class DiskUse:
    """Bytes below one folder of the state folder."""

    name: str
    folder: str
    bytes: int


class StudioReads:
    """Events, disk use and counts of one region."""

    def __init__(self, settings: Settings, records: Records, status: Callable[[], Mapping[str, Any]]) -> None:
        self.settings, self._records, self.status = settings, records, status

    def newest_event(self) -> int:
        """The number of the newest event."""
        return self._records.event_log.newest()

    def history(self, limit: int = 200, kinds: tuple[str, ...] = ()) -> list[Event]:
        """The newest events of the region, newest first; of some kinds only, if any are given."""
        newest = self._records.event_log.newest()
        chosen: list[Event] = []
        step, end = 500, newest
        while len(chosen) < limit and end > 0 and end > newest - 5_000:
            part = self._records.event_log.after(max(0, end - step), region=self.settings.region, limit=step)
            chosen += [event for event in reversed(part) if event.number <= end and (not kinds or event.kind in kinds)]
            end -= step
        return chosen[:limit]

    def bus_history(self, limit: int = 200) -> list[Mapping[str, Any]]:
        """What the event buses took, newest first: `event`, `rules` that matched, `deliveries` to targets, `time`."""
        return [body for _, body in self._records.page(Query(_BUS_HISTORY), limit)]

    def bus_event(self, identity: str) -> Mapping[str, Any] | None:
        """The same of one event, by its id."""
        return self._records.get(_BUS_HISTORY, identity)

    def count(self, kind: str, *statuses: str) -> int:
        """How many resources of a kind there are, in all regions."""
        return self._records.count(kind, *statuses)

    def count_below(self, kind: str, parent: str) -> int:
        """How many records of a kind hang on a parent: the executions of a pipeline."""
        return self._records.count_below(kind, parent)

    def select(self, selection: Selection, size: int, offset: int = 0) -> tuple[list[str], int]:
        """Keys of the records that a selection chooses, and how many it chooses: an index; a page describes them by
        operations."""
        return self._records.select(selection, size, offset)

    def newest(self, query: Query, most: int, member: str) -> list[str]:
        """A member, such as the ARN, of at most so many of the records that a query finds: an index; a page describes
        them by operations."""
        return [str(body.get(member, "")) for _, body in self._records.page(query, most)]

    def metrics(self, execution: str) -> dict[str, float]:
        """The numbers in an execution's property files, by its ARN; empty before its end."""
        body = self._records.get(EXECUTION, execution_key(execution)) or {}
        return {item["Name"]: float(item["Value"]) for item in own_execution(body).get(METRICS, [])}

    def log_file(self, group: str, stream: str) -> FileRange | None:
        """All that a log stream holds now, as it was printed; None where there is no such stream."""
        file = Logs(self.settings.logs).open_stream(group, stream)
        return FileRange(Path(file.name), 0, os.fstat(file.fileno()).st_size, file) if file else None

    def disk(self) -> tuple[list[DiskUse], int]:
        """What the state folder holds, by kind, and the free bytes of its disk. Cached for a few seconds."""
        home = self.settings.home
        at, uses = _CACHE.get(home, (0.0, []))
        if now() - at > _KEPT:
            uses = [DiskUse(label, name, _size(home / name)) for name, label in _FOLDERS.items()]
            _CACHE[home] = (now(), uses)
        return uses, disk_usage(home).free


_KEPT = 30.0
_CACHE: dict[Path, tuple[float, list[DiskUse]]] = {}


def _size(folder: Path) -> int:
    total = 0
    pending = [folder]
    while pending:
        try:
            entries = list(pending.pop().iterdir())
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir() and not entry.is_symlink():
                    pending.append(entry)
                else:
                    total += entry.lstat().st_size
            except OSError:
                continue  # removed since it was listed
    return total
