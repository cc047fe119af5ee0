"""What every response and every request of the pages must satisfy; nothing here knows a page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SANDBOX = "sandbox{scripts}; default-src 'none'; img-src data:; style-src 'unsafe-inline'{code}; frame-ancestors 'self'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LONGEST_FORM = 1 << 20
MOST_FIELDS = 200


def host_of(secret: str) -> str:
    """The pages' own host name. Cookies ignore ports: under a name of its own no other local server gets them."""
    return f"studio-{hashlib.sha256(b'studio ' + secret.encode()).hexdigest()[:8]}.localhost"


def refuse_forgery(method: str, headers: Mapping[str, str], origin: str) -> str:
    """Why a request is refused, "" if it is not. State changes only by POST from a page of the own origin."""
    if method not in ("GET", "HEAD", "POST"):
        return f"{method} is not allowed here."
    site = headers.get("sec-fetch-site", "")
    if method == "POST":
        if headers.get("origin") != origin:
            return f"The form was sent from {headers.get('origin') or 'no known page'}, not from {origin}."
        return "" if site in ("", "same-origin") else f"The form was sent from another site ({site})."
    is_page = headers.get("sec-fetch-mode", "navigate") == "navigate" and headers.get("sec-fetch-dest", "") in (
        "", "document",
    )  # fmt: skip
    if site in ("", "none", "same-origin") or is_page:
        return ""
    return f"The request was made by another site ({site})."


def sandbox_policy(*, scripts: bool) -> str:
    """The policy of users' content: no network and no access to the pages, also when it is opened directly."""
    return SANDBOX.format(
        scripts=" allow-scripts" if scripts else "", code="; script-src 'unsafe-inline'" if scripts else ""
    )
