"""What a command writes to a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

from tests.support import COMMANDS


def written_to_terminal(
    words: Sequence[str], environment: Mapping[str, str], *, columns: int, lines: int = 24, seconds: float = 240
) -> str:
    """All that one of our commands writes to a terminal of this size; it must end with success."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    command = [str(COMMANDS / words[0]), *words[1:]]
    process = subprocess.Popen(command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(controller)
    assert process.wait(seconds) == 0, shown.decode()
    return shown.decode()
