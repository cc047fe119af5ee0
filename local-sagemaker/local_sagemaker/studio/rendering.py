"""Templates and their filters. Everything is escaped; HTML is made only by templates and by `graph` and `charts`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from local_sagemaker.masking import MASK, mask_document
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts import bars, gantt, histogram, line, sparkline, trend
from local_sagemaker.studio.graph import svg
from local_sagemaker.studio.page import PREFIX, REVEAL
from local_sagemaker.studio.views import numbers, states, times

FOLDER = Path(__file__).parent
SECTIONS = (
    ("Home", ""), ("Pipelines", "pipelines"), ("Models", "models"), ("Endpoints", "endpoints"),
    ("Monitoring", "monitoring"), ("Delivery", "delivery"),
)  # fmt: skip
MORE = (
    ("Jobs", "jobs"), ("Experiments", "experiments"), ("Logs", "logs"), ("S3", "s3"), ("Lineage", "lineage"),
    ("Events", "events"), ("Functions", "functions"), ("APIs", "apis"), ("Service", "service"),
)  # fmt: skip


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with the static files, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for file in sorted((FOLDER / "static").rglob("*")):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates' environment."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "duration": times.duration, "ago": times.ago, "iso": times.iso, "stamp": times.stamp, "number": numbers.number,
        "bytes": numbers.size, "count": numbers.count, "pretty": pretty, "tree": tree,
        "state": states.state_of, "monitor": states.monitor_of, "last": _last, "linked": urls.find_links,
    }  # fmt: skip
    made.globals |= {
        "to": urls.to, "link_to": urls.resource, "execution_url": urls.execution, "s3_url": urls.s3,
        "toggled": urls.toggle, "graph_svg": svg.draw, "timeline_svg": gantt.draw, "bars_svg": bars.executions,
        "ranked_svg": bars.rank, "line_svg": line.draw, "has_log": line.has_log, "histogram_svg": histogram.draw,
        "sparkline_svg": sparkline.draw, "trend_svg": trend.draw, "SECTIONS": SECTIONS, "MORE": MORE, "PREFIX": PREFIX,
        "MASK": MASK, "REVEAL": REVEAL, "PAUSE": Markup(PAUSE), "static": lambda name: urls.static(name, version()),
    }  # fmt: skip
    return made


def render(template: str, context: Mapping[str, Any]) -> str:
    """The HTML of a page."""
    return environment().get_template(template).render(**context)


PART = 1 << 16
PAUSE = "<!--what takes longer follows-->"
"""Where a template has this, what came before it is sent; no text that a template escapes can be the same."""


def stream(template: str, context: Mapping[str, Any]) -> tuple[bytes, Iterator[bytes] | None]:
    """The HTML of a page: its beginning, and the rest in parts that are made as they are wanted.

    None for the rest where the page is so short that its beginning is all of it.
    """
    texts = environment().get_template(template).generate(**context)
    first, has_more = _take_part(texts)
    return first, _parts(texts) if has_more else None


def _parts(texts: Iterator[str]) -> Iterator[bytes]:
    has_more = True
    while has_more:
        part, has_more = _take_part(texts)
        yield part


def _take_part(texts: Iterator[str]) -> tuple[bytes, bool]:
    """Text for one part, and whether more may come."""
    taken: list[str] = []
    size = 0
    for text in texts:
        if text == PAUSE:
            return "".join(taken).encode(), True
        taken.append(text)
        size += len(text)
        if size >= PART:
            return "".join(taken).encode(), True
    return "".join(taken).encode(), False


def values_of(context: Any) -> dict[str, Any]:
    """The fields of a context, not copied."""
    return {item.name: getattr(context, item.name) for item in fields(context)}


def document(value: Any) -> Any:
    """What JSON can hold of a context."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: document(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): document(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [document(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def pretty(value: Any, reveal: str = "") -> str:
    """Indented JSON; what speaks of secrets is masked unless `reveal` is 1."""
    shown = document(value)
    return json.dumps(shown if reveal == "1" else mask_document(shown), indent=2, ensure_ascii=False)


def tree(value: Any, reveal: str = "") -> Any:
    """What `pretty` shows, for a tree of folds; None where it has so many members that text is better."""
    shown = document(value)
    shown = shown if reveal == "1" else mask_document(shown)
    return shown if isinstance(shown, (dict, list)) and shown and _has_few(shown) else None


def _has_few(value: Any) -> bool:
    """Whether a document has at most as many members, on all levels, as a tree may have."""
    count, pending = 0, [value]
    while pending and count <= MOST_BRANCHES:
        item = pending.pop()
        inner = item.values() if isinstance(item, dict) else item
        count += len(item)
        pending += [one for one in inner if isinstance(one, (dict, list))]
    return count <= MOST_BRANCHES


MOST_BRANCHES = 1_000


def _last(text: str) -> str:
    return str(text).rstrip("/").rpartition("/")[2]
