"""git's smart HTTP: clone, fetch and push at the addresses that GetRepository gives, and at those of connections.

``git http-backend`` speaks the protocol. Who calls is known by basic authentication, as at CodeCommit: the pair that
``aws codecommit credential-helper`` computes from an access key (a signature of the address), or the access key itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import unquote

from local_sagemaker.clock import machine_time
from local_sagemaker.codecommit.git import GitRepository, environment, executable
from local_sagemaker.http import RawRequest, RawResponse

SERVICE = "git-codecommit"
SECONDS = 3600.0
"""How long a clone or a push may take."""
_ADDRESS = re.compile(
    r"/v1/(?:repos/(?P<name>[\w.-]+)|"
    r"connections/(?:[0-9a-f-]{36}/)?(?P<connected>(?!\.{1,2}/)[\w.-]+/(?!\.{1,2}(?:\.git)?/)[\w.-]+?)(?:\.git)?)"
    r"(?P<rest>/(?:info/refs|git-(?:upload|receive)-pack|HEAD|objects(?:/(?!\.)[\w.-]+)+))",
    re.ASCII,
)
_SKEW = 15 * 60


class AccessKeyLike(Protocol):
    """What is known of an access key."""

    @property
    def secret(self) -> str:
        """The secret part."""
        ...

    @property
    def token(self) -> str | None:
        """The session token of a temporary key."""
        ...

    @property
    def expires(self) -> float | None:
        """When it ends, in seconds since the epoch."""
        ...


FindKey = Callable[[str], AccessKeyLike | None]


@dataclass(frozen=True)
class GitEndpoint:
    """One repository that git's clients reach. `prepare` is called before a request that is allowed, `take_in` after
    each push."""

    git: GitRepository
    region: str
    take_in: Callable[[], None]
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class GitAddress:
    """Which repository a path names, and the rest of the path. `connected` ones are behind a connection."""

    name: str
    connected: bool
    rest: str

    @classmethod
    def of(cls, path: str) -> GitAddress | None:
        """The address that a path is, None for any other path."""
        match = _ADDRESS.fullmatch(unquote(path))
        if match is None:
            return None
        return cls(match["name"] or match["connected"], bool(match["connected"]), match["rest"])


class GitHttp:
    """Serves git's clients. `doors` finds the repository of an address in the region that has it."""

    def __init__(self, doors: Callable[[GitAddress], GitEndpoint | None], find_key: FindKey) -> None:
        self._doors, self._find_key = doors, find_key

    def respond(self, request: RawRequest) -> RawResponse:
        """The response to one request."""
        address = GitAddress.of(request.path)
        door = self._doors(address) if address else None
        if not self._is_known(request, door.region if door else ""):
            return RawResponse(
                401,
                {"WWW-Authenticate": 'Basic realm="CodeCommit"', "Content-Type": "text/plain"},
                b"Authentication is required. Set git's credential.helper to "
                b"'!aws codecommit credential-helper --ignore-host-check $@' and credential.UseHttpPath to true.\n",
            )
        if address is None or door is None:
            return RawResponse(404, {"Content-Type": "text/plain"}, b"The repository does not exist.\n")
        door.prepare()
        writes = address.rest == "/git-receive-pack"
        try:
            return _run(request, address, door)
        finally:
            if writes:
                door.take_in()

    def _is_known(self, request: RawRequest, region: str) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        key_id, _, token = user.partition("%")
        key = self._find_key(key_id)
        if key is None or (key.token or "") != token or (key.expires is not None and machine_time() > key.expires):
            return False
        if hmac.compare_digest(password.encode(), key.secret.encode()):
            return True
        path = re.sub(r"/(info/refs|git-(upload|receive)-pack|HEAD|objects/.*)$", "", unquote(request.path))
        host = request.headers.get("host", "").partition(":")[0]
        return is_signature(password, secret=key.secret, region=region, host=host, path=path)


def is_signature(password: str, *, secret: str, region: str, host: str, path: str) -> bool:
    """Whether a password is what ``aws codecommit credential-helper`` computes now for an address."""
    match = re.fullmatch(r"(\d{8}T\d{6})Z([0-9a-f]{64})", password)
    if match is None:
        return False
    stamp, signature = match.groups()
    try:
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return False
    if abs(moment - machine_time()) > _SKEW:
        return False
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    scope = f"{stamp[:8]}/{region}/codecommit/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(key.hex(), signature)


def _variables(request: RawRequest, address: GitAddress, git: GitRepository) -> Mapping[str, str]:
    variables = environment(git.folder)
    del variables["GIT_DIR"]
    headers = request.headers
    return {
        **variables, "GIT_PROJECT_ROOT": str(git.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": address.rest,
        "REQUEST_METHOD": request.method, "QUERY_STRING": request.query, "REMOTE_USER": "local", "REMOTE_ADDR": "::1",
        "CONTENT_TYPE": headers.get("content-type", ""), "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        **({"GIT_PROTOCOL": headers["git-protocol"]} if "git-protocol" in headers else {}),
    }  # fmt: skip


def _run(request: RawRequest, address: GitAddress, door: GitEndpoint) -> RawResponse:
    done = subprocess.run(
        [executable(), "http-backend"], input=request.body, capture_output=True, timeout=SECONDS, check=False,
        env=dict(_variables(request, address, door.git)), cwd=door.git.folder,
    )  # fmt: skip
    head, separator, body = done.stdout.partition(b"\r\n\r\n")
    if not separator:
        return RawResponse(500, {"Content-Type": "text/plain"}, done.stderr or b"git http-backend failed\n")
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    status = int(headers.pop("Status", "200 OK").split(" ")[0])
    return RawResponse(status, headers, body)
