"""Requests to the doors that are no operations of the service's own: Studio's pages, forms and JSON twins, git over
HTTP, deployed REST APIs, the command line's verbs, and the neighbours that moto serves. Most are wrong in one place."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from urllib.parse import quote

from local_sagemaker import studio
from local_sagemaker.api import models
from local_sagemaker.control import HEALTH
from local_sagemaker.control import PREFIX as VERBS
from local_sagemaker.services.moto_services.moto_application import SERVICES
from local_sagemaker.studio.page import PREFIX as PAGES
from local_sagemaker.studio.registry import PAGES as REGISTERED
from local_sagemaker.studio.security import host_of
from tests.hostile.requests import BODIES, as_json
from tests.hostile.signing import HttpRequest
from tests.hostile.values import PLAUSIBLE, TEXTS, Values, deep_text

STUDIO, GIT, API, CONTROL = "studio", "git", "execute-api", "control"
VERB_NAMES = (
    "status", "clock", "import", "monitors", "monitor-run", "monitor-execution", "approvals", "approval-result",
    "studio", "studio-revoke", "run-in-foreground", "reset", "nope", "",
)  # fmt: skip
PARAMETERS = (
    "region", "pipeline", "schedule", "key", "summary", "to", "address", "kind", "job", "environment", "shell",
    "status", "x",
)  # fmt: skip
_EMPTIES = ("reset", "import", "studio-revoke")
"""Verbs that need no parameter: they are only sent with one that they do not know."""
_PACKETS = (
    b"", b"0000", b"0001", b"0032", b"ffff", b"zzzz", b"0004", b"00000009done\n", b"PACK", b"0011want nothing0000",
    b"0014command=ls-refs\n0000", b"00a5" + b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/main\0 report-status0000PACK",
    b"\x1f\x8b\x08\x00broken", b"\x00" * 3000,
)  # fmt: skip


@cache
def neighbour_operations() -> tuple[str, ...]:
    """``service:Operation`` of all that the services have which moto serves, whether moto has it or not."""
    return tuple(f"{name}:{one}" for name in sorted(SERVICES.values()) for one in models.model(name).operation_names)


@cache
def field_names() -> tuple[str, ...]:
    """What Studio's pages read of addresses and forms, as their own source names it."""
    folder = Path(studio.__file__).parent
    source = "".join(file.read_text("utf-8") for file in (*folder.rglob("*.py"), *folder.rglob("*.html")))
    return tuple(
        sorted({*re.findall(r'\.(?:value|field)\("([\w.-]+)"', source), *re.findall(r' name="([\w.-]+)"', source)})
    )


@cache
def action_names() -> tuple[str, ...]:
    """What buttons of Studio's forms are called."""
    folder = Path(studio.__file__).parent
    source = "".join(file.read_text("utf-8") for file in folder.rglob("*.html"))
    return tuple(sorted(set(re.findall(r'name="action" value="([\w-]+)"', source))))


class Doors:
    """An endless, seeded series. `api` is the id of a deployed API; `secret` and `key_id` are the state folder's."""

    def __init__(self, seed: int, *, key_id: str, secret: str, port: int, api: str) -> None:
        self._random = Random(seed)
        self._values = Values(self._random)
        self._key_id, self._secret, self._port, self._api = key_id, secret, port, api
        self._kinds: tuple[Callable[[], HttpRequest], ...] = (
            self._page, self._page, self._form, self._form, self._file, self._git, self._git, self._rest, self._verb,
        )  # fmt: skip

    def next(self) -> HttpRequest:
        """A request that needs no signature of AWS's form."""
        request = self._random.choice(self._kinds)()
        if self._random.random() < 0.1:
            name = self._random.choice(
                ("range", "cookie", "origin", "accept", "content-type", "x-secret", "host", "expect")
            )
            text = self._random.choice(TEXTS).replace("\r", " ").replace("\n", " ").replace("\x00", "").strip()[:3000]
            request.headers[name] = text.encode("utf-8", "surrogatepass").decode("latin-1")
        request.headers.setdefault("host", f"127.0.0.1:{self._port}")
        request.headers["content-length"] = str(len(request.body))
        return request

    def learn(self, answer: bytes) -> None:
        """Remembers what an answer names."""
        self._values.learn(answer)

    def _text(self) -> str:
        return self._random.choice(self._values.learned or PLAUSIBLE) if self._random.random() < 0.6 else self._odd()

    def _odd(self) -> str:
        return self._random.choice(TEXTS)[:5000]

    def _page(self) -> HttpRequest:
        """A page, its JSON or its CSV, with any of the names that pages read."""
        random = self._random
        form = random.choice(("", ".json", ".json", ".csv", "/index.json"))
        query = [(_encoded(random.choice(field_names())), _encoded(self._text())) for _ in range(random.randrange(5))]
        request = self._studio(random.choice(("GET", "GET", "GET", "HEAD", "PUT")), self._route() + form, query)
        if random.random() < 0.1:
            request.headers["range"] = random.choice(("bytes=0-1", "bytes=-5", "bytes=9-1", "bytes=5-", self._token()))
        return request

    def _form(self) -> HttpRequest:
        """A form of a page of the own origin."""
        random = self._random
        fields = [("action", random.choice(action_names()))] if random.random() < 0.9 else []
        fields += [(random.choice(field_names()), self._text()) for _ in range(random.randrange(6))]
        request = self._studio("POST", self._route(), [])
        request.headers["content-type"] = "application/x-www-form-urlencoded"
        request.body = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in fields).encode()
        if random.random() < 0.1:
            request.body = random.choice(BODIES)
        return request

    def _file(self) -> HttpRequest:
        """A file that is dropped onto a page."""
        query = [(name, _encoded(self._text())) for name in ("bucket", "prefix", "name") if self._random.random() < 0.9]
        request = self._studio("POST", self._random.choice(("/s3", self._route())), query)
        request.headers["content-type"] = "application/octet-stream"
        request.body = self._random.choice(BODIES)
        return request

    def _route(self) -> str:
        route = self._random.choice(REGISTERED).route
        if self._random.random() < 0.05:
            route = f"/static/{self._odd()}" if self._random.random() < 0.5 else f"/{self._odd()}"
            return quote(route.encode("utf-8", "surrogatepass")[:3000], safe="/")
        return re.sub(r"\{\w+\}", lambda _: _encoded(self._text()) or "hostile", route)

    def _studio(self, method: str, path: str, query: list[tuple[str, str]]) -> HttpRequest:
        host = f"{host_of(self._secret)}:{self._port}"
        headers = {"host": host, "x-secret": self._secret, "origin": f"http://{host}"}
        if self._random.random() < 0.1:
            headers["cookie"] = f"tz={self._token()}; region={self._token()}; theme={self._token()}"
        return HttpRequest(STUDIO, method, PAGES + path, query, headers, operation=f"studio:{method}")

    def _git(self) -> HttpRequest:
        """What git's clients send, with other bytes."""
        random = self._random
        name = random.choice(
            (
                "repos/hostile",
                "repos/hostile",
                "connections/hostile/hostile.git",
                "connections/../a.git",
                f"repos/{_encoded(self._odd())}",
            )
        )
        rest = random.choice((
            "/info/refs", "/git-upload-pack", "/git-receive-pack", "/HEAD", "/objects/info/packs",
            f"/objects/{_encoded(self._odd(), '/')}", "/objects/../config", "/objects/ab/" + "c" * 38,
        ))  # fmt: skip
        service = random.choice(("git-upload-pack", "git-receive-pack", _encoded(self._odd())))
        post = rest.endswith("-pack")
        headers = {"authorization": _basic(f"{self._key_id}:{self._secret}".encode())}
        if random.random() < 0.1:
            headers["authorization"] = random.choice((
                "Basic", "Basic !", "Bearer x", _basic(b"a"), _basic(b"\xff:"),
                _basic(f"{self._key_id}:{'9' * 8}T{'9' * 6}Z{'a' * 64}".encode()),
            ))  # fmt: skip
        if post:
            headers["content-type"] = f"application/x-{rest[1:]}-request" if random.random() < 0.8 else self._token()
        if random.random() < 0.3:
            headers["content-encoding"] = random.choice(("gzip", "identity", "br", self._token()))
        if random.random() < 0.3:
            headers["git-protocol"] = random.choice(("version=2", "version=9", self._token()))
        body = random.choice((*_PACKETS, random.randbytes(random.randrange(300)))) if post else b""
        query = [("service", service)] if rest == "/info/refs" and random.random() < 0.9 else []
        method = random.choice(("POST" if post else "GET",) * 8 + ("PUT", "DELETE", "HEAD", "POST", "GET"))
        return HttpRequest(GIT, method, f"/v1/{name}{rest}", query, headers, body, operation=f"git:{rest}")

    def _rest(self) -> HttpRequest:
        """A client of a deployed REST API."""
        random = self._random
        path = random.choice(("/echo", "/mock", "/mapped", "/", "/nope", f"/{_encoded(self._odd())}", "/echo/deeper"))
        stage = random.choice(("test", "test", "test", "test", _encoded(self._odd())))
        api = self._api if random.random() < 0.95 else _encoded(self._odd())
        method = random.choice(("GET", "POST", "POST", "POST", "OPTIONS", "DELETE", "HEAD"))
        query = [(_encoded(self._odd()), _encoded(self._odd())) for _ in range(random.randrange(3))]
        headers = {"content-type": random.choice(("application/json", "text/csv", self._token()))}
        for name in ("x-api-key", "accept", "authorization"):
            if random.random() < 0.2:
                headers[name] = self._token()
        body = random.choice((*BODIES, as_json(self._values.odd()), b'{"a": 1}', deep_text(3000).encode()))
        return HttpRequest(
            API, method, f"/_aws/execute-api/{api}/{stage}{path}", query, headers, body, operation=f"execute-api:{path}"
        )

    def _verb(self) -> HttpRequest:
        """A verb of the command line."""
        random = self._random
        name = random.choice(VERB_NAMES)
        query = [(random.choice(PARAMETERS), _encoded(self._text())) for _ in range(random.randrange(4))]
        if name == "clock":
            query = [("to", _encoded(self._odd()))] if random.random() < 0.8 else [("x", "1")]
        if name in _EMPTIES:
            query.append(("nope", "1"))
        secret = self._secret if random.random() < 0.9 else self._token()
        path = HEALTH if random.random() < 0.05 else VERBS + name
        method = random.choice(("POST",) * 8 + ("GET", "PUT"))
        return HttpRequest(CONTROL, method, path, query, {"x-secret": secret}, operation=f"control:{name}")

    def _token(self) -> str:
        """A header's value."""
        text = self._odd().replace("\r", " ").replace("\n", " ").replace("\x00", "").strip()[:1000]
        return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _basic(pair: bytes) -> str:
    return f"Basic {base64.b64encode(pair).decode()}"


def _encoded(text: str, safe: str = "") -> str:
    return quote(text.encode("utf-8", "surrogatepass")[:3000], safe=safe)
