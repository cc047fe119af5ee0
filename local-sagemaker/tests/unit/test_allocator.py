"""Freed memory goes back to the system."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from local_sagemaker import allocator

_BLOCK, _BLOCKS = 2_000, 20_000


def resident() -> int:
    """Bytes of this process's own memory."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) * 1000


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_what_lies_between_blocks_in_use_is_given_back() -> None:
    """Python's own arenas are not concerned: blocks over 512 bytes are the C library's."""
    blocks = [bytes([number % 256]) * _BLOCK for number in range(_BLOCKS)]
    kept = blocks[::100]
    before = resident()
    blocks.clear()
    allocator.give_back()
    assert before - resident() > _BLOCK * _BLOCKS / 2
    assert len(kept) == _BLOCKS / 100
