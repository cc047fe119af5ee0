"""A process that is given a terminal has it as its own: for input and output, and for Ctrl-C."""

from __future__ import annotations

import os
import pty
import select

import pytest

from local_sagemaker.images.image import Program
from local_sagemaker.processes import ProcessSpec

SECONDS = 300
LOOK = (
    "import os, sys; print(os.isatty(0), os.isatty(1), os.tcgetpgrp(0) == os.getpgrp(), open('/dev/tty').isatty());"
    "print('typed ' + input('> ') + '.'); print('end' + '.', end='', flush=True); sys.stdin.readline()"
)


@pytest.mark.parametrize("command", [("python3",), ("env", "python3")], ids=["forked", "executed"])
def test_input_output_and_ctrl_c(world, command):
    master, slave = pty.openpty()
    root = world.root()
    process = world.processes.start(
        ProcessSpec(Program((*command, "-c", LOOK)), root, root / "log", {"TERM": "dumb"}, terminal=slave)
    )
    os.close(slave)
    shown = b""

    def expect(text: bytes) -> None:
        nonlocal shown
        while text not in shown:
            assert select.select([master], [], [], SECONDS)[0], shown
            shown += os.read(master, 1000)

    try:
        expect(b"True True True True\r\n> ")
        os.write(master, b"this\n")
        expect(b"typed this.\r\n")
        expect(b"end.")
        os.write(master, b"\x03")
        expect(b"KeyboardInterrupt")
        assert process.wait(SECONDS) in (130, -2)
    finally:
        process.signal(9)
        os.close(master)
