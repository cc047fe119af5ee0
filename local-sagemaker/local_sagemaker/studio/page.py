"""What a page is: a route, a function from a visit to a context, and a template that shows the context.

A context is a frozen dataclass. Its fields are what the template shows and what the page's JSON twin holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from local_sagemaker.api.operations import Call
from local_sagemaker.masking import Hide, hide_alike, mask_document
from local_sagemaker.objects.types import FileRange
from local_sagemaker.studio.local_data import StudioReads

if TYPE_CHECKING:
    from local_sagemaker.errors import ServiceError

PREFIX = "/_studio"
REVEAL = "secrets"
"""The name in an address whose value 1 shows the values of variables that sound secret."""
_OWN_FAULT = 500


@dataclass(frozen=True)
class Visit:
    """One request of a page. `path` are the variables of its route; `query` and `form` hold all values of a name."""

    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    call: Call
    reads: StudioReads
    region: str
    now: float
    address: str = ""
    form: Mapping[str, list[str]] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    """What the page could not read, by operation: shown on it, since a list that could not be read is not empty."""

    def value(self, name: str, default: str = "") -> str:
        """The first value of a name in the query."""
        return (self.query.get(name) or [default])[0]

    def field(self, name: str, default: str = "") -> str:
        """The first value of a name in the form."""
        return (self.form.get(name) or [default])[0]

    @property
    def reveals(self) -> bool:
        """Whether the address wants the values of variables that sound secret."""
        return self.value(REVEAL) == "1"

    def screen(self, document: Any, hide: Hide = hide_alike) -> Any:
        """A document as the page may show it."""
        return document if self.reveals else mask_document(document, hide)

    def optional(self, name: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The response of an operation, or None where it is refused: mostly, the resource is missing."""
        from local_sagemaker.errors import ServiceError

        try:
            return self.call(name, dict(request))
        except ServiceError as error:
            self.note(name, error)
            return None

    def note(self, name: str, error: ServiceError) -> None:
        """Notes an operation that failed or is not supported; one that was refused has nothing to show."""
        if error.status >= _OWN_FAULT:
            self.troubles[name] = error.message


@dataclass(frozen=True)
class Missing(Exception):
    """The page shows a resource that does not exist."""

    message: str
    code: str = "ResourceNotFound"


@dataclass(frozen=True)
class Moved(Exception):
    """What the request names is on another page, which has this address."""

    href: str


@dataclass(frozen=True)
class Content:
    """A response that is no page: a download, or content of users for a sandboxed frame.

    A file or an iterator is sent part by part, so that a download of any size needs the memory of one part; of a file
    any range can be requested, which `etag` says is still one of the same bytes.
    """

    body: bytes | Iterator[bytes] | FileRange
    media_type: str
    name: str = ""
    sandbox: bool = False
    scripts: bool = False
    etag: str = ""


Load = Callable[[Visit], Any]
Act = Callable[[Visit], str]
Take = Callable[[Visit, IO[bytes]], str]


@dataclass(frozen=True)
class Page:
    """A page. `load` makes its context from the responses of operations; `act` does what its form says and returns the
    address to go to; `take` does the same with a file that is sent to it. `section` is its entry in the navigation;
    `live` says which events change it, as ``kind:key prefix`` (see `live_updates.py`)."""

    route: str
    load: Load
    template: str = ""
    section: str = ""
    act: Act | None = None
    live: Callable[[Visit, Any], tuple[str, ...]] = lambda _visit, _context: ()
    take: Take | None = None

    def match(self, path: str) -> dict[str, str] | None:
        """The variables of the route in a path, None for a path of another page."""
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", self.route)
        )
        match = re.fullmatch(pattern, path)
        return match.groupdict() if match else None
