"""The one shell of a build: commands are run in it one after the other, and what they set stays set.

A command is a file that the shell sources. A command that ends the shell (``exit``) is followed by a new shell in the
same folder with the same exported variables.
"""

from __future__ import annotations

import os
import select
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

_TICK = 0.1
_LOOP = """\
trap '_code=$?; export -p > {state}; pwd > {folder}; exit $_code' EXIT
[ -f {state} ] && . {state}
cd "$(cat {folder})"
while IFS= read -r _file <&8; do . "$_file" 8<&- 9>&-; echo $? >&9; done
"""


class Shell:
    """A shell process, started at the first command."""

    def __init__(self, command: list[str], start: Path, files: Path, output: int) -> None:
        """`files` is a folder for the shell's own; `output` is where commands print to."""
        self._command, self._files, self._output = command, files, output
        self._state, self._folder = files / "state.sh", files / "folder"
        self._folder.write_text(f"{start}\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._orders = self._statuses = -1
        self._count = 0

    def run(self, command: str) -> int:
        """Runs a command and returns its exit status."""
        if self._process is None:
            self._begin()
        self._count += 1
        file = self._files / f"command-{self._count}"
        file.write_text(f"{command}\n")
        try:
            os.write(self._orders, f"{file}\n".encode())
        except BrokenPipeError:
            return self._exit_status()
        response = b""
        while not response.endswith(b"\n"):
            if select.select([self._statuses], [], [], _TICK)[0]:
                read = os.read(self._statuses, 64)
                if not read:  # nobody can write there any more
                    return self._exit_status()
                response += read
            elif self._process is None or self._process.poll() is not None:
                return self._exit_status()  # what the shell started may still hold the pipes open
        file.unlink(missing_ok=True)
        return int(response)

    def export(self, name: str, value: str) -> None:
        """Sets a variable for the commands to come."""
        self.run(f"export {name}={shlex.quote(value)}")

    def expand(self, text: str) -> str:
        """A text with its variables and command substitutions as the shell has them."""
        file = self._files / "expanded"
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        self.run(f'printf "%s" "{quoted}" > {shlex.quote(str(file))}')
        return file.read_text() if file.exists() else text

    def values(self, names: Iterable[str]) -> dict[str, str]:
        """The values of variables that are set."""
        values = {}
        for name in names:
            file = self._files / "value"
            file.unlink(missing_ok=True)
            self.run(f'[ -n "${{{name}+x}}" ] && printf "%s" "${{{name}}}" > {shlex.quote(str(file))} || true')
            if file.exists():
                values[name] = file.read_text(errors="replace")
        return values

    def close(self) -> None:
        """Ends the shell."""
        if self._process is not None:
            os.close(self._orders)
            os.close(self._statuses)
            self._process.wait()
            self._process = None

    def _begin(self) -> None:
        orders, self._orders = os.pipe()
        self._statuses, statuses = os.pipe()
        os.set_inheritable(orders, True)
        os.set_inheritable(statuses, True)
        # Only descriptors below 10 have a name in a POSIX shell's redirections.
        begin = f"exec 8</dev/fd/{orders} 9>/dev/fd/{statuses}\n"
        script = _LOOP.format(state=shlex.quote(str(self._state)), folder=shlex.quote(str(self._folder)))
        self._process = subprocess.Popen(
            [*self._command, "-c", begin + script], pass_fds=[orders, statuses], stdin=subprocess.DEVNULL,
            stdout=self._output, stderr=self._output,
        )  # fmt: skip
        os.close(orders)
        os.close(statuses)

    def _exit_status(self) -> int:
        """The status of a command that ended the shell."""
        process, self._process = self._process, None
        os.close(self._orders)
        os.close(self._statuses)
        code = process.wait() if process else 1
        return 128 - code if code < 0 else code
