"""The log lines of the images' own programs, on standard output as the containers write them."""

from __future__ import annotations

import logging
import socket
import sys


def configure(level: int = logging.INFO) -> None:
    """``[2026-01-31 12:00:00.123 host:pid INFO module.py:line] message`` for this process."""
    host = socket.gethostname()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        logging.Formatter(
            f"[%(asctime)s.%(msecs)03d {host}:%(process)d %(levelname)s %(filename)s:%(lineno)d] %(message)s",
            "%Y-%m-%d %H:%M:%S",
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
