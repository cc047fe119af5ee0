"""A command at a terminal, for tests: what is typed, and what is shown."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence

SECONDS = 240.0
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class AtTerminal:
    """A running command whose standard streams are a terminal of its own."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env={**environment, "TERM": "dumb"}, start_new_session=True
        )
        os.close(slave)
        self.shown = ""
        self._read = 0

    def __enter__(self) -> AtTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, text: str) -> None:
        """Waits until the text has been shown after what was expected before."""
        until = time.monotonic() + SECONDS
        while (found := self.shown.find(text, self._read)) < 0:
            assert time.monotonic() < until, f"{text!r} is not shown: {self.shown}"
            assert self._look(1.0) or self._process.poll() is None, f"{text!r} is not shown: {self.shown}"
        self._read = found + len(text)

    def type(self, text: str) -> None:
        """Types it."""
        os.write(self._master, text.encode())

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        until = time.monotonic() + SECONDS
        while self._process.poll() is None:
            assert time.monotonic() < until, self.shown
            self._look(0.2)
        while self._look(0):
            pass
        return self._process.returncode

    def _look(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = b""
        with contextlib.suppress(OSError):
            data = os.read(self._master, 65_536)
        self.shown += _COLOURS.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
        return bool(data)
