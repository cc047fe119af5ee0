"""The access keys of a state folder: one long-lived pair made once, and the temporary ones that STS hands out.

Only who can read the file (its owner) can sign a request that the service accepts.
"""

from __future__ import annotations

import json
import os
import secrets
import string
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ServiceError

_ID = string.ascii_uppercase + "234567"
_SECRET = string.ascii_letters + string.digits + "+/"
KEPT = 1000
"""How many temporary keys are remembered; the oldest are forgotten first."""


@dataclass(frozen=True)
class AccessKey:
    """What is known of an access key. A temporary one has a session `token`, without which it is worth nothing, and
    `expires` (seconds since the epoch)."""

    secret: str
    token: str | None = None
    expires: float | None = None


class Credentials:
    """Access keys in a JSON file (mode 0600): ``access_key_id``, ``secret_access_key``, ``issued``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        state = self._read() if file.exists() else self._make()
        self.access_key_id: str = state["access_key_id"]
        self.secret_access_key: str = state["secret_access_key"]
        self._key = AccessKey(self.secret_access_key)
        self._issued = {
            name: AccessKey(**kept) for name, kept in state.get("issued", {}).items() if isinstance(kept, dict)
        }

    def find(self, access_key_id: str) -> AccessKey | None:
        """The access key with this id, or None if this service did not make it."""
        if access_key_id == self.access_key_id:
            return self._key
        return self._issued.get(access_key_id)

    def issue(self, access_key_id: str, secret: str, token: str | None = None, expires: float | None = None) -> None:
        """Remembers a key that STS (with token and time) or IAM (without) hands out, across restarts."""
        with self._lock:
            self._issued[access_key_id] = AccessKey(secret, token, expires)
            for oldest in list(self._issued)[:-KEPT]:
                del self._issued[oldest]
            self._write(
                {
                    "access_key_id": self.access_key_id,
                    "secret_access_key": self.secret_access_key,
                    "issued": {name: asdict(key) for name, key in self._issued.items()},
                }
            )

    def _make(self) -> dict[str, Any]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "access_key_id": "AKIA" + "".join(secrets.choice(_ID) for _ in range(16)),
            "secret_access_key": "".join(secrets.choice(_SECRET) for _ in range(40)),
        }
        self._write(state)
        return state

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads(self._file.read_text())
            if not (isinstance(state["access_key_id"], str) and isinstance(state["secret_access_key"], str)):
                raise TypeError("keys are not text")
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceError(
                f"{self._file} does not hold access keys ({error}). Remove it to get new ones; "
                "terminals that use the old ones then need `local-sagemaker env` again."
            ) from error
        return dict(state)

    def _write(self, state: dict[str, Any]) -> None:
        """Whole or not at all, and never readable by others, not even while it is written."""
        new = self._file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
