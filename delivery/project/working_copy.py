"""A working copy of a CodeCommit repository, with git's own commands."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import DeliveryError

_HELPER = '!f() { echo "username=$AWS_ACCESS_KEY_ID"; echo "password=$AWS_SECRET_ACCESS_KEY"; }; f'
CREDENTIALS = ("-c", "credential.helper=", "-c", f"credential.helper={_HELPER}")


@dataclass
class Repository:
    """A working copy of one of the project's repositories."""

    kind: str
    folder: Path
    url: str

    def clone(self) -> None:
        """Fetches what the repository holds, with the credentials of the environment."""
        self.folder.mkdir()
        self._git(*CREDENTIALS, "clone", "--quiet", "--branch", "main", self.url, ".")

    def push(self, message: str) -> None:
        """Commits everything and pushes it."""
        who = ("-c", "user.name=tour", "-c", "user.email=tour@example.com", "-c", "commit.gpgsign=false")
        self._git(*who, "commit", "--quiet", "--all", "--message", message)
        self._git(*CREDENTIALS, "push", "--quiet", self.url, "HEAD:main")

    def commit(self) -> str:
        """The id of the newest commit."""
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DeliveryError(f"git {words[-1]}: {done.stderr.strip()}")
        return done.stdout
