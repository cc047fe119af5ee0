"""The pages as one ASGI application: host, session, forgery, page, rendering. Nothing here knows a page."""

from __future__ import annotations

import asyncio
import json
import logging
import mimetypes
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from local_sagemaker import allocator
from local_sagemaker.api.operations import Call
from local_sagemaker.arns import is_region
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import MISSING, NotSupported, ServiceError, says_full
from local_sagemaker.http import Receive, Scope, Send
from local_sagemaker.records import Records
from local_sagemaker.studio import rendering, security
from local_sagemaker.studio.downloads import Download, respond, send_parts
from local_sagemaker.studio.exports import export
from local_sagemaker.studio.live_updates import LiveEvents, Topic
from local_sagemaker.studio.local_data import StudioReads
from local_sagemaker.studio.page import PREFIX, Content, Missing, Moved, Page, Visit
from local_sagemaker.studio.ranges import RangeRequest
from local_sagemaker.studio.registry import PAGES
from local_sagemaker.studio.session import COOKIE, LONGEST_SECONDS, Sessions
from local_sagemaker.studio.uploads import MEDIA_TYPE, receive_file
from local_sagemaker.studio.views import times

log = logging.getLogger(__name__)
THREADS = 16
GIVE_BACK_AFTER = 2.0
"""Seconds after a page."""
PageResponse = tuple[int, bytes | Download, dict[str, str]]
HTML, JSON = "text/html; charset=utf-8", "application/json"
_THEMES = ("light", "dark")


class RefusedRequest(Exception):
    """A request that no page sees: its status and why."""

    def __init__(self, status: int, message: str, code: str = "Refused") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class Studio:
    """Serves everything below ``/_studio`` under the pages' own host name."""

    def __init__(
        self, *, settings: Settings, records: Records, call: Callable[[str], Call], secret: str, url: str,
        status: Callable[[], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._settings, self._records, self._call, self._secret, self._status = settings, records, call, secret, status
        self.host = security.host_of(secret)
        self.origin = f"http://{self.host}:{url.rpartition(':')[2]}"
        self.sessions = Sessions(settings.home / "studio-sessions.json")
        self._live = LiveEvents(records)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")
        self._will_give_back = False

    def link(self) -> dict[str, str]:
        """A one-time address that signs a browser in."""
        return {"url": f"{self.origin}{PREFIX}/open#{self.sessions.make_link()}", "origin": self.origin}

    def revoke(self) -> dict[str, int]:
        """Ends all sessions."""
        return {"sessions": self.sessions.revoke()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        if headers.get("host", "").rpartition(":")[0] != self.host:
            await _send(send, 307, b"", {"Location": self.origin + _target(scope)})
            return
        try:
            await self._route(scope, headers, receive, send)
        except RefusedRequest as error:
            await self._refuse(send, error, scope["path"])
        finally:
            self._give_back_later()

    def _give_back_later(self) -> None:
        """What pages needed for a moment goes back to the system, soon, and once for many of them."""
        if not self._will_give_back:
            self._will_give_back = True
            asyncio.get_running_loop().call_later(GIVE_BACK_AFTER, self._threads.submit, self._give_back)

    def _give_back(self) -> None:
        self._will_give_back = False
        allocator.give_back()

    async def _route(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        method, path = scope["method"], _path(scope)
        reason = security.refuse_forgery(method, headers, self.origin)
        has_key = secrets.compare_digest(headers.get("x-secret", "").encode(), self._secret.encode())
        if reason and not (has_key and method == "GET"):
            raise RefusedRequest(403, reason, "Forbidden")
        if path.startswith("/static/"):
            await self._static(path.removeprefix("/static/"), send)
            return
        is_file = method == "POST" and headers.get("content-type", "") == MEDIA_TYPE
        form = parse_form(await _body(receive)) if method == "POST" and not is_file else {}
        cookies = _cookies(headers)
        if path == "/open":
            await self._open(method, form, send)
            return
        if not has_key and not self.sessions.is_open(cookies.get(COOKIE, "")):
            raise RefusedRequest(401, "Sign in with the link that `local-sagemaker studio` prints.", "Unauthorized")
        query = parse_form(scope["query_string"])
        region = cookies.get("region") or self._settings.region
        if is_file:
            await _send(send, *await self._take(path, query, region, receive))
            return
        if path == "/events/stream":
            await self._stream(query, region, headers, receive, send)
            return
        status, body, sent = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            self._page,
            method,
            path,
            query,
            form,
            cookies,
            region,
            RangeRequest(headers.get("range", ""), headers.get("if-range", "")),
        )
        if isinstance(body, bytes):
            await _send(send, status, body, sent)
        else:
            await send_parts(self._threads, body, sent, receive, send, status)

    async def _take(
        self, path: str, query: Mapping[str, list[str]], region: str, receive: Receive
    ) -> tuple[int, bytes, dict[str, str]]:
        """Gives a file to the page that takes it; its script goes to the address in the response."""
        page, variables = _find(path)
        if page is None or page.take is None:
            raise RefusedRequest(405, "This page takes no file.", "MethodNotAllowed")
        try:
            file = await receive_file(self._threads, receive, self._settings.home)
        except OSError as error:
            raise RefusedRequest(507, f"The file could not be kept: {error}", "NoSpace") from error
        with file:
            visit = self._visit(variables, query, {}, region)
            try:
                target = await asyncio.get_running_loop().run_in_executor(self._threads, page.take, visit, file)
            except ServiceError as error:
                return 422, _error_document(error.code, error.message), _JSON_HEADERS
            except (OSError, sqlite3.OperationalError) as error:
                log.exception("the file for page %s", path)
                if says_full(error):
                    return 507, _error_document("NoSpace", f"The file could not be kept: {error}"), _JSON_HEADERS
                return 500, _error_document("InternalFailure", f"The file could not be taken: {error}"), _JSON_HEADERS
        return 200, json.dumps({"href": target}).encode(), _JSON_HEADERS

    def _visit(
        self, variables: Mapping[str, str], query: Mapping[str, list[str]], form: Mapping[str, list[str]], region: str
    ) -> Visit:
        reads = StudioReads(self._settings.in_region(region), self._records.of(region), self._status)
        return Visit(variables, query, self._call(region), reads, region, now(), self.origin, form)

    async def _stream(
        self, query: Mapping[str, list[str]], region: str, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        last = headers.get("last-event-id") or (query.get("after") or [""])[0]
        topic = Topic((query.get("topic") or [""])[0][:2000], region)
        wanted = _raw({**security.HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await self._live.serve(topic, int(last) if last.isascii() and last.isdigit() else None, receive, send, wanted)

    async def _static(self, name: str, send: Send) -> None:
        folder = rendering.FOLDER / "static"
        try:
            file = (folder / name).resolve()
            exists = file.is_relative_to(folder) and file.is_file()
        except (OSError, ValueError):  # too long, or with a NUL
            exists = False
        if not exists:
            raise RefusedRequest(404, "There is no such file.", "NotFound")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {**security.HEADERS, "Content-Type": kind, "Cache-Control": "public, max-age=31536000, immutable"}
        await _send(send, 200, file.read_bytes(), headers)

    async def _open(self, method: str, form: Mapping[str, list[str]], send: Send) -> None:
        """The sign-in page; the token comes in the fragment, which no server's log and no preview sees."""
        message = ""
        if method == "POST":
            value = self.sessions.open((form.get("token") or [""])[0])
            if value is not None:
                cookie = f"{COOKIE}={value}; Path={PREFIX}; HttpOnly; SameSite=Lax; Max-Age={int(LONGEST_SECONDS)}"
                target = (form.get("to") or [""])[0]
                safe = (
                    target
                    if target.startswith(f"{PREFIX}/") and "\\" not in target and "//" not in target
                    else f"{PREFIX}/"
                )
                location = quote(safe, safe="/?#&=%+,:;@~")  # a header has no blanks and no other letters
                await _send(send, 303, b"", {**security.HEADERS, "Set-Cookie": cookie, "Location": location})
                return
            message = "This link was used already, or is older than two minutes."
        body = rendering.render("open.html", {"message": message, "theme": "", **_BARE})
        await _send(send, 403 if message else 200, body.encode(), {**_HTML_HEADERS})

    def _page(
        self, method: str, path: str, query: Mapping[str, list[str]], form: Mapping[str, list[str]],
        cookies: Mapping[str, str], region: str, requested: RangeRequest,
    ) -> PageResponse:  # fmt: skip
        """The response of a page; never raises."""
        path, form_of = _split_twin(path)
        twin = form_of == ".json"
        page, variables = _find(path)
        visit = self._visit(variables, query, form, region)
        shell = {
            "number": visit.reads.newest_event(),
            "tz": cookies.get("tz", ""), "theme": cookies.get("theme", ""), "path": PREFIX + path,
            "query": query, "region": region, "now": visit.now, "error": None, "done": (query.get("done") or [""])[0],
        }  # fmt: skip
        try:
            if page is None:
                raise Missing(f"There is no page {PREFIX}{path}.", "NotFound")
            if form_of == ".csv":
                return respond(export(page, visit), RangeRequest())
            return self._show(page, method, visit, shell, requested, twin=twin)
        except Moved as moved:
            place, mark, rest = moved.href.partition("?")
            return 303, b"", {**security.HEADERS, "Location": f"{place}{form_of if twin else ''}{mark}{rest}"}
        except (Missing, ServiceError) as error:
            return _failure(error, shell, page, twin=twin)
        except Exception:
            log.exception("page %s failed", path)
            unknown = ServiceError("The page could not be made; the service's log has more (local-sagemaker logs).")
            return _failure(unknown, shell, page, twin=twin)

    def _show(
        self, page: Page, method: str, visit: Visit, shell: dict[str, Any], requested: RangeRequest, *, twin: bool
    ) -> PageResponse:
        status = 200
        if method == "POST":
            if page.act is None:
                raise ServiceError("Nothing can be changed on this page.", code="MethodNotAllowed", status=405)
            try:
                target = page.act(visit)
                if target:
                    return 303, b"", {**security.HEADERS, "Location": target, "Set-Cookie": _ACTED}
            except ServiceError as error:
                shell["error"], status = {"code": error.code, "message": error.message}, 422
        context = page.load(visit)
        if isinstance(context, Content):
            return respond(context, requested)
        if twin:
            incomplete = {"incomplete": visit.troubles} if visit.troubles else {}
            shown = visit.screen(rendering.document(context))
            return 200, json.dumps(shown | incomplete).encode(), dict(_JSON_HEADERS)
        values = rendering.values_of(context) | shell
        values |= {"section": page.section, "topics": ",".join(page.live(visit, context)), "form": visit.form}
        values["troubles"] = visit.troubles
        first, rest = rendering.stream(page.template, values)
        return status, first if rest is None else Download(first, rest), dict(_HTML_HEADERS)

    async def _refuse(self, send: Send, error: RefusedRequest, path: str) -> None:
        if path.endswith(".json"):
            await _send(send, error.status, _error_document(error.code, error.message), _JSON_HEADERS)
            return
        text = rendering.render("refused.html", {"message": error.message, "theme": "", **_BARE})
        await _send(send, error.status, text.encode(), dict(_HTML_HEADERS))


_ACTED = f"acted=1; Path={PREFIX}; SameSite=Lax; Max-Age=30"
"""Says to the script of the next page that the action was done, and not only its form sent."""
_HTML_HEADERS = {**security.HEADERS, "Content-Type": HTML, "Content-Security-Policy": security.POLICY}
_JSON_HEADERS = {**security.HEADERS, "Content-Type": JSON}
_BARE: dict[str, Any] = {
    "section": None,
    "topics": "",
    "number": 0,
    "region": "",
    "tz": "",
    "now": 0.0,
    "error": None,
    "path": "",
    "query": {},
    "done": "",
    "troubles": {},
}


def _error_document(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def _find(path: str) -> tuple[Page | None, dict[str, str]]:
    for page in PAGES:
        variables = page.match(path.rstrip("/") or "/")
        if variables is not None:
            return page, {name: unquote(value) for name, value in variables.items()}
    return None, {}


def _split_twin(path: str) -> tuple[str, str]:
    """The path of a page, and in which form it is wanted: as .json, as .csv, or as itself."""
    for form in (".json", ".csv"):
        if path.endswith(form) and not any(page.route.endswith(form) and page.match(path) for page in PAGES):
            return path.removesuffix(form).removesuffix("/index"), form
    return path, ""


def _failure(
    error: Missing | ServiceError, shell: Mapping[str, Any], page: Page | None, *, twin: bool
) -> tuple[int, bytes, dict[str, str]]:
    missing = isinstance(error, (Missing, *MISSING)) or "NotFound" in error.code or error.code.startswith("NoSuch")
    status = 404 if missing else 501 if isinstance(error, NotSupported) else getattr(error, "status", 500)
    if twin:
        return status, _error_document(error.code, error.message), dict(_JSON_HEADERS)
    context = {
        **shell,
        "troubles": {},
        "section": page.section if page else None,
        "topics": "",
        "failure": error,
        "missing": missing,
    }
    return status, rendering.render("failed.html", context).encode(), dict(_HTML_HEADERS)


def parse_form(body: bytes) -> dict[str, list[str]]:
    """The fields of a form or a query. Raises RefusedRequest for too many."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=security.MOST_FIELDS)
    except ValueError as error:
        raise RefusedRequest(
            413, f"A form or an address may have {security.MOST_FIELDS} fields.", "TooLarge"
        ) from error


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return {}
    cookies = {name: unquote(morsel.value) for name, morsel in jar.items()}
    if cookies.get("theme") not in _THEMES:
        cookies.pop("theme", None)
    if times.zone(cookies.get("tz", "")) is None:
        cookies.pop("tz", None)
    if not is_region(cookies.get("region", "")):
        cookies.pop("region", None)
    return cookies


def _path(scope: Scope) -> str:
    raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return str(raw).removeprefix(PREFIX) or "/"


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path = f"{PREFIX}{_path(scope)}" if scope["path"].startswith(PREFIX) else f"{PREFIX}/"
    return path + (f"?{query}" if query else "")


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > security.LONGEST_FORM:
            raise RefusedRequest(413, "A form may have 1 MB.", "TooLarge")
        if not message.get("more_body"):
            return body


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


async def _send(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    clean = {name: value.replace("\r", " ").replace("\n", " ") for name, value in headers.items()}
    await send(
        {"type": "http.response.start", "status": status, "headers": _raw({**clean, "Content-Length": str(len(body))})}
    )
    await send({"type": "http.response.body", "body": body})
